package e2e

import (
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

// proof is what one try of a promise found.
type proof struct {
	// promise is the number of its row, and part tells several tries of one promise apart.
	promise int
	part    string
	// title is the promise in a few words, tried what was done, and figure what came of it.
	title, tried, figure string
	// figures are the numbers of the figure by name and unit. Requests, failed and rounds are added to them.
	figures          evidence.Figures
	requests, failed int64
	rounds           int
	// measured is a figure that no promise bounds.
	measured bool
	// addsUp says that rounds of several runs at one commit may be added up.
	addsUp bool
	// raw results, kept as JSON.
	details any
}

// keep stores what was found for the contender, and fails the test when this program breaks a promise. What the tutorial's
// manifests break is a finding, not a failure.
func (s *subject) keep(t *testing.T, found proof, problem error) {
	t.Helper()
	verdict := evidence.Held
	if found.measured {
		verdict = evidence.Measured
	}
	if problem != nil {
		verdict = evidence.Broken
		if s.name == ours {
			t.Errorf("promise %d is broken: %v", found.promise, problem)
		} else {
			t.Logf("%s: %v", s.name, problem)
		}
	}
	t.Logf("%s: %s", found.title, found.figure)
	s.store(t, evidence.Result{
		Promise: found.promise, Part: found.part, Title: found.title, Tried: found.tried, Contender: s.name,
		Verdict: verdict, Figure: found.figure, Figures: found.allFigures(), Requests: found.requests, Failed: found.failed,
		Rounds: int64(found.rounds), AddsUp: found.addsUp, Details: found.details,
	})
}

// allFigures are the proof's own and what every proof counts.
func (p proof) allFigures() evidence.Figures {
	all := evidence.Figures{}
	maps.Copy(all, p.figures)
	if p.rounds > 0 {
		all["rounds"] = float64(p.rounds)
	}
	if p.requests > 0 {
		all["requests"], all["failed"] = float64(p.requests), float64(p.failed)
	}
	return all
}

// caught stores that a deliberate breakage made a proof fail, with what numbers it saw, and fails the test when the proof did not
// notice it.
func (s *subject) caught(t *testing.T, promise int, title, breakage, figure string, noticed bool, saw ...evidence.Figures) {
	t.Helper()
	if !noticed {
		t.Errorf("promise %d: the proof did not notice: %s", promise, breakage)
	}
	t.Logf("%s: %s", breakage, figure)
	all := evidence.Figures{}
	for _, one := range saw {
		maps.Copy(all, one)
	}
	s.store(t, evidence.Result{
		Promise: promise, Part: evidence.Breakage, Title: title, Contender: s.name, Breakage: breakage, Caught: noticed,
		Figure: figure, Figures: all,
	})
}

func (s *subject) store(t *testing.T, result evidence.Result) {
	t.Helper()
	test, _, _ := strings.Cut(t.Name(), "/")
	if err := evidence.Listed(test, result); err != nil {
		t.Error(err)
	}
	commit, err := commitOf(t.Context(), s.project)
	if err != nil {
		t.Error(err)
	}
	result.Commit, result.Long, result.At = commit, *long, time.Now().UTC()
	result.DurationSeconds = lap(t).Seconds()
	store := evidence.Store{Dir: evidenceDir(s.project)}
	if err := store.Keep(result); err != nil {
		t.Error(err)
	}
}

// laps are when each test, and each part of one, began what its next result will tell of, by the test's name.
var laps = struct {
	sync.Mutex
	began map[string]time.Time
}{began: map[string]time.Time{}}

// begin takes the time of a test that has not begun yet.
func begin(t *testing.T) {
	laps.Lock()
	defer laps.Unlock()
	if _, running := laps.began[t.Name()]; !running {
		laps.began[t.Name()] = time.Now()
	}
}

// lap is the time since the test began, or since its result before this one. A part that nobody took the time of counts with the test
// that it is a part of.
func lap(t *testing.T) time.Duration {
	t.Helper()
	laps.Lock()
	defer laps.Unlock()
	for name := t.Name(); name != ""; name = name[:max(0, strings.LastIndex(name, "/"))] {
		if began, running := laps.began[name]; running {
			laps.began[name] = time.Now()
			return laps.began[name].Sub(began)
		}
	}
	t.Errorf("nobody took the time when %s began: its subject is from none of subjectOf, freshSubject, newSubject and newBeside", t.Name())
	return 0
}
