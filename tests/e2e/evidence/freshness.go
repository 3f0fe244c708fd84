package evidence

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"text/tabwriter"
)

// program are the files whose change may change what a proof finds, as git's pathspecs: package main, its settings and components, what
// they are built from, the stacks, and the images of the local cluster.
var program = []string{
	":(top,glob)*.go", ":(top)config", ":(top)components", ":(top)go.mod", ":(top,glob)Pulumi*.yaml", ":(top)tests/images",
	":(exclude,top,glob)**/*_test.go", ":(exclude,top,glob)**/testdata/**",
}

// Freshness is a table of all rows: the oldest try of each, and how many commits since then have touched the program.
func Freshness(ctx context.Context, repo string, results []Result) (string, error) {
	since := map[string]string{}
	var cells, text strings.Builder
	cells.WriteString("#\trow\tdate\tcommit\tcommits to the program since\n")
	for _, row := range rowsOf(results) {
		oldest := row[0]
		for _, result := range row {
			if result.At.Before(oldest.At) {
				oldest = result
			}
		}
		if oldest.Breakage != "" {
			continue // a breakage is tried with its row
		}
		if _, counted := since[oldest.Commit]; !counted {
			since[oldest.Commit] = commitsSince(ctx, repo, oldest.Commit)
		}
		fmt.Fprintf(&cells, "%d\t%s\t%s\t%s\t%s\n", oldest.Promise, title(oldest), when(oldest), commit(oldest), since[oldest.Commit])
	}
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	_, err := io.WriteString(table, cells.String())
	err = errors.Join(err, table.Flush())
	return text.String(), err
}

// commitsSince counts the commits that touched the program, or says why it cannot.
func commitsSince(ctx context.Context, repo, commit string) string {
	clean := strings.TrimSuffix(commit, Dirty)
	if clean == "" {
		return "unknown: the row has no commit"
	}
	command := exec.CommandContext(ctx, "git", append([]string{"rev-list", "--count", clean + "..HEAD", "--"}, program...)...)
	command.Dir = repo
	output, err := command.Output()
	if err != nil {
		return "unknown: the commit is not in this clone"
	}
	count := strings.TrimSpace(string(output))
	if clean != commit {
		count += ", and changes of that day that were not committed"
	}
	return count
}
