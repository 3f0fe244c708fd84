package evidence_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

// promises are those that were tried in their long form and published, numbered from 1.
const promises = 31

const publishedPath = "../../../docs/evidence.json"

// TestPublishedEvidenceIsWhatTheReadmeSays: the README says that no promise of this program was broken. Evidence that tells
// otherwise is published together with a README that says so.
func TestPublishedEvidenceIsWhatTheReadmeSays(t *testing.T) {
	results, err := evidence.ReadPublished(publishedPath)
	if err != nil {
		t.Fatal(err)
	}
	tried := map[int]bool{}
	for _, result := range results {
		switch {
		case result.Contender != evidence.Ours:
		case result.Breakage != "":
			if !result.Caught {
				t.Errorf("promise %d, %s: %s was not caught: %s", result.Promise, result.Title, result.Breakage, result.Figure)
			}
		case result.Verdict == evidence.Held, result.Verdict == evidence.Measured:
			tried[result.Promise] = true
		default:
			t.Errorf("promise %d, %s: %s: %s", result.Promise, result.Title, result.Verdict, result.Figure)
		}
	}
	for promise := 1; promise <= promises; promise++ {
		if !tried[promise] {
			t.Errorf("promise %d has no evidence", promise)
		}
	}
	if err := evidence.TooLong(results); err != nil {
		t.Error(err)
	}
}

// TestPublishedRowsAreThoseOfTheTests: a row that no test keeps any more would never be tried anew.
func TestPublishedRowsAreThoseOfTheTests(t *testing.T) {
	results, err := evidence.ReadPublished(publishedPath)
	if err != nil {
		t.Fatal(err)
	}
	for _, result := range results {
		listed := false
		for _, one := range evidence.Proofs {
			listed = listed || evidence.Listed(one.Test, result) == nil
		}
		if !listed {
			t.Errorf("docs/evidence.json has promise %d, %q, part %q, which no test in proofs.go keeps: take it out or try it anew",
				result.Promise, result.Title, result.Part)
		}
	}
}

func TestWhatIsPublishedIsReadAsItWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "evidence.json")
	tutorials := held()
	tutorials.Contender = evidence.Tutorial
	if err := evidence.WritePublished(path, []evidence.Result{tutorials, held()}); err != nil {
		t.Fatal(err)
	}
	got, err := evidence.ReadPublished(path)
	if err != nil || !reflect.DeepEqual(got, []evidence.Result{held(), tutorials}) {
		t.Errorf("read %+v, %v", got, err)
	}
	// What was published before there were figures and durations stays as it is.
	old := held()
	old.Figures, old.DurationSeconds = nil, 0
	if err := evidence.WritePublished(path, []evidence.Result{old}); err != nil {
		t.Fatal(err)
	}
	if got, err = evidence.ReadPublished(path); err != nil || !reflect.DeepEqual(got, []evidence.Result{old}) {
		t.Errorf("read %+v, %v", got, err)
	}
	for name, text := range map[string]string{"promise 0": `[{}]`, "unexpected end": `[`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := evidence.ReadPublished(path); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestARunReplacesItsOwnRowsAlone(t *testing.T) {
	other, breakage := held(), held()
	other.Promise = 13
	breakage.Verdict, breakage.Breakage, breakage.Caught = "", "without the drain", true
	tutorials := held()
	tutorials.Contender = evidence.Tutorial
	later := held()
	later.Commit, later.Figure = "1234567", "0 of 7 requests failed"
	added := held()
	added.Promise = 18
	got := evidence.Update([]evidence.Result{held(), other, breakage, tutorials}, []evidence.Result{later, added})
	if want := []evidence.Result{later, other, breakage, tutorials, added}; !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if got := evidence.Update(nil, []evidence.Result{later}); !reflect.DeepEqual(got, []evidence.Result{later}) {
		t.Errorf("a run of everything left %+v", got)
	}
}

func TestRoundsOfOneCommitAddUp(t *testing.T) {
	first, second := held(), held()
	first.AddsUp, second.AddsUp, first.Commit, second.Commit = true, true, "1234567", "1234567"
	first.Verdict, first.Failed, first.Figures["failed"], first.DurationSeconds = evidence.Broken, 1, 1, 900
	second.Figures["p99Milliseconds"], second.Figures["pagesPerSecond"] = 300, 2
	first.Figures["p99Milliseconds"], first.Figures["pagesPerSecond"] = 200, 3
	got := evidence.Update([]evidence.Result{first}, []evidence.Result{second})[0]
	want := evidence.Figures{"requests": 200000, "failed": 1, "rounds": 20, "p99Milliseconds": 300, "pagesPerSecond": 2}
	if !reflect.DeepEqual(got.Figures, want) {
		t.Errorf("figures %v, want %v", got.Figures, want)
	}
	if got.Verdict != evidence.Broken || got.Runs != 2 || got.Rounds != 20 || got.Requests != 200000 || got.Failed != 1 || got.DurationSeconds != 900 {
		t.Errorf("two runs add up to %+v", got)
	}
	third := evidence.Update([]evidence.Result{got}, []evidence.Result{second})[0]
	if want := "1 of 300000 requests failed in 30 rounds in 3 runs: " + first.Figure + "; then " + second.Figure + "; then " + second.Figure; third.Figure != want {
		t.Errorf("figure %q, want %q", third.Figure, want)
	}
	if details, ok := third.Details.([]any); !ok || len(details) != 3 {
		t.Errorf("details %v, want those of three runs", third.Details)
	}
	for name, change := range map[string]func(*evidence.Result){
		"another commit": func(r *evidence.Result) { r.Commit = "7654321" },
		"changed files":  func(r *evidence.Result) { r.Commit += evidence.Dirty },
		"the short form": func(r *evidence.Result) { r.Long = false },
		"no sum":         func(r *evidence.Result) { r.AddsUp = false },
	} {
		other := second
		change(&other)
		if got := evidence.Update([]evidence.Result{first}, []evidence.Result{other})[0]; got.Runs != 0 || got.Rounds != 10 {
			t.Errorf("%s: %+v, want the later run alone", name, got)
		}
	}
	unclean := first
	unclean.Commit += evidence.Dirty
	if got := evidence.Update([]evidence.Result{unclean}, []evidence.Result{unclean})[0]; got.Rounds != 10 {
		t.Errorf("files were changed, which may be others each time: %+v", got)
	}
}

func TestNoRowTakesTooLong(t *testing.T) {
	mine, tutorials := held(), held()
	tutorials.Contender = evidence.Tutorial
	mine.DurationSeconds, tutorials.DurationSeconds = 1300, 1000
	if err := evidence.TooLong([]evidence.Result{mine, tutorials}); err != nil {
		t.Error(err)
	}
	mine.DurationSeconds = 1500
	if err := evidence.TooLong([]evidence.Result{mine, tutorials}); err == nil || !strings.Contains(err.Error(), "41m40s") {
		t.Errorf("error %v, want the time that both took", err)
	}
}
