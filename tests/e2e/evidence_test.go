package e2e

import (
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
	requests, failed     int64
	rounds               int
	// measured is a figure that no promise bounds.
	measured bool
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
		Verdict: verdict, Figure: found.figure, Requests: found.requests, Failed: found.failed,
		Rounds: int64(found.rounds), Long: *long, At: time.Now().UTC(), Details: found.details,
	})
}

// caught stores that a deliberate breakage made a proof fail, and fails the test when the proof did not notice it.
func (s *subject) caught(t *testing.T, promise int, title, breakage, figure string, noticed bool) {
	t.Helper()
	if !noticed {
		t.Errorf("promise %d: the proof did not notice: %s", promise, breakage)
	}
	t.Logf("%s: %s", breakage, figure)
	s.store(t, evidence.Result{
		Promise: promise, Part: "breakage", Title: title, Contender: s.name, Breakage: breakage, Caught: noticed,
		Figure: figure, Long: *long, At: time.Now().UTC(),
	})
}

func (s *subject) store(t *testing.T, result evidence.Result) {
	t.Helper()
	commit, err := commitOf(t.Context(), s.project)
	if err != nil {
		t.Error(err)
	}
	result.Commit = commit
	store := evidence.Store{Dir: evidenceDir(s.project)}
	if err := store.Keep(result); err != nil {
		t.Error(err)
	}
}
