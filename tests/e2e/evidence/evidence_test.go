package evidence_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

func held() evidence.Result {
	return evidence.Result{
		Promise: 2, Part: "image", Title: "A rolling update loses nothing", Tried: "10 rollouts under load",
		Contender: evidence.Ours, Verdict: evidence.Held, Figure: "0 of 100000 requests failed",
		Figures: evidence.Figures{"requests": 100000, "failed": 0, "rounds": 10}, DurationSeconds: 754.3,
		Requests: 100000, Rounds: 10, Long: true, At: time.Date(2026, 11, 23, 4, 5, 6, 0, time.UTC),
		Details: map[string]any{"seconds": 12.5},
	}
}

func mustKeep(t *testing.T, dir string, results ...evidence.Result) {
	t.Helper()
	store := evidence.Store{Dir: dir}
	for _, result := range results {
		if err := store.Keep(result); err != nil {
			t.Fatal(err)
		}
	}
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestWhatIsKeptIsLoaded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	want := []evidence.Result{held(), held(), held(), held()}
	want[1].Contender = evidence.Tutorial
	want[2].Part = "setting"
	want[3].Part, want[3].Verdict, want[3].Breakage, want[3].Caught = "", "", "without the drain", true
	mustKeep(t, dir, want...)
	names := []string{
		"02-a-rolling-update-loses-nothing-image-ours.json",
		"02-a-rolling-update-loses-nothing-image-tutorial.json",
		"02-a-rolling-update-loses-nothing-setting-ours.json",
		"02-a-rolling-update-loses-nothing-without-the-drain-ours.json",
	}
	if got := files(t, dir); !slices.Equal(got, names) {
		t.Errorf("files %q, want %q", got, names)
	}
	got, err := evidence.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("loaded\n%+v\nkept\n%+v", got, want)
	}
}

func TestALaterResultReplacesAnEarlierOne(t *testing.T) {
	dir := t.TempDir()
	later := held()
	later.Verdict, later.Failed, later.Figure = evidence.Broken, 3, "3 of 100000 requests failed"
	mustKeep(t, dir, held(), later)
	got, err := evidence.Load(dir)
	if err != nil || len(got) != 1 || got[0].Failed != 3 {
		t.Errorf("%+v, %v, want the later result alone", got, err)
	}
}

func TestAResultThatCannotBeKeptLeavesTheEarlierOne(t *testing.T) {
	dir := t.TempDir()
	mustKeep(t, dir, held())
	unwritable := held()
	unwritable.Details = func() {}
	store := evidence.Store{Dir: dir}
	if err := store.Keep(unwritable); err == nil {
		t.Error("a function was written as JSON")
	}
	got, err := evidence.Load(dir)
	if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], held()) {
		t.Errorf("%+v, %v, want the earlier result", got, err)
	}

	// What cannot be put in its place leaves nothing behind either.
	inTheWay := filepath.Join(dir, "02-in-the-way-image-ours.json")
	if err := os.MkdirAll(filepath.Join(inTheWay, "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	before := files(t, dir)
	blocked := held()
	blocked.Title = "In the way"
	if err := store.Keep(blocked); err == nil {
		t.Error("a folder was replaced by a file")
	}
	if after := files(t, dir); !slices.Equal(after, before) {
		t.Errorf("files %q, want %q", after, before)
	}
}

func TestEverythingThatAResultLacksIsTold(t *testing.T) {
	store := evidence.Store{Dir: t.TempDir()}
	err := store.Keep(evidence.Result{Contender: "mine", Verdict: "fine", Caught: true})
	if err == nil {
		t.Fatal("an empty result was kept")
	}
	for _, problem := range []string{
		"promise 0, want a number from 1", "no title", `contender "mine", want "tutorial" or "ours"`, "no figure", "no time",
		`verdict "fine", want one of ["held" "broken" "measured" "not tried"]`, "caught, but no breakage",
	} {
		if !strings.Contains(err.Error(), problem) {
			t.Errorf("the error does not say %s:\n%v", problem, err)
		}
	}
	both := held()
	both.Breakage = "without the drain"
	if err := store.Keep(both); err == nil || !strings.Contains(err.Error(), `verdict "held" on a deliberate breakage`) {
		t.Errorf("a verdict on a breakage: error %v", err)
	}
	if left := files(t, store.Dir); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestLoadRefusesWhatIsNoEvidence(t *testing.T) {
	renamed := held()
	renamed.Title = "Another title"
	text := map[string]func(*testing.T, string){
		"holds no results": func(*testing.T, string) {},
		"02-broken.json: unexpected end of JSON input": func(t *testing.T, dir string) {
			writeFile(t, filepath.Join(dir, "02-broken.json"), `{"promise": 2`)
		},
		"02-empty.json: promise 0": func(t *testing.T, dir string) {
			writeFile(t, filepath.Join(dir, "02-empty.json"), `{}`)
		},
		"delete the one with the old title": func(t *testing.T, dir string) { mustKeep(t, dir, held(), renamed) },
	}
	for _, want := range slices.Sorted(maps.Keys(text)) {
		t.Run(want, func(t *testing.T) {
			dir := t.TempDir()
			text[want](t, dir)
			if _, err := evidence.Load(dir); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want one with %q", err, want)
			}
		})
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsClearedIsForgotten(t *testing.T) {
	dir := t.TempDir()
	store := evidence.Store{Dir: filepath.Join(dir, "none yet")}
	if err := store.Clear(); err != nil {
		t.Errorf("nothing to clear: %v", err)
	}
	store.Dir = dir
	mustKeep(t, dir, held())
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := store.Clear(); err != nil {
		t.Fatal(err)
	}
	if left := files(t, dir); !slices.Equal(left, []string{"notes.txt"}) {
		t.Errorf("%q is left, want what is no result", left)
	}
}

func TestOneRunAtATimeHasTheResults(t *testing.T) {
	first, second := evidence.Store{Dir: t.TempDir()}, evidence.Store{}
	second.Dir = first.Dir
	if err := first.Take(); err != nil {
		t.Fatal(err)
	}
	if err := second.Take(); !errors.Is(err, evidence.ErrTaken) {
		t.Errorf("error %v, want that another run has the folder", err)
	}
}
