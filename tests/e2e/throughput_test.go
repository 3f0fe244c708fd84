package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"wordpress-on-kubernetes/tests/e2e/evidence"
	"wordpress-on-kubernetes/tests/e2e/load"
)

// The tutorial's own load test: fortio with 8 connections, asking for 1000 requests a second for a minute.
const (
	tutorialConnections = 8
	tutorialPerSecond   = 1000
)

// warmUp fills what is filled by first requests: workers, the opcode cache, the buffer pool.
const warmUp = 10 * time.Second

// TestThroughputAndLatency asks for the front page as fast as it comes, of the contenders in turn, each with three pods of the
// same processor time. Memory is each one's own: the tutorial's pods have 100Mi, and this program's what its workers need.
func TestThroughputAndLatency(t *testing.T) {
	subjects := map[string]*subject{}
	for _, name := range contenders() {
		s := subjectOf(t, name)
		defer s.holdReplicas(t)()
		subjects[name] = s
	}
	runs, duration := pick(1, 5), pick(10*time.Second, time.Minute)
	for _, name := range contenders() {
		subjects[name].frontPages(t, tutorialConnections, warmUp)
	}
	measured := map[string][]load.Report{}
	for range runs {
		for _, name := range contenders() {
			measured[name] = append(measured[name], subjects[name].frontPages(t, tutorialConnections, duration))
		}
	}
	swept := map[string][]load.Report{}
	for connections := 1; connections <= pick(1, 64); connections *= 2 {
		for _, name := range contenders() {
			swept[name] = append(swept[name], subjects[name].frontPages(t, connections, duration/3))
		}
	}
	for _, name := range contenders() {
		subjects[name].keep(t, proof{promise: 13, title: "throughput and latency", rounds: runs, measured: true,
			tried: fmt.Sprintf("front page, made anew for each request, %d connections asking for %d a second for %s after %s to warm up; %d runs in turn; three pods "+
				"of 200m CPU each, the tutorial's with 100Mi of memory and this program's with 384Mi",
				tutorialConnections, tutorialPerSecond, duration, warmUp, runs),
			figure: speeds(measured[name]), figures: speedFigures(measured[name]), requests: requests(measured[name]), failed: failed(measured[name]), details: measured[name],
		}, allAnswered(measured[name]))
		if *long {
			subjects[name].keep(t, proof{promise: 13, part: "sweep", title: "throughput against connections", rounds: len(swept[name]), measured: true,
				tried:  fmt.Sprintf("front page, made anew for each request, 1 to 64 connections, %s each", duration/3),
				figure: sweep(swept[name]), figures: sweepFigures(swept[name]), requests: requests(swept[name]), failed: failed(swept[name]), details: swept[name],
			}, allAnswered(swept[name]))
		}
	}
}

// frontPages has the front page made on so many connections, as fast as it comes.
func (s *subject) frontPages(t *testing.T, connections int, duration time.Duration) load.Report {
	t.Helper()
	return s.pagesAt(t, "/"+anew, tutorialPerSecond, connections, duration)
}

// keptFrontPages asks for the front page, which a cache may have, more often than it can be answered.
func (s *subject) keptFrontPages(t *testing.T, connections int, duration time.Duration) load.Report {
	t.Helper()
	return s.pagesAt(t, "/", askedFor, connections, duration)
}

func (s *subject) pagesAt(t *testing.T, path string, perSecond float64, connections int, duration time.Duration) load.Report {
	t.Helper()
	client := s.crowd(t, true)
	defer client.Close()
	return s.pagesBy(t, client, path, perSecond, connections, duration)
}

func (s *subject) pagesBy(
	t *testing.T, client *load.Client, path string, perSecond float64, connections int, duration time.Duration,
) load.Report {
	t.Helper()
	report, err := load.Measure(t.Context(), load.Stream{
		Name: fmt.Sprintf("front page, %d connections", connections), PerSecond: perSecond, Connections: connections,
		Request: func(ctx context.Context) (load.Reply, error) {
			return client.Get(ctx, path, http.StatusOK, s.article.title)
		},
	}, duration)
	if err != nil {
		t.Fatal(err)
	}
	for _, failure := range report.First {
		t.Logf("failed: %s %q, pod %q: %s", failure.At.Format("15:04:05.000"), failure.Stream, failure.Pod, failure.Reason)
	}
	t.Logf("%s, %d connections: %.1f a second, mean %.1f ms", s.name, connections,
		report.Streams[0].Achieved, 1000*report.Streams[0].Latency.Mean)
	return report
}

// leastForTail is how many requests a run needs before the slowest hundredth of them says anything.
const leastForTail = 300

// measures of several runs, in requests a second and milliseconds.
func measures(reports []load.Report) (rates, means, tails []float64) {
	for _, report := range reports {
		stream := report.Streams[0]
		rates = append(rates, stream.Achieved)
		means = append(means, 1000*stream.Latency.Mean)
		tails = append(tails, 1000*stream.Latency.P99)
	}
	return rates, means, tails
}

// speedFigures are the median, the least and the most of each measure over several runs.
func speedFigures(reports []load.Report) evidence.Figures {
	rates, means, tails := measures(reports)
	found := evidence.Figures{}
	for unit, values := range map[string][]float64{"RequestsPerSecond": rates, "MeanMilliseconds": means, "P99Milliseconds": tails} {
		sorted := slices.Sorted(slices.Values(values))
		found["median"+unit], found["least"+unit], found["most"+unit] = median(sorted), sorted[0], sorted[len(sorted)-1]
	}
	return found
}

func sweepFigures(reports []load.Report) evidence.Figures {
	found := evidence.Figures{}
	for _, report := range reports {
		stream := report.Streams[0]
		name := fmt.Sprintf("connections%d", stream.Connections)
		found[name+"RequestsPerSecond"], found[name+"MeanMilliseconds"] = stream.Achieved, 1000*stream.Latency.Mean
	}
	return found
}

// speeds are medians and spread over several runs.
func speeds(reports []load.Report) string {
	rates, means, tails := measures(reports)
	tail := ""
	if requests(reports)/int64(len(reports)) >= leastForTail {
		tail = fmt.Sprintf(", p99 %s ms", spreadOf(tails))
	}
	return fmt.Sprintf("%s requests a second; mean %s ms%s; %d of %d failed",
		spreadOf(rates), spreadOf(means), tail, failed(reports), requests(reports))
}

// spreadOf is the median, with the least and the most.
func spreadOf(values []float64) string {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 1 {
		return fmt.Sprintf("%.1f", sorted[0])
	}
	return fmt.Sprintf("%.1f (%.1f to %.1f)", median(sorted), sorted[0], sorted[len(sorted)-1])
}

func sweep(reports []load.Report) string {
	text := ""
	for i, report := range reports {
		if i > 0 {
			text += ", "
		}
		stream := report.Streams[0]
		text += fmt.Sprintf("%d: %.1f/s at %.0f ms", stream.Connections, stream.Achieved, 1000*stream.Latency.Mean)
	}
	return text
}

func requests(reports []load.Report) (sum int64) {
	for _, report := range reports {
		sum += report.Requests
	}
	return sum
}

func failed(reports []load.Report) (sum int64) {
	for _, report := range reports {
		sum += report.Failed
	}
	return sum
}

func allAnswered(reports []load.Report) error {
	if count := failed(reports); count > 0 {
		return fmt.Errorf("%d of %d requests failed", count, requests(reports))
	}
	return nil
}
