package judges

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// Verdict is what the judges found in a contender.
type Verdict struct {
	Contender
	// Open findings count; Exempt ones are covered by an exemption.
	Open, Exempt []Finding
}

// NewVerdict sorts the findings by the exemptions, which are for the program alone.
func NewVerdict(contender Contender, findings []Finding, exemptions []Exemption) Verdict {
	verdict := Verdict{Contender: contender}
	for _, finding := range findings {
		covers := func(exemption Exemption) bool { return exemption.covers(finding) }
		if contender.Ours && slices.ContainsFunc(exemptions, covers) {
			verdict.Exempt = append(verdict.Exempt, finding)
		} else {
			verdict.Open = append(verdict.Open, finding)
		}
	}
	return verdict
}

// count of the open findings of a criterion.
func (v Verdict) count(criterion string) int {
	count := 0
	for _, finding := range v.Open {
		if finding.Criterion == criterion {
			count++
		}
	}
	return count
}

// Table is the totals side by side.
func Table(verdicts []Verdict) string {
	var text strings.Builder
	width := len(slices.MaxFunc(Criteria, func(a, b string) int { return len(a) - len(b) }))
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name string, cell func(Verdict) any) {
		line := fmt.Sprintf("%-*s\t", width, name)
		for _, verdict := range verdicts {
			line += fmt.Sprint(cell(verdict), "\t")
		}
		// Neither the writer nor the builder behind it can fail.
		_, _ = table.Write([]byte(line + "\n"))
	}
	row("", func(v Verdict) any { return v.Name })
	for _, criterion := range Criteria {
		row(criterion, func(v Verdict) any { return v.count(criterion) })
	}
	row("exempt", func(v Verdict) any { return len(v.Exempt) })
	_ = table.Flush()
	return text.String()
}

// Problems are what fails the run: every open finding in the program's objects, every exemption without a use, and a
// criterion of kube-score or Pod Security by which nothing is found in the tutorial's manifests, because then the judge is not at work.
func Problems(verdicts []Verdict, exemptions []Exemption) []string {
	var problems []string
	for _, verdict := range verdicts {
		if verdict.Ours {
			for _, finding := range verdict.Open {
				problems = append(problems, verdict.Name+": "+finding.String())
			}
			continue
		}
		for _, criterion := range []string{KubeScoreCritical, KubeScoreWarning, Restricted} {
			if verdict.count(criterion) == 0 {
				problems = append(problems, fmt.Sprintf("%s: nothing found by %q: the judge is not at work", verdict.Name, criterion))
			}
		}
	}
	return append(problems, unused(verdicts, exemptions)...)
}

func unused(verdicts []Verdict, exemptions []Exemption) []string {
	var problems []string
	for _, exemption := range exemptions {
		used := slices.ContainsFunc(verdicts, func(v Verdict) bool { return slices.ContainsFunc(v.Exempt, exemption.covers) })
		if !used {
			problems = append(problems, fmt.Sprintf("the exemption of %s %s covers nothing: remove it", exemption.Kind, exemption.Criterion))
		}
	}
	return problems
}
