package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"wordpress-on-kubernetes/tests/e2e/load"
)

// sessions are the administrator's, each with a connection of its own.
type sessions chan *site

// sessions logs the administrator in, once for each of tutorialConnections.
func (s *subject) sessions(t *testing.T) sessions {
	t.Helper()
	all := make(sessions, tutorialConnections)
	for range cap(all) {
		visitor, err := throughEdge(s.host, s.project)
		if err == nil {
			err = visitor.login(t.Context(), s.admin)
		}
		if err != nil {
			t.Fatal(err)
		}
		all <- visitor
		t.Cleanup(visitor.client.CloseIdleConnections)
	}
	return all
}

// get asks for a page in whichever session is idle, and fails unless it is the administrator's.
func (s sessions) get(ctx context.Context, path string) (load.Reply, error) {
	const mark = `id="wpadminbar"`
	visitor := <-s
	defer func() { s <- visitor }()
	page, err := visitor.get(ctx, path)
	if err == nil && (page.status != http.StatusOK || !bytes.Contains(page.body, []byte(mark))) {
		err = fmt.Errorf("status %d, location %q, %q: %s", page.status, page.location, page.header.Get(statusOfCache), excerpt(page.body))
	}
	return load.Reply{Pod: page.header.Get("X-Served-By"), Status: page.status}, err
}

// pagesOf asks for a page in all sessions, as fast as it comes.
func (s *subject) pagesOf(t *testing.T, all sessions, path string, duration time.Duration) load.Report {
	t.Helper()
	report, err := load.Measure(t.Context(), load.Stream{
		Name: "logged in, " + path, PerSecond: tutorialPerSecond, Connections: cap(all),
		Request: func(ctx context.Context) (load.Reply, error) { return all.get(ctx, path) },
	}, duration)
	if err != nil {
		t.Fatal(err)
	}
	for _, failure := range report.First {
		t.Logf("failed: %s %q: %s", failure.At.Format("15:04:05.000"), failure.Stream, failure.Reason)
	}
	t.Logf("%s, %s: %.1f a second, mean %.0f ms", s.name, path, report.Streams[0].Achieved, 1000*report.Streams[0].Latency.Mean)
	return report
}
