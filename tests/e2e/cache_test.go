package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"wordpress-on-kubernetes/tests/e2e/evidence"
	"wordpress-on-kubernetes/tests/e2e/load"
)

// What the table says of the promises.
const (
	cacheIsPut   = "visitors are led over to a cache and back"
	cacheForgets = "a change shows at once on every pod of the cache"
	cacheStands  = "kept pages outlive WordPress and MySQL"
)

const cacheIsFast = "kept pages are fast"

const (
	cacheEnabled  = "wordpress:cache.enabled"
	cacheSelector = "app.kubernetes.io/component=cache"
	cachePort     = 8080
	statusOfCache = "Cache-Status"
)

// newCached is a site beside the others, with as many pods as the cache has.
func newCached(t *testing.T, name string, more map[string]string) *subject {
	t.Helper()
	settings := map[string]string{
		"wordpress:frontend.replicas":      "2",
		"wordpress:frontend.resources.cpu": "200m",
		"wordpress:frontend.drainSeconds":  pick("5", "20"),
		"wordpress:autoscaling.enabled":    "false",
		loginRate:                          "6000",
		loginBurst:                         "1000",
	}
	for path, value := range more {
		settings[path] = value
	}
	s := newBeside(t, name, settings)
	t.Cleanup(func() { s.giveUpBoot(t, t.Failed()) })
	return s
}

// anybody visits the site through the edge, and is nobody that the site knows.
func (s *subject) anybody(t *testing.T) *site {
	t.Helper()
	visitor, err := throughEdge(s.host, s.project)
	if err != nil {
		t.Fatal(err)
	}
	return visitor
}

// eachCache visits every pod of the cache as the edge does for a visitor over HTTPS.
func (s *subject) eachCache(ctx context.Context, visit func(get func(path string) (answer, error)) error) error {
	found, err := s.project.Endpoints()
	if err != nil {
		return err
	}
	pods, err := s.kubernetes.readyPods(ctx, cacheSelector)
	if err != nil {
		return err
	}
	if len(pods) < 2 {
		return fmt.Errorf("%d pods of the cache are ready, want at least 2", len(pods))
	}
	for _, pod := range pods {
		visitor, visitErr := straightTo(pod.Status.PodIP, cachePort, s.host, found.Proxy)
		if visitErr == nil {
			visitErr = visit(func(path string) (answer, error) {
				return visitor.do(ctx, http.MethodGet, path, "", nil, http.Header{"X-Forwarded-Proto": {"https"}})
			})
		}
		if visitErr != nil {
			err = errors.Join(err, fmt.Errorf("pod %s on %s: %w", pod.Name, pod.Spec.NodeName, visitErr))
		}
	}
	return err
}

// keeps asks every pod of the cache for a page until it is kept, with a text: in its first minute, a pod keeps pages for moments.
func (s *subject) keeps(ctx context.Context, path, text string) error {
	return s.eachCache(ctx, func(get func(string) (answer, error)) error {
		var last error
		for range 5 {
			page, err := get(path)
			switch {
			case err != nil:
				return err
			case page.status == http.StatusOK && strings.HasPrefix(page.header.Get(statusOfCache), "wordpress; hit") &&
				strings.Contains(string(page.body), text):
				return nil
			}
			last = fmt.Errorf("%s: status %d, %s, want it kept, with %q", path, page.status, page.header.Get(statusOfCache), text)
		}
		return last
	})
}

// TestVisitorsAreLedOverToACache puts a cache before a site in use, under load, and takes it away again.
func TestVisitorsAreLedOverToACache(t *testing.T) {
	sideBySide(t)
	s := newCached(t, "led", nil)
	p := s.contender.(*program)
	s.deploy(t)
	s.fill(t)
	visits := s.visit(t)
	awaitRequests(t, visits)
	var problem error
	rounds := pick(1, 3)
	for round := range rounds {
		visits.Phase(fmt.Sprintf("on %d", round+1))
		p.change(t, cacheEnabled, "true")
		awaitRequests(t, visits)
		page, err := s.anybody(t).get(t.Context(), s.article.path)
		if status := page.header.Get(statusOfCache); err != nil || !strings.HasPrefix(status, "wordpress; ") {
			problem = errors.Join(problem, fmt.Errorf("visitors are not led through the cache: status %d, %q: %w", page.status, status, err))
		}
		problem = errors.Join(problem, s.keeps(t.Context(), s.article.path, s.article.title))
		visits.Phase(fmt.Sprintf("off %d", round+1))
		p.change(t, cacheEnabled, "false")
		awaitRequests(t, visits)
		if page, err = s.anybody(t).get(t.Context(), s.article.path); err != nil || page.header.Get(statusOfCache) != "" {
			problem = errors.Join(problem, fmt.Errorf("visitors are not led past the cache: status %d: %w", page.status, err))
		}
	}
	report, failed := s.settled(t, visits)
	s.keep(t, proof{promise: 32, part: "on and off", title: cacheIsPut, rounds: rounds,
		tried:   "cache.enabled turned on and off again by `pulumi up`, for a site in use, under the load of visitors",
		figure:  failures(report) + ", " + slowest(report),
		figures: visitFigures(report), requests: report.Requests, failed: report.Failed, details: report}, errors.Join(problem, failed))
}

// TestKeptPagesOutliveWordPress takes away MySQL, and then every pod of WordPress, for longer than a page is kept.
func TestKeptPagesOutliveWordPress(t *testing.T) {
	needLong(t)
	s := newCached(t, "outlives", map[string]string{cacheEnabled: "true", "wordpress:cache.ttlSeconds": "5"})
	s.deploy(t)
	s.fill(t)
	await(t, "both pods keep the article", func(ctx context.Context) error { return s.keeps(ctx, s.article.path, s.article.title) })
	await(t, "both pods keep the front page", func(ctx context.Context) error { return s.keeps(ctx, "/", s.article.title) })

	await(t, "the pods of the cache are older than a minute", func(ctx context.Context) error {
		pods, err := s.kubernetes.readyPods(ctx, cacheSelector)
		for _, pod := range pods {
			if age := time.Since(pod.CreationTimestamp.Time); age < 70*time.Second {
				err = errors.Join(err, fmt.Errorf("pod %s is %s old", pod.Name, age))
			}
		}
		return err
	})
	changed := s.changesShow(t)
	for _, fault := range []struct{ part, tried, workload string }{
		{"MySQL", "MySQL stopped", s.databaseWorkload},
		{"WordPress", "every pod of WordPress stopped", "deployment/" + deploymentName},
	} {
		s.outage(t, fault.part, fault.tried, fault.workload)
	}
	if changed != nil {
		t.Error(changed)
	}
}

// changesShow edits the article, and looks how long it takes until each pod of the cache shows it.
func (s *subject) changesShow(t *testing.T) error {
	t.Helper()
	const within = time.Second
	var slowest time.Duration
	var problem error
	rounds := pick(3, 20)
	for round := range rounds {
		title := fmt.Sprintf("A post that must stay, edition %d", round+1)
		problem = errors.Join(problem, s.keeps(t.Context(), s.article.path, s.article.title))
		if err := s.visitor.retitle(t.Context(), s.article, title); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		s.article.title = title
		await(t, "every pod of the cache shows the change", func(ctx context.Context) error {
			return s.eachCache(ctx, func(get func(string) (answer, error)) error {
				page, err := get(s.article.path)
				if err == nil && !strings.Contains(string(page.body), title) {
					err = errors.New("it shows what was there before")
				}
				return err
			})
		})
		slowest = max(slowest, time.Since(begun))
	}
	if slowest > within+time.Second { // a look takes as long as a page does
		problem = errors.Join(problem, fmt.Errorf("a change showed after %s", slowest))
	}
	s.keep(t, proof{promise: 33, part: "change", title: cacheForgets, rounds: rounds,
		tried:   "an article that both pods keep is edited, and asked of each of them",
		figure:  fmt.Sprintf("each edition was shown by every pod at the latest %.1f s after WordPress had answered the editor, the making of the page included", slowest.Seconds()),
		figures: evidence.Figures{"slowestSeconds": slowest.Seconds()}}, problem)
	return problem
}

// outage stops a workload, visits kept pages for several times as long as they are kept, and starts it again.
func (s *subject) outage(t *testing.T, part, tried, workload string) {
	t.Helper()
	problem := errors.Join(s.keeps(t.Context(), s.article.path, s.article.title), s.keeps(t.Context(), "/", s.article.title))
	client := s.crowd(t, true)
	kept := func(path string) func(context.Context) (load.Reply, error) {
		return func(ctx context.Context) (load.Reply, error) {
			return client.Get(ctx, path, http.StatusOK, s.article.title)
		}
	}
	perSecond := pick(50.0, 500.0)
	run := load.Start(t.Context(),
		load.Stream{Name: pageStream, PerSecond: perSecond, Connections: 4, Request: kept(s.article.path)},
		load.Stream{Name: "front page", PerSecond: perSecond, Connections: 4, Request: kept("/")},
	)
	kubectl(t, s.project, "", "scale", "-n", s.namespace, workload, "--replicas=0")
	time.Sleep(pick(20*time.Second, 6*time.Minute)) // several lives of a kept page
	replicas := "1"
	if strings.HasPrefix(workload, "deployment/") {
		replicas = "2"
	}
	kubectl(t, s.project, "", "scale", "-n", s.namespace, workload, "--replicas="+replicas)
	await(t, "WordPress makes pages again", func(ctx context.Context) error {
		page, err := s.anybody(t).get(ctx, "/?s=nothing")
		if err == nil && page.status != http.StatusOK {
			err = fmt.Errorf("status %d", page.status)
		}
		return err
	})
	report := run.Stop()
	for _, failure := range report.First {
		t.Logf("failed: %s %q: %s", failure.At.Format("15:04:05.000"), failure.Stream, failure.Reason)
	}
	if report.Failed > 0 {
		problem = errors.Join(problem, fmt.Errorf("%d of %d requests failed", report.Failed, report.Requests))
	}
	s.keep(t, proof{promise: 34, part: part, title: cacheStands, rounds: 1,
		tried:   tried + ", while kept pages are visited, for longer than they are kept",
		figure:  failures(report),
		figures: evidence.Figures{"outageFailed": float64(report.Failed)}, requests: report.Requests, failed: report.Failed, details: report}, problem)
}

// TestKeptPagesAreFast asks for the front page as fast as it comes, in turn with the tutorial's site, each with the same processor time for
// all pods that make or keep pages; then at a fixed rate, while pages come to their end and a change is made.
func TestKeptPagesAreFast(t *testing.T) {
	needLong(t)
	const split = "two pods of the cache of 60m CPU each and two of WordPress of 240m"
	const askedFor, steady = 5000, 1000
	other := subjectOf(t, tutorial)
	defer other.holdReplicas(t)()
	s := newCached(t, "fast", map[string]string{
		cacheEnabled: "true", "wordpress:cache.resources.cpu": "60m", "wordpress:frontend.resources.cpu": "240m", "wordpress:cache.ttlSeconds": "20",
	})
	s.deploy(t)
	s.fill(t)
	await(t, "both pods keep the front page", func(ctx context.Context) error { return s.keeps(ctx, "/", s.article.title) })
	other.frontPages(t, tutorialConnections, warmUp)
	s.frontPagesAt(t, askedFor, tutorialConnections, warmUp)
	var ratios []float64
	var mine, theirs []load.Report
	for range 5 {
		theirs = append(theirs, other.frontPages(t, tutorialConnections, time.Minute))
		mine = append(mine, s.frontPagesAt(t, askedFor, tutorialConnections, time.Minute))
		ratios = append(ratios, mine[len(mine)-1].Streams[0].Achieved/theirs[len(theirs)-1].Streams[0].Achieved)
	}
	changed := make(chan error, 1)
	go func() {
		time.Sleep(30 * time.Second) // the middle of the run
		changed <- s.visitor.retitle(t.Context(), s.guestbook, "A guestbook, edited")
	}()
	tail := s.frontPagesAt(t, steady, tutorialConnections, time.Minute)
	problem := errors.Join(<-changed, allAnswered(append(mine, tail)))
	figures := speedFigures(mine)
	figures["anonymousRatio"], figures["p99Milliseconds"] = median(slices.Sorted(slices.Values(ratios))), 1000*tail.Streams[0].Latency.P99
	s.keep(t, proof{promise: 35, title: cacheIsFast, rounds: len(ratios), measured: true,
		tried: fmt.Sprintf("front page, %d connections asking for %d a second for a minute, in turn with the tutorial's site of three pods of 200m, "+
			"%d pairs; %s; pages live for 20 s. Then %d a second for a minute, with a change in the middle", tutorialConnections, askedFor, len(ratios), split, steady),
		figure: fmt.Sprintf("%s times as many pages as the tutorial's site: %s against %s a second; at %d a second p99 %.1f ms",
			spreadOf(ratios), spreadOf(achieved(mine)), spreadOf(achieved(theirs)), steady, 1000*tail.Streams[0].Latency.P99),
		figures: figures, requests: requests(mine), failed: failed(mine), details: map[string][]load.Report{"kept": mine, "tutorial": theirs, "steady": {tail}},
	}, problem)
}

func achieved(reports []load.Report) (rates []float64) {
	rates, _, _ = measures(reports)
	return rates
}
