package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// RowLimit is how long both contenders of a row may take in its long form, so that a row can be tried anew while somebody waits. A try
// that needs more rounds than fit AddsUp over several runs.
const RowLimit = 40 * time.Minute

// TooLong lists the rows of the long form that took longer than RowLimit.
func TooLong(results []Result) (problem error) {
	for _, row := range rowsOf(results) {
		if took := row.duration(); took > RowLimit {
			problem = errors.Join(problem, fmt.Errorf("promise %d, %s, took %s, and no row may take more than %s: let its rounds add up over several runs",
				row[0].Promise, title(row[0]), took.Round(time.Second), RowLimit))
		}
	}
	return problem
}

// ReadPublished reads docs/evidence.json, which holds every row's latest result.
func ReadPublished(path string) ([]Result, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var results []Result
	if err := json.Unmarshal(text, &results); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, result := range results {
		if err := result.check(); err != nil {
			return nil, fmt.Errorf("%s: promise %d: %w", path, result.Promise, err)
		}
	}
	return results, nil
}

// WritePublished writes docs/evidence.json, in an order that does not depend on when the results came.
func WritePublished(path string, results []Result) error {
	sorted := slices.SortedFunc(slices.Values(results), func(a, b Result) int { return strings.Compare(a.fileName(), b.fileName()) })
	text, err := json.MarshalIndent(sorted, "", " ")
	if err != nil {
		return err
	}
	return replaceFile(path, append(text, '\n'))
}

// Update puts the results of a run in the place of those that were published of the same tries, and keeps the others. What adds up
// over the runs of one commit is added to.
func Update(published, run []Result) []Result {
	updated := slices.Clone(published)
	for _, result := range run {
		at := slices.IndexFunc(updated, func(earlier Result) bool { return earlier.identity() == result.identity() })
		switch {
		case at < 0:
			updated = append(updated, result)
		case updated[at].addsTo(result):
			updated[at] = updated[at].plus(result)
		default:
			updated[at] = result
		}
	}
	return updated
}

// addsTo tells whether two runs of one try are of one commit, which nothing was changed in, and count what can be added up.
func (r Result) addsTo(later Result) bool {
	return r.AddsUp && later.AddsUp && r.Long && later.Long &&
		r.Commit != "" && r.Commit == later.Commit && !strings.HasSuffix(r.Commit, Dirty)
}

// Dirty ends a commit that files were changed in.
const Dirty = "-dirty"

// plus adds a later run of the same try. What one of them broke is broken.
func (r Result) plus(later Result) Result {
	sum := later
	sum.Runs = max(r.Runs, 1) + max(later.Runs, 1)
	sum.Requests, sum.Failed, sum.Rounds = r.Requests+later.Requests, r.Failed+later.Failed, r.Rounds+later.Rounds
	sum.DurationSeconds = max(r.DurationSeconds, later.DurationSeconds)
	sum.Figures = r.Figures.add(later.Figures)
	if r.Verdict == Broken {
		sum.Verdict = Broken
	}
	sum.Sentences = append(r.sentences(), later.sentences()...)
	sum.Figure = fmt.Sprintf("%d rounds in %d runs", sum.Rounds, sum.Runs)
	if sum.Requests > 0 {
		sum.Figure = fmt.Sprintf("%d of %d requests failed in %s", sum.Failed, sum.Requests, sum.Figure)
	}
	sum.Figure += ": " + strings.Join(sum.Sentences, "; then ")
	sum.Details = append(r.runs(), later.runs()...)
	return sum
}

// sentences of the runs that were added up.
func (r Result) sentences() []string {
	if len(r.Sentences) > 0 {
		return slices.Clone(r.Sentences)
	}
	return []string{r.Figure}
}

// runs are the raw measurements of each run.
func (r Result) runs() []any {
	if several, ok := r.Details.([]any); ok && r.Runs > 1 {
		return slices.Clone(several)
	}
	return []any{r.Details}
}
