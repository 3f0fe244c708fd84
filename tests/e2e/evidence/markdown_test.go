package evidence_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

var update = flag.Bool("update", false, "write the golden file anew")

// sample has every kind of row and cell, and texts that Markdown would trip over.
func sample() ([]evidence.Result, evidence.About) {
	tutorials := held()
	tutorials.Contender, tutorials.Verdict, tutorials.Failed = evidence.Tutorial, evidence.Broken, 412
	tutorials.Figure = "412 of 100000 requests failed: status 502, \"<html>\n<head>\""
	setting := held()
	setting.Part, setting.Long = "setting", false
	spread := held()
	spread.Promise, spread.Part, spread.Title, spread.Figure = 1, "", "One pod | one node", `a\|b`
	spread.Commit, spread.DurationSeconds = "1234567", 0 // of before the time was taken
	spread.Contender, spread.At = evidence.Tutorial, spread.At.Add(-24*time.Hour)
	ours := spread
	ours.Commit = "7654321"
	ours.Contender, ours.At, ours.Tried = evidence.Ours, held().At, "replicas on\r\nthree nodes"
	speed := held()
	speed.Promise, speed.Part, speed.Title, speed.Tried = 13, "", "Throughput", ""
	speed.Verdict, speed.Figure = evidence.NotTried, "one node only"
	breakage := held()
	breakage.Verdict, breakage.Part, breakage.Breakage, breakage.Caught = "", "breakage", "the drain | taken out", true
	breakage.DurationSeconds = 12.4
	breakage.Figure = "31 of 9000 requests failed"
	missed := breakage
	missed.Promise, missed.Contender, missed.Caught, missed.Figure = 6, evidence.Tutorial, false, "nothing"
	about := evidence.About{
		Machine:  "2 cores (a processor), 24 GiB",
		Versions: []evidence.Version{{Name: "Kubernetes", Version: "1.34.3"}, {Name: "Traefik", Version: "3.6.0"}},
	}
	return []evidence.Result{breakage, speed, setting, held(), tutorials, missed, spread, ours}, about
}

func TestMarkdownIsAsRecorded(t *testing.T) {
	got := evidence.Markdown(sample())
	golden := filepath.Join("testdata", "evidence.golden.md")
	if *update {
		writeFile(t, golden, got)
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s\nIf the change is meant, run the test with -update and review the difference.", got, want)
	}
}

func TestMarkdownDoesNotDependOnTheOrderOfResults(t *testing.T) {
	results, about := sample()
	want := evidence.Markdown(results, about)
	slices.Reverse(results)
	if got := evidence.Markdown(results, about); got != want {
		t.Errorf("in reverse\n%s\nwant\n%s", got, want)
	}
}

// A cell that ends a row or a column would shift what a reader takes for the verdict.
func TestEveryRowOfATableHasItsColumns(t *testing.T) {
	columns := 0
	for line := range strings.Lines(evidence.Markdown(sample())) {
		if !strings.HasPrefix(line, "|") {
			columns = 0
			continue
		}
		found := strings.Count(strings.NewReplacer(`\\`, "", `\|`, "").Replace(line), "|") - 1
		if columns == 0 {
			columns = found
		}
		if found != columns || !strings.HasSuffix(line, "|\n") {
			t.Errorf("%d columns, want %d: %s", found, columns, line)
		}
	}
}
