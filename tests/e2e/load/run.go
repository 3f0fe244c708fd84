// Package load sends requests to a site at a fixed rate, while the site is changed or to measure it, and counts those
// that fail. The schedule and the histograms are fortio's.
package load

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"fortio.org/fortio/periodic"
	"fortio.org/fortio/stats"
	"fortio.org/log"
)

const (
	// keptFailures is how many failures a report explains.
	keptFailures = 10
	// resolution of the histograms in seconds, fortio's default: the width of the narrowest bucket.
	resolution = 0.001
	// untilStopped is fortio's duration of a run without an end.
	untilStopped = -1
	// firstPhase is what is going on until Phase says otherwise.
	firstPhase = "start"
)

// fortio tells how each run went in its log, which is one for the process. The same is in the Report.
func init() { log.SetLogLevelQuiet(log.Error) }

// Stream is one kind of request at a fixed rate.
type Stream struct {
	// Name tells the stream from the others of a run.
	Name string
	// PerSecond is the rate that all connections together keep to; above 0. When answers take so long that they cannot,
	// they catch up later, and the report tells the rate that was reached.
	PerSecond float64
	// Connections is how many requests are under way at most; above 0. Each waits for its answer before the next.
	Connections int
	// Request makes one request. An error means that it failed; the reply is then what is known of it. It must
	// return soon after its context ends and be safe for concurrent use.
	Request func(context.Context) (Reply, error)
}

// Reply is what a request tells beside whether it succeeded.
type Reply struct {
	// Pod that answered; empty when nobody said so.
	Pod string
	// Status code of HTTP; 0 without an answer.
	Status int
}

// Run is load that is under way.
type Run struct {
	ctx     context.Context
	started time.Time
	lanes   []*lane
	workers sync.WaitGroup
	abandon func() bool
	halt    func()
	halted  chan struct{}
	report  func() Report

	mu                         sync.Mutex
	requests, fails            int64
	phases                     []*PhaseReport
	phase                      *PhaseReport
	first                      []Failure
	lastFailedSent, lastFailed time.Time
}

// lane is a stream on its schedule and what came of it.
type lane struct {
	Stream
	run     *Run
	stop    *periodic.Aborter
	latency *stats.Histogram
	fails   int64
	took    time.Duration
}

// Start begins to send at once. When ctx ends, the run is abandoned: the requests under way end too and are not counted.
// Otherwise the caller must call Stop. A stream without a name, rate, connection or request is a mistake in the
// program: Start panics.
func Start(ctx context.Context, streams ...Stream) *Run {
	r := &Run{ctx: ctx, started: time.Now(), halted: make(chan struct{})}
	r.halt = sync.OnceFunc(r.endSchedules)
	r.report = sync.OnceValue(r.summary)
	r.Phase(firstPhase)
	for _, stream := range streams {
		if stream.Name == "" || stream.PerSecond <= 0 || stream.Connections <= 0 || stream.Request == nil {
			panic(fmt.Sprintf("load.Start: stream %q at %g requests per second on %d connections: "+
				"a stream needs a name, a rate and connections above 0, and a request",
				stream.Name, stream.PerSecond, stream.Connections))
		}
		// An aborter of our own: with fortio's, an interrupt of the process would end the schedule alone.
		r.lanes = append(r.lanes, &lane{
			Stream: stream, run: r, stop: periodic.NewAborter(), latency: stats.NewHistogram(0, resolution),
		})
	}
	for _, lane := range r.lanes {
		r.workers.Go(lane.send)
	}
	r.abandon = context.AfterFunc(ctx, r.halt)
	return r
}

// Phase names what is going on from now on. A request counts for the phase in which it ends.
func (r *Run) Phase(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, phase := range r.phases {
		if phase.Name == name {
			r.phase = phase
			return
		}
	}
	r.phase = &PhaseReport{Name: name}
	r.phases = append(r.phases, r.phase)
}

// Requests that have ended so far, the failed ones too.
func (r *Run) Requests() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests
}

// Failed requests so far.
func (r *Run) Failed() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fails
}

// LastFailed is when the last request was sent of those that have failed so far, and when the last one failed, which need not be the
// same: a failure may take as long as its client has patience. The zero time means that none has failed.
func (r *Run) LastFailed() (sent, failed time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lastFailedSent, r.lastFailed
}

// Stop begins no more requests, waits for those under way, which count like all others, and reports. It may be called
// more than once.
func (r *Run) Stop() Report {
	r.abandon()
	r.halt()
	r.workers.Wait()
	return r.report()
}

// Measure runs one stream for a time and reports. The error tells that ctx ended before.
func Measure(ctx context.Context, stream Stream, duration time.Duration) (Report, error) {
	run := Start(ctx, stream)
	select {
	case <-ctx.Done():
		report := run.Stop()
		return report, fmt.Errorf("load %q: ended after %.1f s of %s: %w",
			stream.Name, report.Seconds, duration, context.Cause(ctx))
	case <-time.After(duration):
		return run.Stop(), nil
	}
}

func (r *Run) endSchedules() {
	close(r.halted)
	for _, lane := range r.lanes {
		lane.stop.Abort(false)
	}
}

// send keeps to the schedule until it is stopped and the last answers are there.
func (l *lane) send() {
	runner := periodic.NewPeriodicRunner(&periodic.RunnerOptions{
		QPS:        l.PerSecond,
		Duration:   untilStopped,
		NumThreads: l.Connections,
		// The connections take turns instead of all sending at the same moment.
		Uniform: true,
		Stop:    l.stop,
		Out:     io.Discard,
	})
	// Not before: a new runner forgets those of the options.
	runner.Options().MakeRunners(l)
	runner.Run()
	l.took = time.Since(l.run.started)
}

// Run makes one request; fortio calls it on schedule. It implements periodic.Runnable.
func (l *lane) Run(context.Context, periodic.ThreadID) (ok bool, details string) {
	select {
	case <-l.run.halted:
		// A connection that is behind its schedule may be called once more after the stop.
		return true, ""
	default:
	}
	sent := time.Now()
	reply, err := l.Request(l.run.ctx)
	if l.run.ctx.Err() == nil {
		l.count(sent, reply, err)
	}
	return err == nil, ""
}

func (l *lane) count(sent time.Time, reply Reply, err error) {
	r := l.run
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	took := now.Sub(sent).Seconds()
	l.latency.Record(took)
	r.requests++
	r.phase.Requests++
	if err == nil {
		return
	}
	l.fails++
	r.fails++
	r.lastFailed = now
	if sent.After(r.lastFailedSent) {
		r.lastFailedSent = sent
	}
	r.phase.Failed++
	if len(r.first) < keptFailures {
		r.first = append(r.first, Failure{
			At: now, Seconds: took, Stream: l.Name, Phase: r.phase.Name,
			Pod: reply.Pod, Status: reply.Status, Reason: err.Error(),
		})
	}
}
