// Package forward lets the host's loopback ports reach into the cluster's network. The listeners are opened in
// the host's network namespace and served by a process in the cluster's: a socket stays in the namespace that it
// was opened in.
package forward

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"sync"
	"time"
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

// TCP hands every connection of listener to the first of the targets that answers, and closes it when that one is gone, as a load
// balancer does that looks after its targets. It returns when the listener is closed.
func TCP(ctx context.Context, listener net.Listener, targets Targets) {
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
