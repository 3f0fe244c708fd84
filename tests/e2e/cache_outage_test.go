package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"wordpress-on-kubernetes/tests/e2e/evidence"
	"wordpress-on-kubernetes/tests/e2e/load"
)

const (
	// outagePerSecond are the kept pages that are asked for while something is away, on outageConnections.
	outagePerSecond, outageConnections = 1000.0, 8
	// outageTTL in seconds is short, so that the pages' time ends again and again.
	outageTTL = "5"
	// outageLimit is how long a kept page may take, but for one of a hundred.
	outageLimit = 50 * time.Millisecond
	// uncachedLimit is how long a visitor may wait to hear that a page that is not kept cannot be made: frontend.maxRequestSeconds, and some.
	uncachedLimit = 35 * time.Second
)

// outage is something that goes away, or no longer does its work.
type outage struct {
	part, tried string
	// begin breaks it, and returns what mends it.
	begin func(t *testing.T) (end func())
}

// TestKeptPagesOutliveWordPress takes away MySQL, WordPress, or what they are good for, for many times as long as a page is kept.
func TestKeptPagesOutliveWordPress(t *testing.T) {
	needTime(t)
	s := newCached(t, "outlives", map[string]string{cacheEnabled: "true", "wordpress:cache.ttlSeconds": outageTTL})
	s.deploy(t)
	s.fill(t)
	s.awaitKept(t)
	for _, one := range s.outages() {
		if !isChosen(34, one.part) {
			continue
		}
		t.Run(one.part, func(t *testing.T) { s.standsThrough(t, one) })
	}
}

func (s *subject) outages() []outage {
	return []outage{
		{"MySQL stopped", "MySQL stopped", func(t *testing.T) func() { return s.scaleAway(t, s.databaseWorkload) }},
		{
			"MySQL's network gone", "every packet between MySQL's pod and other pods dropped without an answer, as when its node loses its power " +
				"and nobody has noticed", s.cutDatabaseOff,
		},
		{"WordPress stopped", "every pod of WordPress stopped", func(t *testing.T) func() {
			return s.scaleAway(t, "deployment/"+deploymentName)
		}},
		{"WordPress fails", "WordPress answers every request with status 500", func(t *testing.T) func() {
			return s.breakWordPress(t, "http_response_code(500); exit('broken by the proof');")
		}},
		{"WordPress is slow", "WordPress takes a minute for every request", func(t *testing.T) func() {
			return s.breakWordPress(t, "sleep(60);")
		}},
	}
}

// standsThrough visits kept pages while something is away.
func (s *subject) standsThrough(t *testing.T, one outage) {
	t.Helper()
	s.awaitKept(t)
	client := s.crowd(t, true)
	defer client.Close()
	var seen statuses
	run := load.Start(t.Context(),
		load.Stream{Name: pageStream, PerSecond: outagePerSecond / 2, Connections: outageConnections / 2, Request: s.keptPage(client, s.article.path, &seen)},
		load.Stream{Name: "front page", PerSecond: outagePerSecond / 2, Connections: outageConnections / 2, Request: s.keptPage(client, "/", &seen)},
	)
	end := sync.OnceFunc(one.begin(t))
	defer end()
	awaitWithin(t, 2*time.Minute, "WordPress makes no pages", func(ctx context.Context) error {
		if s.makesPages(ctx) == nil {
			return errors.New("it does")
		}
		return nil
	})
	before := seen.count(stale)
	away := pick(30*time.Second, 6*time.Minute)
	begun := time.Now()
	uncached, problem := s.uncachedIsRefused(t.Context())
	hold(t, away-time.Since(begun))
	ended, old := time.Now(), seen.count(stale)-before
	end()
	await(t, "WordPress makes pages again", s.makesPages)
	recovered := time.Since(ended)
	report := run.Stop()
	for _, failure := range report.First {
		t.Logf("failed: %s %q: %s", failure.At.Format("15:04:05.000"), failure.Stream, failure.Reason)
	}
	t.Logf("answers by %s: %s", statusOfCache, &seen)
	tail := max(p99(report, pageStream), p99(report, "front page"))
	switch {
	case report.Failed > 0:
		problem = errors.Join(problem, fmt.Errorf("%d of %d requests failed", report.Failed, report.Requests))
	case tail > 1000*outageLimit.Seconds():
		problem = errors.Join(problem, fmt.Errorf("p99 is %.1f ms, want at most %s", tail, outageLimit))
	case old == 0:
		problem = errors.Join(problem, errors.New("no page came to the end of its time, so nothing was tried"))
	}
	problem = errors.Join(problem, s.visitor.loggedIn(t.Context()))
	reached := float64(report.Requests) / report.Seconds
	s.keep(t, proof{promise: 34, part: one.part, title: cacheStands, rounds: 1,
		tried: fmt.Sprintf("%s for %s, while an article and the front page, which are kept for %s s, are asked for %.0f times a second on %d "+
			"connections", one.tried, away, outageTTL, outagePerSecond, outageConnections),
		figure: fmt.Sprintf("%s at %.0f a second, p99 %.1f ms; a page that is not kept was refused after %.1f s; WordPress made pages again %.1f s "+
			"after the end", failures(report), reached, tail, uncached.Seconds(), recovered.Seconds()),
		figures: evidence.Figures{
			"outageFailed": float64(report.Failed), "outageP99Milliseconds": tail, "reachedPerSecond": reached,
			"recoverySeconds": recovered.Seconds(), "uncachedSeconds": uncached.Seconds(), "staleAnswers": float64(old),
		}, requests: report.Requests, failed: report.Failed, details: report}, problem)
}

// hold keeps something up for a time.
func hold(t *testing.T, duration time.Duration) {
	t.Helper()
	select {
	case <-t.Context().Done():
		t.Fatal(context.Cause(t.Context()))
	case <-time.After(duration):
	}
}

// makesPages asks for a page that nobody keeps.
func (s *subject) makesPages(ctx context.Context) error {
	const patience = 5 * time.Second
	visitor, err := throughEdge(s.host, s.project)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	page, err := visitor.get(ctx, "/?s=nothing")
	if err == nil && page.status != http.StatusOK {
		err = fmt.Errorf("status %d", page.status)
	}
	return err
}

// uncachedIsRefused tells how long a visitor waits to hear that a page cannot be made.
func (s *subject) uncachedIsRefused(ctx context.Context) (time.Duration, error) {
	visitor, err := throughEdge(s.host, s.project)
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	page, err := visitor.get(ctx, "/?s=nobody")
	took := time.Since(begun)
	switch {
	case err != nil:
		return took, fmt.Errorf("a page that is not kept: %w", err)
	case page.status < http.StatusInternalServerError:
		return took, fmt.Errorf("a page that is not kept has status %d, though nobody can make it", page.status)
	case took > uncachedLimit:
		return took, fmt.Errorf("a page that is not kept was refused after %s, want %s", took, uncachedLimit)
	}
	return took, nil
}

// scaleAway stops all pods of a workload, and returns what starts as many again.
func (s *subject) scaleAway(t *testing.T, workload string) (end func()) {
	t.Helper()
	replicas := kubectl(t, s.project, "", "get", "-n", s.namespace, workload, "-o", "jsonpath={.spec.replicas}")
	kubectl(t, s.project, "", "scale", "-n", s.namespace, workload, "--replicas=0")
	return func() { kubectl(t, s.project, "", "scale", "-n", s.namespace, workload, "--replicas="+replicas) }
}

// cutDatabaseOff drops all packets of MySQL's pod but those of its own node, whose kubelet would restart it: so the pod counts as ready, and
// whoever connects to it waits. It returns what lets them through again.
func (s *subject) cutDatabaseOff(t *testing.T) (end func()) {
	t.Helper()
	pod, err := s.databasePod(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server, err := processOf(pod, "mysqld")
	if err != nil {
		t.Fatal(err)
	}
	node, err := gatewayOf(server.Pid)
	if err != nil {
		t.Fatal(err)
	}
	rules := [][]string{
		{"INPUT", "!", "-i", "lo", "!", "-s", node, "-j", "DROP"},
		{"OUTPUT", "!", "-o", "lo", "!", "-d", node, "-j", "DROP"},
	}
	change := func(how string) {
		for _, rule := range rules {
			if err := s.filterIn(server.Pid, append([]string{how}, rule...)...); err != nil {
				t.Error(err)
			}
		}
	}
	change("-A")
	return func() { change("-D") }
}

// breakWordPress has every request run some PHP first, and returns what takes that away.
func (s *subject) breakWordPress(t *testing.T, code string) (end func()) {
	t.Helper()
	pod, file := s.somePod(t), path.Join(s.content, "mu-plugins", "broken.php")
	s.exec(t, pod, "<?php "+code, "cat >"+file)
	return func() { s.exec(t, pod, "", "rm "+file) }
}

// getKept asks for a page that may be kept, and counts whether it was.
func (*subject) getKept(ctx context.Context, client *load.Client, path, text string, seen *statuses) (load.Reply, error) {
	return client.GetChecked(ctx, path, func(response *http.Response, body []byte) error {
		seen.add(response.Header.Get(statusOfCache))
		if response.StatusCode != http.StatusOK || !strings.Contains(string(body), text) {
			return fmt.Errorf("status %d, %s: %s", response.StatusCode, response.Header.Get(statusOfCache), excerpt(body))
		}
		return nil
	})
}

// statuses count what the cache said of its answers.
type statuses struct {
	mutex  sync.Mutex
	counts map[string]int64
}

func (s *statuses) add(status string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.counts == nil {
		s.counts = map[string]int64{}
	}
	s.counts[status]++
}

// count of those that begin with one.
func (s *statuses) count(beginning string) (count int64) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for status, times := range s.counts {
		if strings.HasPrefix(status, beginning) {
			count += times
		}
	}
	return count
}

func (s *statuses) String() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(s.counts)) {
		parts = append(parts, fmt.Sprintf("%d %q", s.counts[status], status))
	}
	return strings.Join(parts, ", ")
}
