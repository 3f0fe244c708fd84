package forward

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
)

// Proxy is an HTTP proxy into the network of the process that serves it: CONNECT for any TCP port, and plain
// requests with an absolute URL.
func Proxy() http.Handler {
	plain := &httputil.ReverseProxy{
		Rewrite: func(*httputil.ProxyRequest) {}, // the request goes where it says
		// An idle connection may lead to a pod that is gone.
		Transport: &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{Timeout: dialTimeout}).DialContext},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodConnect:
			connect(w, r)
		case r.URL.Host == "":
			http.Error(w, "this is a proxy: send an absolute URL or CONNECT", http.StatusBadRequest)
		default:
			plain.ServeHTTP(w, r)
		}
	})
}

func connect(w http.ResponseWriter, r *http.Request) {
	server, err := dialFirst(r.Context(), []string{r.Host})
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
