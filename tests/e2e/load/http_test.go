package load_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"wordpress-on-kubernetes/tests/e2e/load"
)

func newTransport() (*http.Transport, error) { return &http.Transport{}, nil }

func newClient(t *testing.T, base string, keepAlive bool) *load.Client {
	t.Helper()
	client, err := load.NewClient(base, keepAlive, newTransport)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// serve answers with a handler, and counts the connections that were made.
func serve(t *testing.T, handler http.HandlerFunc) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var connections atomic.Int64
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server, &connections
}

// reset closes the connection of a request as a killed server does.
func reset(t *testing.T, w http.ResponseWriter) {
	t.Helper()
	connection, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	if err := errors.Join(connection.(*net.TCPConn).SetLinger(0), connection.Close()); err != nil {
		t.Error(err)
	}
}

func TestGetTellsWhoAnswered(t *testing.T) {
	server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Served-By", "pod-1")
		_, _ = fmt.Fprintf(w, "you asked for %s", r.URL)
	})
	reply, err := newClient(t, server.URL, true).Get(t.Context(), "/a?b=c", http.StatusOK, "asked for /a?b=c")
	if err != nil || reply != (load.Reply{Pod: "pod-1", Status: http.StatusOK}) {
		t.Errorf("%+v, %v", reply, err)
	}
}

func TestWhatIsNotExpectedFails(t *testing.T) {
	plain, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Served-By", "pod-1")
		switch r.URL.Path {
		case "/gateway":
			w.WriteHeader(http.StatusBadGateway)
			_, _ = fmt.Fprint(w, strings.Repeat("Bad Gateway ", 100))
		case "/redirect":
			http.Redirect(w, r, "/good", http.StatusFound)
		case "/reset":
			reset(t, w)
		case "/cut":
			w.Header().Set("Content-Length", "1000")
			_, _ = fmt.Fprint(w, "good, but")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		default:
			_, _ = fmt.Fprint(w, "another page")
		}
	})
	secure := httptest.NewUnstartedServer(plain.Config.Handler)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	gone := httptest.NewServer(plain.Config.Handler)
	gone.Close()

	tests := []struct {
		name, url, want string
		status          int
	}{
		{"status", plain.URL + "/gateway", `status 502, want 200: "Bad Gateway `, http.StatusBadGateway},
		{"body", plain.URL + "/other", `status 200, but "good" is not in the body: "another page"`, http.StatusOK},
		{"redirect", plain.URL + "/redirect", "status 302, want 200", http.StatusFound},
		{"reset", plain.URL + "/reset", "connection reset: ", 0},
		{"cut", plain.URL + "/cut", "status 200, after 9 bytes of the body: connection reset: ", http.StatusOK},
		{"certificate", secure.URL + "/", "TLS: tls: failed to verify certificate", 0},
		{"refused", gone.URL + "/", "connection refused: ", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			site, err := url.Parse(test.url)
			if err != nil {
				t.Fatal(err)
			}
			client := newClient(t, site.Scheme+"://"+site.Host, false)
			reply, err := client.Get(t.Context(), site.Path, http.StatusOK, "good")
			if err == nil || !strings.HasPrefix(err.Error(), test.want) || len(err.Error()) > 250 {
				t.Errorf("error %v, want a short one that begins with %s", err, test.want)
			}
			if reply.Status != test.status || (reply.Pod == "pod-1") != (test.status != 0) {
				t.Errorf("%+v, want status %d and the pod that sent it", reply, test.status)
			}
		})
	}
}

func TestNoAnswerIsATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := load.NewClient("http://site", false, func() (*http.Transport, error) {
			return &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
				near, far := net.Pipe()
				go func() { _, _ = io.Copy(io.Discard, far) }()
				return near, nil
			}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		sent := time.Now()
		_, err = client.Get(t.Context(), "/", http.StatusOK, "")
		if err == nil || !strings.HasPrefix(err.Error(), "timeout: ") || time.Since(sent) != 40*time.Second {
			t.Errorf("after %s: %v, want a timeout after 40s", time.Since(sent), err)
		}
	})
}

func TestAResetThatGoHidesIsAFailure(t *testing.T) {
	var requests atomic.Int64
	server, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if requests.Add(1) == 2 {
			reset(t, w)
			return
		}
		_, _ = fmt.Fprint(w, "good")
	})
	client := newClient(t, server.URL, true)
	var failed []error
	for range 3 {
		if _, err := client.Get(t.Context(), "/", http.StatusOK, "good"); err != nil {
			failed = append(failed, err)
		}
	}
	if len(failed) != 1 || !strings.Contains(failed[0].Error(), "at attempt 2") {
		t.Errorf("failures %v, want the second request alone, which was sent twice", failed)
	}
}

func TestConnectionsAreKeptOrNew(t *testing.T) {
	const workers, rounds = 8, 3
	for keepAlive, want := range map[bool]int64{true: workers, false: workers * rounds} {
		t.Run(fmt.Sprintf("%d connections", want), func(t *testing.T) {
			// No request is answered before all workers have sent theirs: so many connections are in use at once.
			var arrived sync.WaitGroup
			server, connections := serve(t, func(http.ResponseWriter, *http.Request) {
				arrived.Done()
				arrived.Wait()
			})
			client := newClient(t, server.URL, keepAlive)
			for range rounds {
				arrived.Add(workers)
				var round sync.WaitGroup
				for range workers {
					round.Go(func() {
						if _, err := client.Get(t.Context(), "/", http.StatusOK, ""); err != nil {
							t.Error(err)
						}
					})
				}
				round.Wait()
			}
			if got := connections.Load(); got != want {
				t.Errorf("%d workers made %d connections in %d rounds, want %d", workers, got, rounds, want)
			}
		})
	}
}

func TestPostFormIsJudgedByItsCheck(t *testing.T) {
	server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.FormValue("comment") != "a b&c" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, "/?p=1#comment-7", http.StatusFound)
	})
	client := newClient(t, server.URL, true)
	var location string
	check := func(response *http.Response, _ []byte) error {
		location = response.Header.Get("Location")
		if response.StatusCode != http.StatusFound {
			return errors.New("no comment")
		}
		return nil
	}
	reply, err := client.PostForm(t.Context(), "/comments", url.Values{"comment": {"a b&c"}}, check)
	if err != nil || reply.Status != http.StatusFound || location != "/?p=1#comment-7" {
		t.Errorf("%+v, location %q, %v", reply, location, err)
	}
	_, err = client.PostForm(t.Context(), "/comments", url.Values{"comment": {"another"}}, check)
	if err == nil || err.Error() != `status 400: no comment: ""` {
		t.Errorf("error %v, want the check's", err)
	}
}

func TestALoadCountsResetsAsFailures(t *testing.T) {
	const resets, enough = 5, 50
	var requests atomic.Int64
	done := make(chan struct{})
	server, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		switch count := requests.Add(1); {
		case count <= resets:
			reset(t, w)
		case count == enough:
			close(done)
		}
	})
	client := newClient(t, server.URL, false)
	run := load.Start(t.Context(), load.Stream{
		Name: "pages", PerSecond: 500, Connections: 4,
		Request: func(ctx context.Context) (load.Reply, error) { return client.Get(ctx, "/", http.StatusOK, "") },
	})
	<-done
	report := run.Stop()
	if report.Failed != resets || report.Requests < enough || report.Requests != requests.Load() {
		t.Errorf("%d of %d requests failed, want %d of the server's %d", report.Failed, report.Requests, resets, requests.Load())
	}
	for _, failure := range report.First {
		if !strings.HasPrefix(failure.Reason, "connection reset: ") {
			t.Errorf("failure %+v, want a reset", failure)
		}
	}
}
