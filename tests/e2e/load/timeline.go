package load

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"
)

// Timeline keeps how long each request took, to tell it second by second. Unlike a Report's, its percentiles are exact.
type Timeline struct {
	began time.Time

	mu      sync.Mutex
	seconds map[int]*timed
}

// timed are the requests that were sent within a second.
type timed struct {
	took   []time.Duration
	failed int
}

// Second is what came of the requests that were sent within a second.
type Second struct {
	// At is how many whole seconds had passed since the timeline began.
	At int
	// Requests that ended, and those of them that failed.
	Requests, Failed int
	// P50, P99 and Max are how long they took, failed ones too.
	P50, P99, Max time.Duration
}

// NewTimeline begins now.
func NewTimeline() *Timeline { return &Timeline{began: time.Now(), seconds: map[int]*timed{}} }

// Since the timeline began.
func (l *Timeline) Since() time.Duration { return time.Since(l.began) }

// Watch returns a stream's Request that also keeps how long each takes.
func (l *Timeline) Watch(request func(context.Context) (Reply, error)) func(context.Context) (Reply, error) {
	return func(ctx context.Context) (Reply, error) {
		sent := time.Now()
		reply, err := request(ctx)
		l.keep(sent, time.Since(sent), err)
		return reply, err
	}
}

func (l *Timeline) keep(sent time.Time, took time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := int(sent.Sub(l.began) / time.Second)
	second := l.seconds[at]
	if second == nil {
		second = &timed{}
		l.seconds[at] = second
	}
	second.took = append(second.took, took)
	if err != nil {
		second.failed++
	}
}

// Seconds in their order, without those in which no request was sent.
func (l *Timeline) Seconds() (all []Second) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for at, second := range l.seconds {
		slices.Sort(second.took)
		all = append(all, Second{
			At: at, Requests: len(second.took), Failed: second.failed,
			P50: percentile(second.took, 0.5), P99: percentile(second.took, 0.99), Max: second.took[len(second.took)-1],
		})
	}
	slices.SortFunc(all, func(a, b Second) int { return a.At - b.At })
	return all
}

// percentile is the least of the sorted values that such a share of them does not exceed.
func percentile(sorted []time.Duration, share float64) time.Duration {
	return sorted[int(math.Ceil(share*float64(len(sorted))))-1]
}
