package images

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// reached counts what comes to the pods: requests that have begun there and bodies that have come whole.
type reached struct {
	*httptest.Server
	begun, whole atomic.Int64
	bytes        atomic.Int64
	// downloads wait here.
	release chan struct{}
	waiting atomic.Int64
}

func startReached(t *testing.T) *reached {
	t.Helper()
	r := &reached{release: make(chan struct{})}
	r.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		r.begun.Add(1)
		n, err := io.Copy(io.Discard, request.Body)
		if err == nil && request.ContentLength == n {
			r.whole.Add(1)
		}
		r.bytes.Store(n)
		if strings.HasPrefix(request.URL.Path, "/wp-content/") || request.URL.Path == "/slow" {
			r.waiting.Add(1)
			<-r.release
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// TestPlannedEdgeHoldsSlowClients has Traefik, with the planned objects, meet clients that send slowly, send too much, and hold many
// requests.
func TestPlannedEdgeHoldsSlowClients(t *testing.T) {
	r := startReached(t)
	e := startEdge(t, r.URL, func(settings string) string { return settings })
	t.Run("bodies that trickle come to no pod", func(t *testing.T) { e.trickles(t, r) })
	t.Run("a body comes whole, in one piece or in chunks", func(t *testing.T) { e.sendsWhole(t, r) })
	t.Run("a body that is too large comes to no pod", func(t *testing.T) { e.sendsTooMuch(t, r) })
	t.Run("an office is not refused, a greedy client is", func(t *testing.T) { e.manyAtOnce(t, r) })
}

// Without the middleware, the same bodies are on their way to the pods at once.
func TestUnbufferedEdgeLetsSlowBodiesThrough(t *testing.T) {
	r := startReached(t)
	e := startEdge(t, r.URL, func(settings string) string { return strings.ReplaceAll(settings, `"wordpress-body",`, "") })
	before := r.begun.Load()
	connection := e.beginBody(t, "127.0.0.3", "/wp-comments-post.php")
	defer func() { _ = connection.Close() }()
	await(t, "slow body at a pod", func() bool { return r.begun.Load() > before })
}

// beginBody sends the head of a request and a byte of its body.
func (e *plannedEdge) beginBody(t *testing.T, from, path string) net.Conn {
	t.Helper()
	dialer := tls.Dialer{
		NetDialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}},
		Config:    &tls.Config{RootCAs: e.roots, ServerName: plannedHost},
	}
	connection, err := dialer.DialContext(t.Context(), "tcp", e.https)
	noError(t, err)
	_, err = fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 100000\r\n\r\nx", path, plannedHost)
	noError(t, err)
	return connection
}

// trickles has many clients begin a body. Meanwhile another one at the same address logs in, though each of theirs would be a log-in.
func (e *plannedEdge) trickles(t *testing.T, r *reached) {
	before := r.begun.Load()
	for range 50 {
		for _, path := range []string{"/wp-comments-post.php", "/wp-login.php"} {
			connection := e.beginBody(t, "127.0.0.3", path)
			defer func() { _ = connection.Close() }()
		}
	}
	for range 3 {
		if got := e.mustVisit(t, "127.0.0.3", "/wp-login.php"); got.status != http.StatusOK {
			t.Errorf("a log-in beside slow ones: status %d", got.status)
		}
	}
	if n := r.begun.Load() - before; n != 3 {
		t.Errorf("%d requests have come to the pods, want 3", n)
	}
}

// send posts a body and returns the status, or 0 where the edge has closed the connection before it had the whole body.
func (e *plannedEdge) send(t *testing.T, body io.Reader) int {
	t.Helper()
	client := &http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: e.roots, ServerName: plannedHost},
	}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+e.https+"/wp-admin/async-upload.php", body)
	noError(t, err)
	request.Host = plannedHost
	response, err := client.Do(request)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		return 0
	}
	noError(t, err)
	noError(t, response.Body.Close())
	return response.StatusCode
}

func (e *plannedEdge) sendsWhole(t *testing.T, r *reached) {
	const size = 3 << 20
	for what, body := range map[string]io.Reader{
		"in one piece": bytes.NewReader(make([]byte, size)),
		"in chunks":    io.MultiReader(bytes.NewReader(make([]byte, size))),
	} {
		before := r.whole.Load()
		if status := e.send(t, body); status != http.StatusOK || r.whole.Load() != before+1 || r.bytes.Load() != size {
			t.Errorf("%s: status %d, %d bytes at the pod", what, status, r.bytes.Load())
		}
	}
}

func (e *plannedEdge) sendsTooMuch(t *testing.T, r *reached) {
	const size = 66 << 20
	for what, body := range map[string]io.Reader{
		"in one piece": bytes.NewReader(make([]byte, size)),
		"in chunks":    io.MultiReader(bytes.NewReader(make([]byte, size))),
	} {
		before := r.begun.Load()
		if status := e.send(t, body); status != 0 && status != http.StatusRequestEntityTooLarge || r.begun.Load() != before {
			t.Errorf("%s: status %d, %d requests have come to the pods", what, status, r.begun.Load()-before)
		}
	}
}

// manyAtOnce has fifty people with six connections each ask for a page, and one client for more than it may.
func (e *plannedEdge) manyAtOnce(t *testing.T, r *reached) {
	const office, most = 50 * 6, 320
	var all sync.WaitGroup
	defer all.Wait()
	defer close(r.release)
	var refused, refusedDownloads atomic.Int64
	ask := func(count int, from, path string, refused *atomic.Int64) {
		for range count {
			all.Go(func() {
				got, err := e.visit(t.Context(), from, http.MethodGet, path)
				if err != nil {
					t.Error(err)
				}
				if got.status == http.StatusTooManyRequests {
					refused.Add(1)
				}
			})
		}
	}
	ask(office, "127.0.0.5", "/slow", &refused)
	await(t, "the whole office is served", func() bool { return r.waiting.Load() == office })
	if n := refused.Load(); n != 0 {
		t.Errorf("%d of the office's requests are refused", n)
	}
	const beyond = 30
	ask(most-office+beyond, "127.0.0.5", "/slow", &refused)
	await(t, "more is refused", func() bool { return refused.Load() == beyond && r.waiting.Load() == most })

	// Pictures are part of a page.
	ask(20, "127.0.0.6", "/wp-content/uploads/a.JPG", &refused)
	await(t, "pictures", func() bool { return r.waiting.Load() == most+20 })
	downloads := plannedDownloads(t)
	ask(20, "127.0.0.6", "/wp-content/uploads/a.mp4", &refusedDownloads)
	await(t, "downloads are refused", func() bool { return refusedDownloads.Load() == int64(20-downloads) })
	if n := refused.Load(); n != beyond {
		t.Errorf("%d other requests are refused", n-beyond)
	}
	began := time.Now()
	if got := e.mustVisit(t, "127.0.0.7", "/"); got.status != http.StatusOK || time.Since(began) > patience/2 {
		t.Errorf("another visitor: status %d after %s", got.status, time.Since(began))
	}
}

// plannedDownloads are one fewer than the workers of a pod.
func plannedDownloads(t *testing.T) int {
	t.Helper()
	_, rest, found := strings.Cut(plannedFiles(t)["site.conf"], "\nMaxRequestWorkers ")
	var workers int
	if _, err := fmt.Sscan(rest, &workers); !found || err != nil {
		t.Fatalf("no number of workers: %v", err)
	}
	return workers - 1
}
