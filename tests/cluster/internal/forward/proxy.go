package forward

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"time"
)

// Dial connects to a TCP address, as net.Dialer.DialContext does.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Proxy is an HTTP proxy into the network that dial reaches: CONNECT for any TCP port, and plain requests with an
// absolute URL.
func Proxy(dial Dial) http.Handler {
	dial = dial.within(dialTimeout)
	plain := &httputil.ReverseProxy{
		Rewrite: func(*httputil.ProxyRequest) {}, // the request goes where it says
		// An idle connection may lead to a pod that is gone.
		Transport: &http.Transport{DisableKeepAlives: true, DialContext: dial},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodConnect:
			connect(w, r, dial)
		case r.URL.Host == "":
			http.Error(w, "this is a proxy: send an absolute URL or CONNECT", http.StatusBadRequest)
		default:
			plain.ServeHTTP(w, r)
		}
	})
}

func (d Dial) within(timeout time.Duration) Dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return d(ctx, network, address)
	}
}

func connect(w http.ResponseWriter, r *http.Request, dial Dial) {
	server, err := dial(r.Context(), "tcp", r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = server.Close() }()
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer func() { _ = client.Close() }()
	if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	// What the client sent along with its request was already read.
	if early := buffered.Reader.Buffered(); early > 0 {
		if _, err := io.CopyN(server, buffered, int64(early)); err != nil {
			log.Printf("proxy to %s: %v", r.Host, err)
			return
		}
	}
	join(client, server)
}
