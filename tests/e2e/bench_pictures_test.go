package e2e

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"wordpress-on-kubernetes/tests/e2e/load"
	"wordpress-on-kubernetes/tests/e2e/plots"
	"wordpress-on-kubernetes/tests/stack"
)

var benchSeconds = flag.Int("bench.seconds", 4, "how many seconds each run of a picture's figures lasts; fewer are for trying whether it works")

const (
	// runsOfPoint of which a picture shows the median, the least and the most.
	runsOfPoint = 3
	// benchMillicores are those of the tutorial's three pods of 200m, which the pods of the cache and of WordPress share.
	benchMillicores = 600
	// mostAsking connections at a time.
	mostAsking = 64
	// anewPerSecond is about half of what two pods of 200m make.
	anewPerSecond = 4.0
	// aroundRollout is how long pages are asked for before a rollout, so that it can be seen what was usual.
	aroundRollout = 15 * time.Second
	// keptWarmUp lets the load get under way.
	keptWarmUp = 2 * time.Second
)

// splitsTried are the millicores that the cache's two pods have together. WordPress's two have the rest.
var splitsTried = []int{40, 80, 120, 200, 300}

// splitSettings divide benchMillicores.
func splitSettings(cache int) map[string]string {
	return map[string]string{
		"wordpress:cache.resources.cpu":    fmt.Sprintf("%dm", cache/2),
		"wordpress:frontend.resources.cpu": fmt.Sprintf("%dm", (benchMillicores-cache)/2),
	}
}

// benchSplits has the cache and WordPress share the same processor time in other ways, and measures what each split is good for.
func benchSplits(t *testing.T) {
	found := plots.Splits{
		Taken: takenNow(t), TotalMillicores: benchMillicores, Connections: tutorialConnections, Runs: runsOfPoint, Seconds: *benchSeconds,
	}
	settings := splitSettings(splitsTried[0])
	settings[cacheEnabled] = "true"
	s := newCached(t, "splits", settings)
	s.deploy(t)
	s.fill(t)
	administrators := s.sessions(t)
	for i, cache := range splitsTried {
		if i > 0 {
			s.divide(t, cache)
		}
		found.Points = append(found.Points, s.measureSplit(t, administrators, cache))
	}
	publishFigures(t, s.project, func(figures *plots.Figures) { figures.Splits = &found })
	for _, point := range found.Points {
		noneFailed(t, fmt.Sprintf("%dm for the cache", point.CacheMillicores), point.Kept, point.Administrator)
	}
}

// divide changes the split, and returns when pods of the new one alone are there.
func (s *subject) divide(t *testing.T, cache int) {
	t.Helper()
	p := s.contender.(*program)
	for path, value := range splitSettings(cache) {
		p.set(t, path, value)
	}
	p.up(t)
	s.kubernetes.awaitRollout(t)
	s.awaitGone(t)
	s.awaitCache(t)
}

// measureSplit measures what an administrator gets while the pods of the cache are too young to keep pages for long, and then what is kept.
func (s *subject) measureSplit(t *testing.T, administrators sessions, cache int) plots.Split {
	t.Helper()
	var made, kept []load.Report
	s.pagesOf(t, administrators, "/", warmUp)
	for range runsOfPoint {
		made = append(made, s.pagesOf(t, administrators, "/", benchRun()))
	}
	s.awaitKept(t)
	s.keptFrontPages(t, tutorialConnections, keptWarmUp)
	for range runsOfPoint {
		kept = append(kept, s.keptFrontPages(t, tutorialConnections, benchRun()))
	}
	return plots.Split{CacheMillicores: cache, Kept: rateOf(kept), Administrator: rateOf(made)}
}

// benchRollout looks how long pages take, second by second, while all pods of WordPress and then all of the cache are replaced.
func benchRollout(t *testing.T) {
	found := plots.Rollout{Taken: takenNow(t)}
	s := newCached(t, "rollout", map[string]string{cacheEnabled: "true", "wordpress:frontend.drainSeconds": "20"})
	s.deploy(t)
	s.fill(t)
	s.awaitKept(t)
	client := s.crowd(t, true)
	defer client.Close()
	var seen statuses
	kept, anewly := load.NewTimeline(), load.NewTimeline()
	run := load.Start(t.Context(),
		load.Stream{Name: "kept front page", PerSecond: lossPerSecond, Connections: 8, Request: kept.Watch(s.keptPage(client, "/", &seen))},
		load.Stream{Name: "front page made anew", PerSecond: anewPerSecond, Connections: 8, Request: anewly.Watch(
			func(ctx context.Context) (load.Reply, error) {
				return s.getKept(ctx, client, "/"+anew, s.article.title, &statuses{})
			})},
	)
	phase := func(name string, roll func()) {
		hold(t, aroundRollout)
		begun := kept.Since()
		roll()
		found.Phases = append(found.Phases, plots.Phase{
			Name: name, From: plots.Round(begun.Seconds()), Until: plots.Round(kept.Since().Seconds()),
		})
	}
	phase("WordPress is restarted", func() {
		kubectl(t, s.project, "", "rollout", "restart", "-n", s.namespace, "deployment", deploymentName)
		s.kubernetes.awaitRollout(t)
		s.awaitGone(t)
	})
	phase("the cache is restarted", func() { s.rollCache(t) })
	hold(t, aroundRollout)
	report := run.Stop()
	for _, failure := range report.First {
		t.Logf("failed: %s %q, pod %q: %s", failure.At.Format("15:04:05.000"), failure.Stream, failure.Pod, failure.Reason)
	}
	t.Logf("answers by %s: %s", statusOfCache, &seen)
	found.Kept, found.Anew = latenciesOf(lossPerSecond, kept), latenciesOf(anewPerSecond, anewly)
	publishFigures(t, s.project, func(figures *plots.Figures) { figures.Rollout = &found })
}

// latenciesOf a timeline in milliseconds.
func latenciesOf(perSecond float64, line *load.Timeline) plots.Latencies {
	const leastForP99 = 100
	found := plots.Latencies{PerSecond: perSecond}
	milliseconds := func(took time.Duration) float64 { return plots.Round(1000 * took.Seconds()) }
	for _, second := range line.Seconds() {
		found.Requests += second.Requests
		found.Failed += second.Failed
		found.Seconds = append(found.Seconds, second.At)
		found.P50, found.Max = append(found.P50, milliseconds(second.P50)), append(found.Max, milliseconds(second.Max))
		if perSecond >= leastForP99 {
			found.P99 = append(found.P99, milliseconds(second.P99))
		}
	}
	return found
}

// asking is a site that is asked for its front page, kept or made anew.
type asking struct {
	name string
	ask  func(connections int) load.Report
}

// benchConnections asks this program's site and the tutorial's on more and more connections.
func benchConnections(t *testing.T) {
	needNodes(t)
	found := plots.Connections{Taken: takenNow(t), Runs: runsOfPoint, Seconds: *benchSeconds}
	s := newCached(t, "connections", sameProcessorTime)
	s.deploy(t)
	s.fill(t)
	other := subjectOf(t, tutorial) // comes up while the pods of the cache grow old enough
	defer other.holdReplicas(t)()
	s.awaitKept(t)
	measured := measureConnections([]asking{
		{"kept front page", func(connections int) load.Report { return s.keptFrontPages(t, connections, benchRun()) }},
		{"front page made anew", func(connections int) load.Report { return s.frontPages(t, connections, benchRun()) }},
		{"front page of the tutorial's manifests", func(connections int) load.Report { return other.frontPages(t, connections, benchRun()) }},
	})
	for _, column := range measured {
		found.Columns = append(found.Columns, column.points())
	}
	publishFigures(t, s.project, func(figures *plots.Figures) { figures.Connections = &found })
	for _, column := range found.Columns {
		for _, point := range column.Points {
			noneFailed(t, fmt.Sprintf("%s, %d connections", column.Name, point.Connections), point.PerSecond)
		}
	}
}

// swept is what a site gave, by the number of connections, in the order of the runs.
type swept struct {
	name    string
	reports map[int][]load.Report
}

// measureConnections asks all in turn, so that what else goes on meets them alike.
func measureConnections(all []asking) []swept {
	measured := make([]swept, 0, len(all))
	for _, one := range all {
		measured = append(measured, swept{one.name, map[int][]load.Report{}})
	}
	for range runsOfPoint {
		for connections := 1; connections <= mostAsking; connections *= 2 {
			for i, one := range all {
				measured[i].reports[connections] = append(measured[i].reports[connections], one.ask(connections))
			}
		}
	}
	return measured
}

func (s swept) points() plots.Column {
	column := plots.Column{Name: s.name}
	for connections := 1; connections <= mostAsking; connections *= 2 {
		_, means, _ := measures(s.reports[connections])
		column.Points = append(column.Points, plots.Asked{
			Connections: connections, PerSecond: rateOf(s.reports[connections]), Mean: plots.SpreadOf(means),
		})
	}
	return column
}

func benchRun() time.Duration { return time.Duration(*benchSeconds) * time.Second }

// rateOf runs counts what was answered: a request that fails is no page, however fast.
func rateOf(reports []load.Report) plots.Rate {
	var rates []float64
	for _, report := range reports {
		stream := report.Streams[0]
		rates = append(rates, stream.Achieved*float64(stream.Requests-stream.Failed)/float64(max(stream.Requests, 1)))
	}
	return plots.Rate{Spread: plots.SpreadOf(rates), Requests: requests(reports), Failed: failed(reports)}
}

// noneFailed tells whoever measures that a picture shows more than how fast the sites are. It is drawn all the same.
func noneFailed(t *testing.T, what string, rates ...plots.Rate) {
	t.Helper()
	for _, rate := range rates {
		if rate.Failed > 0 {
			t.Errorf("%s: %d of %d requests failed", what, rate.Failed, rate.Requests)
		}
	}
}

// takenNow says on what figures are measured from now on.
func takenNow(t *testing.T) plots.Taken {
	t.Helper()
	project, err := stack.Open("dev", "")
	if err != nil {
		t.Fatal(err)
	}
	found, err := project.Endpoints()
	if err != nil {
		t.Fatal(err)
	}
	commit, err := commitOf(t.Context(), project)
	if err != nil {
		t.Fatal(err)
	}
	return plots.Taken{Date: time.Now().UTC().Format(time.DateOnly), Commit: commit, Machine: machine(), Nodes: found.Nodes}
}

// publishFigures puts what was measured in its place in docs/benchmarks.json, and draws the pictures of all that is there then.
func publishFigures(t *testing.T, project *stack.Project, put func(*plots.Figures)) {
	t.Helper()
	docs := filepath.Join(project.Repo, "docs")
	figures, err := plots.Read(docs)
	if err != nil {
		t.Fatal(err)
	}
	put(&figures)
	if err := figures.Write(docs); err != nil {
		t.Fatal(err)
	}
}
