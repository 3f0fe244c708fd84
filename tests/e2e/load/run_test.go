package load_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"wordpress-on-kubernetes/tests/e2e/load"
)

// runQuietly makes the test binary send some load and do nothing else.
const runQuietly = "LOAD_TEST_RUN_QUIETLY"

func TestMain(m *testing.M) {
	if os.Getenv(runQuietly) != "" {
		stream := load.Stream{Name: "behind", PerSecond: 1000, Connections: 2, Request: takes(10 * time.Millisecond)}
		if _, err := load.Measure(context.Background(), stream, 100*time.Millisecond); err != nil {
			panic(err)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// takes is a request that succeeds after some time.
func takes(duration time.Duration) func(context.Context) (load.Reply, error) {
	return func(ctx context.Context) (load.Reply, error) {
		select {
		case <-ctx.Done():
			return load.Reply{}, ctx.Err()
		case <-time.After(duration):
			return load.Reply{Status: 200}, nil
		}
	}
}

// The clock of these tests is synctest's, so that a rate is exact.

func TestRateIsHeldAndTheConnectionsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var sent []time.Time
		run := load.Start(t.Context(),
			load.Stream{Name: "fast", PerSecond: 100, Connections: 4, Request: func(ctx context.Context) (load.Reply, error) {
				mu.Lock()
				sent = append(sent, time.Now())
				mu.Unlock()
				return takes(5 * time.Millisecond)(ctx)
			}},
			load.Stream{Name: "slow", PerSecond: 1, Connections: 6, Request: takes(5 * time.Second)})
		time.Sleep(10*time.Second - 5*time.Millisecond)
		report := run.Stop()
		fast, slow := report.Streams[0], report.Streams[1]
		if fast.Requests != 1000 || slow.Requests != 10 || report.Requests != 1010 || report.Failed != 0 {
			t.Errorf("want 1000 fast and 10 slow requests, none failed: %+v", report)
		}
		for i := range len(sent) - 1 {
			if gap := sent[i+1].Sub(sent[i]); (gap - 10*time.Millisecond).Abs() > time.Microsecond {
				t.Fatalf("request %d was sent %s after the one before, want 10ms", i+1, gap)
			}
		}
		if math.Abs(slow.Latency.P50-5) > 1e-6 || slow.Latency.Max < slow.Latency.P99 {
			t.Errorf("latency of requests that take 5 s: %+v", slow.Latency)
		}
	})
}

func TestFallingBehindIsReportedAndCaughtUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var slow atomic.Bool
		slow.Store(true)
		stream := load.Stream{Name: "pages", PerSecond: 100, Connections: 2, Request: func(ctx context.Context) (load.Reply, error) {
			if slow.Load() {
				return takes(100 * time.Millisecond)(ctx)
			}
			return takes(time.Millisecond)(ctx)
		}}
		report, err := load.Measure(t.Context(), stream, 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		// Two connections make 20 requests of 100 ms in a second.
		if pages := report.Streams[0]; pages.Asked != 100 || math.Abs(pages.Achieved-20) > 0.5 {
			t.Errorf("asked for %g per second and achieved %g, want 100 and 20", pages.Asked, pages.Achieved)
		}

		run := load.Start(t.Context(), stream)
		time.Sleep(10 * time.Second)
		slow.Store(false)
		time.Sleep(10*time.Second - 5*time.Millisecond)
		if pages := run.Stop().Streams[0]; pages.Requests != 2000 {
			t.Errorf("%d requests in 20 s, of which 10 s behind, want all 2000", pages.Requests)
		}
	})
}

func TestFailuresAreCountedAndTheFirstTenExplained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing := func(pod, reason string) func(context.Context) (load.Reply, error) {
			return func(context.Context) (load.Reply, error) {
				return load.Reply{Pod: pod, Status: 502}, errors.New(reason)
			}
		}
		run := load.Start(t.Context(),
			load.Stream{Name: "good", PerSecond: 10, Connections: 1, Request: takes(time.Millisecond)},
			load.Stream{Name: "bad", PerSecond: 2, Connections: 1, Request: failing("pod-a", "bad gateway")},
			load.Stream{Name: "worse", PerSecond: 4, Connections: 1, Request: failing("pod-b", "reset")})
		time.Sleep(990 * time.Millisecond)
		run.Phase("rollout")
		time.Sleep(time.Second)
		if run.Requests() != 32 || run.Failed() != 12 {
			t.Errorf("%d requests, %d failed so far, want 32 and 12", run.Requests(), run.Failed())
		}
		// Four are sent a second, and the test's bubble has a time of its own.
		sent, failed := run.LastFailed()
		if ago := time.Since(sent); ago <= 0 || ago > 250*time.Millisecond || !failed.Equal(sent) {
			t.Errorf("the last failed request was sent %s ago and took %s, want a quarter of a second at most, and no time",
				ago, failed.Sub(sent))
		}
		run.Phase("start")
		time.Sleep(time.Second)
		report := run.Stop()

		if report.Requests != 48 || report.Failed != 18 || report.Streams[0].Failed != 0 || report.Streams[1].Failed != 6 {
			t.Errorf("want 18 of 48 failed, 6 of them bad: %+v", report)
		}
		want := []load.PhaseReport{{Name: "start", Requests: 32, Failed: 12}, {Name: "rollout", Requests: 16, Failed: 6}}
		if !slices.Equal(report.Phases, want) {
			t.Errorf("phases %+v, want %+v", report.Phases, want)
		}
		checkFirst(t, report)
	})
}

// checkFirst expects ten failures in time order, six from the first second.
func checkFirst(t *testing.T, report load.Report) {
	t.Helper()
	if len(report.First) != 10 {
		t.Fatalf("%d failures are explained, want 10", len(report.First))
	}
	if !slices.IsSortedFunc(report.First, func(a, b load.Failure) int { return a.At.Compare(b.At) }) {
		t.Errorf("failures are not in time order: %+v", report.First)
	}
	for i, failure := range report.First {
		phase := "start"
		if i >= 6 {
			phase = "rollout"
		}
		pod, reason := "pod-a", "bad gateway"
		if failure.Stream == "worse" {
			pod, reason = "pod-b", "reset"
		}
		if failure.Phase != phase || failure.Pod != pod || failure.Reason != reason || failure.Status != 502 {
			t.Errorf("failure %d of stream %s in phase %s: %+v", i+1, failure.Stream, phase, failure)
		}
	}
}

func TestStopWaitsForRequestsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := load.Start(t.Context(), load.Stream{Name: "long", PerSecond: 2, Connections: 4, Request: takes(20 * time.Second)})
		time.Sleep(time.Second - time.Millisecond)
		stopped := time.Now()
		report := run.Stop()
		if waited := time.Since(stopped); waited < 19*time.Second {
			t.Errorf("Stop waited %s for requests that take 20s", waited)
		}
		if report.Requests != 2 || report.Failed != 0 {
			t.Errorf("%d requests, %d failed, want the 2 that were under way, none failed", report.Requests, report.Failed)
		}
		if again := run.Stop(); again.Requests != report.Requests || again.Seconds != report.Seconds {
			t.Errorf("a second Stop reports %+v, the first %+v", again, report)
		}
	})
}

func TestNothingIsSentAfterStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stopped atomic.Bool
		// Far behind, so that each connection would like to send the next request at once.
		run := load.Start(t.Context(),
			load.Stream{Name: "behind", PerSecond: 1e6, Connections: 50, Request: func(ctx context.Context) (load.Reply, error) {
				if stopped.Load() {
					t.Error("a request was sent after Stop")
				}
				return takes(10 * time.Millisecond)(ctx)
			}})
		time.Sleep(time.Second + time.Millisecond)
		stopped.Store(true)
		run.Stop()
	})
}

func TestAnAbandonedRunEndsAtOnceAndBlamesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		started := time.Now()
		report, err := load.Measure(ctx,
			load.Stream{Name: "long", PerSecond: 1, Connections: 1, Request: takes(time.Minute)}, time.Hour)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the context's", err)
		}
		if took := time.Since(started); took != time.Second {
			t.Errorf("ended after %s, want 1s", took)
		}
		if report.Requests != 0 || report.Failed != 0 {
			t.Errorf("an abandoned request is counted: %+v", report)
		}
	})
}

func TestAReportWithoutRequestsIsJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := load.Start(t.Context(), load.Stream{Name: "none", PerSecond: 1, Connections: 1, Request: takes(0)})
		text, err := json.Marshal(run.Stop())
		if err != nil {
			t.Fatal(err)
		}
		var read load.Report
		if err := json.Unmarshal(text, &read); err != nil || read.Streams[0].Name != "none" {
			t.Errorf("%v: %s", err, text)
		}
	})
}

func TestMistakesInAStreamPanic(t *testing.T) {
	good := load.Stream{Name: "good", PerSecond: 1, Connections: 1, Request: takes(0)}
	mistakes := map[string]func(*load.Stream){
		"no name":        func(s *load.Stream) { s.Name = "" },
		"no rate":        func(s *load.Stream) { s.PerSecond = 0 },
		"no connections": func(s *load.Stream) { s.Connections = 0 },
		"no request":     func(s *load.Stream) { s.Request = nil },
	}
	for name, make := range mistakes {
		t.Run(name, func(t *testing.T) {
			stream := good
			make(&stream)
			defer func() {
				if text := fmt.Sprint(recover()); !strings.Contains(text, "a stream needs") {
					t.Errorf("panic %q does not say what a stream needs", text)
				}
			}()
			load.Start(t.Context(), stream)
		})
	}
}

func TestARunPrintsNothing(t *testing.T) {
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), runQuietly+"=1")
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if len(output) > 0 {
		t.Errorf("a run printed:\n%s", output)
	}
}
