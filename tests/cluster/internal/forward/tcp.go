// Package forward lets the host's loopback ports reach into the cluster's network. The listeners are opened in
// the host's network namespace and served by a process in the cluster's: a socket stays in the namespace that it
// was opened in.
package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/pires/go-proxyproto"
)

// dialTimeout bounds one attempt to reach a target: a node that was killed does not answer.
const dialTimeout = 2 * time.Second

// Target is where a connection may lead.
type Target struct {
	Address string
	// Gone is closed when the target is dead, which its connections would not notice by themselves. Nil: never.
	Gone <-chan struct{}
}

// Targets returns the targets to try, best first, at the time of the call.
type Targets func() []Target

// Greeting is what a target is told of its client before the client's first byte.
type Greeting func(client, server net.Conn) error

// TCP hands every connection of listener to the first of the targets that answers, and closes it when that one is gone, as a load
// balancer does that looks after its targets. It greets the target first, unless greet is nil, and returns when the listener is closed.
func TCP(ctx context.Context, listener net.Listener, targets Targets, greet Greeting) {
	for {
		client, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			log.Printf("forward %s: accept: %v", listener.Addr(), err)
			continue
		}
		go func() {
			defer func() { _ = client.Close() }()
			server, gone, err := dialFirst(ctx, targets())
			if err != nil {
				log.Printf("forward %s: %v", listener.Addr(), err)
				return
			}
			defer func() { _ = server.Close() }()
			if greet != nil {
				if err := greet(client, server); err != nil {
					log.Printf("forward %s: greet %s: %v", listener.Addr(), server.RemoteAddr(), err)
					return
				}
			}
			joined := make(chan struct{})
			defer close(joined)
			go func() {
				select {
				case <-gone:
					_ = client.Close()
					_ = server.Close()
				case <-joined:
				}
			}()
			join(client, server)
		}()
	}
}

// visitors is the network of the addresses that the edge takes visitors to have (RFC 5737, TEST-NET-3): addresses of the internet to
// whoever judges them, and nobody's.
var visitors = net.IPv4(203, 0, 113, 0).To4()

// Visitor tells the edge by the PROXY protocol, as load balancers do, that the client is a visitor of its own: 203.0.113.N for a
// client of an address of the loopback network that ends in N. So this machine can visit as up to 254 people.
func Visitor(client, server net.Conn) error {
	from, isTCP := client.RemoteAddr().(*net.TCPAddr)
	if !isTCP || from.IP.To4() == nil {
		return fmt.Errorf("a client of %s, want one of IPv4", client.RemoteAddr())
	}
	address := slices.Clone(visitors)
	address[3] = from.IP.To4()[3]
	header := proxyproto.HeaderProxyFromAddrs(1, &net.TCPAddr{IP: address, Port: from.Port}, client.LocalAddr())
	_, err := header.WriteTo(server)
	return err
}

func dialFirst(ctx context.Context, targets []Target) (conn net.Conn, gone <-chan struct{}, err error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	failures := []error{}
	for _, target := range targets {
		conn, err := dialer.DialContext(ctx, "tcp", target.Address)
		if err == nil {
			return conn, target.Gone, nil
		}
		failures = append(failures, err)
	}
	if len(failures) == 0 {
		return nil, nil, errors.New("no node is running")
	}
	return nil, nil, errors.Join(failures...)
}

// join copies both ways until both directions have ended. The end of one is passed on, so that a protocol that
// half-closes works.
func join(a, b net.Conn) {
	var both sync.WaitGroup
	both.Go(func() { copyHalf(a, b) })
	both.Go(func() { copyHalf(b, a) })
	both.Wait()
}

func copyHalf(to, from net.Conn) {
	_, err := io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
		_ = half.CloseWrite()
		return
	}
	_ = to.Close()
	_ = from.Close()
}
