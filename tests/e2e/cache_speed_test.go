package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wordpress-on-kubernetes/tests/e2e/evidence"
	"wordpress-on-kubernetes/tests/e2e/load"
)

const (
	// askedFor is more than two pods of cacheCPU can answer, and steadyPerSecond is what they can.
	askedFor, steadyPerSecond = 5000, 1000
	// mostSwept is the most connections that the tutorial's best number of them is looked for among.
	mostSwept = 32
	// leastPairs of runs in turn.
	leastPairs = 5
)

// sameProcessorTime is as much for all pods that make or keep pages as the tutorial's three pods of 200m have.
var sameProcessorTime = map[string]string{
	cacheEnabled: "true", "wordpress:cache.resources.cpu": "60m", "wordpress:frontend.resources.cpu": "240m",
}

// split says what sameProcessorTime is.
const split = "two pods of the cache of 60m CPU each and two of WordPress of 240m, against the tutorial's three of 200m"

// TestKeptPagesAreFast asks for the front page as fast as it comes, in turn with the tutorial's site, each with the same processor time for
// all pods that make or keep pages; then at a fixed rate, while pages come to their end and a change is made. The edge, its TLS and the load
// itself take this machine's processors too, so the pods are also asked without an edge.
func TestKeptPagesAreFast(t *testing.T) {
	needTime(t)
	other := subjectOf(t, tutorial)
	defer other.holdReplicas(t)()
	s := newCached(t, "fast", sameProcessorTime)
	s.deploy(t)
	s.fill(t)
	s.awaitKept(t)
	run := pick(15*time.Second, time.Minute)
	edge, straight := s.crowd(t, true), s.straightToCache(t)
	defer edge.Close()
	defer straight.Close()
	other.frontPages(t, tutorialConnections, warmUp)
	best, swept := other.bestConnections(t, run/3)
	kept := func(client *load.Client, duration time.Duration) load.Report {
		return s.pagesBy(t, client, "/", askedFor, tutorialConnections, duration)
	}
	kept(edge, warmUp)
	var mine, alone, theirs, theirBest []load.Report
	for range pick(2, leastPairs) {
		theirs = append(theirs, other.frontPages(t, tutorialConnections, run))
		mine = append(mine, kept(edge, run))
		theirBest = append(theirBest, other.frontPages(t, best, run))
		alone = append(alone, kept(straight, run))
	}
	most := s.mostMemory(t)
	s.contender.(*program).change(t, "wordpress:cache.ttlSeconds", steadyTTL)
	s.awaitKept(t)
	steady, ofEdge := s.steadily(t, edge, "A guestbook, edited")
	again := s.straightToCache(t)
	defer again.Close()
	steadyAlone, ofPods := s.steadily(t, again, "A guestbook, edited again")
	most = max(most, s.mostMemory(t))
	ratios, atBest, atPods := ratiosOf(mine, theirs), ratiosOf(mine, theirBest), ratiosOf(alone, theirs)
	figures := speedFigures(mine)
	for name, all := range map[string][]float64{"anonymousRatio": ratios, "anonymousRatioAtBest": atBest, "straightAnonymousRatio": atPods} {
		figures[name] = median(slices.Sorted(slices.Values(all)))
	}
	figures["bestConnections"] = float64(best)
	figures["p99Milliseconds"], figures["steadyPerSecond"] = tailOf(steady)
	figures["straightP99Milliseconds"], figures["straightSteadyPerSecond"] = tailOf(steadyAlone)
	figures["memoryMiB"] = most
	all := slices.Concat(mine, alone, []load.Report{steady, steadyAlone})
	s.keep(t, proof{promise: 35, part: "front page", title: cacheIsFast, rounds: len(mine), measured: true,
		tried: fmt.Sprintf("front page, %d connections asking for %d a second for %s, through the edge, and of the cache's pods without an edge, in turn "+
			"with the tutorial's site through the edge on as many connections and on the %d that it is fastest with of 1 to %d; %d rounds; %s. Then %d a second "+
			"for %s both ways, with pages that are kept for %s s and a change in the middle. Edge, load and all pods share two processors",
			tutorialConnections, askedFor, run, best, mostSwept, len(mine), split, steadyPerSecond, 2*steadyHalf, steadyTTL),
		figure: fmt.Sprintf("%s times as many pages as the tutorial's site, %s times at its best, %s times without an edge: %s and without an edge %s, against %s "+
			"and %s a second; asked for %d a second: %.0f with p99 %.1f ms, without an edge %.0f with p99 %.1f ms; a pod takes %.0f MiB at most",
			spreadOf(ratios), spreadOf(atBest), spreadOf(atPods), spreadOf(achieved(mine)), spreadOf(achieved(alone)), spreadOf(achieved(theirs)),
			spreadOf(achieved(theirBest)), steadyPerSecond, figures["steadyPerSecond"], figures["p99Milliseconds"],
			figures["straightSteadyPerSecond"], figures["straightP99Milliseconds"], most),
		figures: figures, requests: requests(all), failed: failed(all),
		details: map[string][]load.Report{
			"kept": mine, "kept, without an edge": alone, "tutorial": theirs, "tutorial at its best": theirBest, "sweep": swept,
			"steady": {steady}, "steady, without an edge": {steadyAlone},
		},
	}, errors.Join(ofEdge, ofPods, allAnswered(all)))
}

// straightToCache asks the cache's pods in turn, with no edge between.
func (s *subject) straightToCache(t *testing.T) *load.Client {
	t.Helper()
	found, err := s.project.Endpoints()
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := url.Parse(found.Proxy)
	if err != nil {
		t.Fatal(err)
	}
	pods, err := s.kubernetes.readyPods(t.Context(), cacheSelector)
	if err != nil || len(pods) == 0 {
		t.Fatalf("%d pods of the cache are ready: %v", len(pods), err)
	}
	var connections atomic.Uint64
	client, err := load.NewClient("http://"+s.host, true, func() (*http.Transport, error) {
		return &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			pod := pods[(connections.Add(1)-1)%uint64(len(pods))]
			return tunnel(ctx, proxy.Host, net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(cachePort)))
		}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// tailOf a run is its p99 in milliseconds, and how many were answered a second.
func tailOf(report load.Report) (p99, perSecond float64) {
	return 1000 * report.Streams[0].Latency.P99, report.Streams[0].Achieved
}

// bestConnections is the number of connections with which the site makes the most pages.
func (s *subject) bestConnections(t *testing.T, each time.Duration) (best int, swept []load.Report) {
	t.Helper()
	most := 0.0
	for connections := 1; connections <= mostSwept; connections *= 2 {
		report := s.frontPages(t, connections, each)
		swept = append(swept, report)
		if report.Streams[0].Achieved > most {
			best, most = connections, report.Streams[0].Achieved
		}
	}
	return best, swept
}

const (
	// steadyTTL in seconds lets pages come to their end within a run.
	steadyTTL = "20"
	// steadyHalf is how long the fixed rate is asked for before a change, and again after it.
	steadyHalf = 30 * time.Second
)

// steadily asks for as much as the pods are meant to answer, while pages come to their end and a page gets a title.
func (s *subject) steadily(t *testing.T, client *load.Client, title string) (load.Report, error) {
	t.Helper()
	var seen statuses
	run := load.Start(t.Context(), load.Stream{
		Name: "front page", PerSecond: steadyPerSecond, Connections: tutorialConnections,
		Request: func(ctx context.Context) (load.Reply, error) {
			return s.getKept(ctx, client, "/", s.article.title, &seen)
		},
	})
	hold(t, steadyHalf)
	problem := s.visitor.retitle(t.Context(), s.guestbook, title)
	hold(t, steadyHalf)
	report := run.Stop()
	t.Logf("answers by %s: %s", statusOfCache, &seen)
	if seen.count(stale) == 0 || seen.count(miss) == 0 {
		problem = errors.Join(problem, fmt.Errorf("no page came to its end, or none was changed: %s", &seen))
	}
	return report, problem
}

// mostMemory of a pod of the cache, in MiB.
func (s *subject) mostMemory(t *testing.T) (most float64) {
	t.Helper()
	pods, err := s.kubernetes.readyPods(t.Context(), cacheSelector)
	if err != nil || len(pods) == 0 {
		t.Fatalf("%d pods of the cache are ready: %v", len(pods), err)
	}
	for _, pod := range pods {
		group, err := groupOf(&pod)
		if err != nil {
			t.Fatal(err)
		}
		bytes, err := group.workingSet()
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, float64(bytes)/(1<<20))
	}
	return most
}

// ratiosOf are how many times as much was reached in each of several runs as in those beside them.
func ratiosOf(mine, theirs []load.Report) (ratios []float64) {
	for i, report := range mine {
		ratios = append(ratios, report.Streams[0].Achieved/theirs[i].Streams[0].Achieved)
	}
	return ratios
}

func achieved(reports []load.Report) (rates []float64) {
	rates, _, _ = measures(reports)
	return rates
}

// TestAdministratorIsFast asks for the dashboard and the front page as the administrator, whose pages nobody keeps, in turn with the
// tutorial's site as it is, and then with as much memory as WordPress's pods have here.
func TestAdministratorIsFast(t *testing.T) {
	needTime(t)
	other := subjectOf(t, tutorial)
	defer other.holdReplicas(t)()
	s := newCached(t, "administrator", sameProcessorTime)
	s.deploy(t)
	s.fill(t)
	figures := evidence.Figures{}
	asItIs := s.administratorsPages(t, other, figures, "")
	defer other.withMemory(t, s.memoryOf(t))()
	roomy := s.administratorsPages(t, other, figures, "sameMemory")
	figures["loggedInRatio"] = slices.Min(slices.Collect(maps.Values(figures)))
	all := slices.Concat(asItIs.mine["/"], asItIs.mine[dashboard], roomy.mine["/"], roomy.mine[dashboard])
	s.keep(t, proof{promise: 35, part: "administrator", title: cacheIsFast, rounds: len(asItIs.mine["/"]), measured: true,
		tried: fmt.Sprintf("dashboard and front page as the administrator, %d connections with a session each, as fast as they come for %s, in turn "+
			"with the tutorial's site, as it is and with as much memory as WordPress's pods have here; %s", tutorialConnections, administratorRun(), split),
		figure:  asItIs.sentence + "; with the same memory: " + roomy.sentence,
		figures: figures, requests: requests(all), failed: failed(all),
		details: map[string]map[string]map[string][]load.Report{
			"as it is": {"ours": asItIs.mine, "tutorial": asItIs.theirs}, "same memory": {"ours": roomy.mine, "tutorial": roomy.theirs},
		},
	}, allAnswered(all))
}

// dashboard of WordPress.
const dashboard = "/wp-admin/"

func administratorRun() time.Duration { return pick(15*time.Second, 30*time.Second) }

// comparedPages are reports by path.
type comparedPages struct {
	mine, theirs map[string][]load.Report
	sentence     string
}

// administratorsPages asks both sites for them in turn, and adds the ratios to the figures.
func (s *subject) administratorsPages(t *testing.T, other *subject, figures evidence.Figures, prefix string) comparedPages {
	t.Helper()
	paths := []string{dashboard, "/"}
	of := comparedPages{mine: map[string][]load.Report{}, theirs: map[string][]load.Report{}}
	mySessions, theirSessions := s.sessions(t), other.sessions(t)
	for _, path := range paths {
		other.pagesOf(t, theirSessions, path, warmUp)
		s.pagesOf(t, mySessions, path, warmUp)
	}
	for range pick(2, leastPairs) {
		for _, path := range paths {
			of.theirs[path] = append(of.theirs[path], other.pagesOf(t, theirSessions, path, administratorRun()))
			of.mine[path] = append(of.mine[path], s.pagesOf(t, mySessions, path, administratorRun()))
		}
	}
	var sentence []string
	for path, name := range map[string]string{dashboard: "dashboardRatio", "/": "loggedInFrontPageRatio"} {
		if prefix != "" {
			name = prefix + strings.ToUpper(name[:1]) + name[1:]
		}
		figures[name] = median(slices.Sorted(slices.Values(ratiosOf(of.mine[path], of.theirs[path]))))
	}
	for i, path := range paths {
		sentence = append(sentence, fmt.Sprintf("%s: %s times as many (%s against %s a second)", []string{"dashboard", "front page"}[i],
			spreadOf(ratiosOf(of.mine[path], of.theirs[path])), spreadOf(achieved(of.mine[path])), spreadOf(achieved(of.theirs[path]))))
	}
	of.sentence = strings.Join(sentence, ", ")
	return of
}

// memoryOf WordPress's container.
func (s *subject) memoryOf(t *testing.T) string {
	t.Helper()
	now, err := s.kubernetes.deployment(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return now.Spec.Template.Spec.Containers[0].Resources.Limits.Memory().String()
}

// withMemory has the tutorial's pods have so much, and returns what takes that back.
func (s *subject) withMemory(t *testing.T, memory string) (restore func()) {
	t.Helper()
	before := s.memoryOf(t)
	set := func(memory string) {
		of := map[string]string{"memory": memory}
		s.contender.(*manifests).patch(t, map[string]any{"resources": map[string]any{"requests": of, "limits": of}})
		s.awaitGone(t)
	}
	set(memory)
	return func() { set(before) }
}
