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

// Targets returns the addresses to try, best first, at the time of the call.
type Targets func() []string

// TCP hands every connection of listener to the first of the targets that answers. It returns when the listener
// is closed.
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
			server, err := dialFirst(ctx, targets())
			if err != nil {
				log.Printf("forward %s: %v", listener.Addr(), err)
				return
			}
			defer func() { _ = server.Close() }()
			join(client, server)
		}()
	}
}

func dialFirst(ctx context.Context, targets []string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	failures := []error{}
	for _, target := range targets {
		conn, err := dialer.DialContext(ctx, "tcp", target)
		if err == nil {
			return conn, nil
		}
		failures = append(failures, err)
	}
	if len(failures) == 0 {
		return nil, errors.New("no node is running")
	}
	return nil, errors.Join(failures...)
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
