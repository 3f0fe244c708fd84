package load

import (
	"time"

	"fortio.org/fortio/stats"
)

// Report is what came of a run.
type Report struct {
	Start time.Time `json:"start"`
	// Seconds from the start until the last answer.
	Seconds  float64 `json:"seconds"`
	Requests int64   `json:"requests"`
	Failed   int64   `json:"failed"`
	// Streams in the order of Start.
	Streams []StreamReport `json:"streams"`
	// Phases in the order in which they were first named, those without a request left out.
	Phases []PhaseReport `json:"phases"`
	// First failures over all streams, at most ten, in the order in which they happened.
	First []Failure `json:"firstFailures,omitempty"`
}

// StreamReport is what came of one stream.
type StreamReport struct {
	Name        string `json:"name"`
	Connections int    `json:"connections"`
	Requests    int64  `json:"requests"`
	Failed      int64  `json:"failed"`
	// Asked and Achieved are requests per second. Achieved counts until the stream's last answer, and failed requests too.
	Asked    float64 `json:"askedPerSecond"`
	Achieved float64 `json:"achievedPerSecond"`
	// Latency of all requests, failed ones too.
	Latency Latency `json:"latencySeconds"`
}

// Latency is in seconds from sending a request to its whole answer. The percentiles are interpolated within fortio's
// buckets, which are 1 ms wide up to 12 ms, at most a quarter of the value up to 1 s, and coarser above.
type Latency struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	Max  float64 `json:"max"`
}

// PhaseReport is how many requests ended in a phase.
type PhaseReport struct {
	Name     string `json:"name"`
	Requests int64  `json:"requests"`
	Failed   int64  `json:"failed"`
}

// Failure is one failed request.
type Failure struct {
	// At is when it failed, and Seconds how long after it was sent.
	At      time.Time `json:"at"`
	Seconds float64   `json:"seconds"`
	Stream  string    `json:"stream"`
	Phase   string    `json:"phase"`
	// Pod that answered, and Status code; empty and 0 without an answer.
	Pod    string `json:"pod,omitempty"`
	Status int    `json:"status,omitempty"`
	Reason string `json:"reason"`
}

// summary is complete when all workers have ended.
func (r *Run) summary() Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	report := Report{
		Start: r.started, Seconds: time.Since(r.started).Seconds(),
		Requests: r.requests, Failed: r.fails, First: r.first,
	}
	for _, lane := range r.lanes {
		report.Streams = append(report.Streams, lane.summary())
	}
	for _, phase := range r.phases {
		if phase.Requests > 0 {
			report.Phases = append(report.Phases, *phase)
		}
	}
	return report
}

func (l *lane) summary() StreamReport {
	report := StreamReport{
		Name: l.Name, Connections: l.Connections, Requests: l.latency.Count, Failed: l.fails,
		Asked: l.PerSecond, Latency: latencyOf(l.latency),
	}
	if l.took > 0 {
		report.Achieved = float64(l.latency.Count) / l.took.Seconds()
	}
	return report
}

func latencyOf(histogram *stats.Histogram) Latency {
	if histogram.Count == 0 {
		return Latency{}
	}
	data := histogram.Export()
	return Latency{
		Mean: data.Avg,
		P50:  data.CalcPercentile(50),
		P90:  data.CalcPercentile(90),
		P99:  data.CalcPercentile(99),
		Max:  data.Max,
	}
}
