package evidence

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// About is what the results were taken on.
type About struct {
	// Machine is one line: processor, memory, operating system.
	Machine string
	// Versions in the order in which they are told.
	Versions []Version
}

// Version of one piece of software.
type Version struct {
	Name, Version string
}

// intro tells how to read the tables and how to get them anew.
const intro = `# Evidence

What is listed here was tried on a real cluster with real requests; what no bound was promised for is called measured. The long form tries the tutorial's own manifests
too, in current API versions, with the same images and by the same tests; the short form, which runs with every change, does
not. A request has failed when it did not get the expected status and body: a reset and a time-out are failures too. ` + "`make verify`" + ` tries everything anew and writes this file.
With ` + "`PROMISES='2 13'`" + ` it replaces just those rows, so each row has its own date and commit; machine and versions are those of the last run.
` + "`make freshness`" + ` tells how many commits have changed the program since a row's. All numbers are by name in [evidence.json](evidence.json).

`

// Markdown is the text of docs/evidence.md: how and where it was taken, a row for each promise or part of one, and what
// the proofs noticed when a promise was deliberately broken.
func Markdown(results []Result, about About) string {
	var tries, breakages []Result
	for _, result := range results {
		if result.Breakage == "" {
			tries = append(tries, result)
		} else {
			breakages = append(breakages, result)
		}
	}
	var text strings.Builder
	text.WriteString(intro)
	writeAbout(&text, results, about)
	writePromises(&text, tries)
	writeBreakages(&text, breakages)
	return text.String()
}

func writeAbout(text *strings.Builder, results []Result, about About) {
	fmt.Fprintf(text, "- Taken: %s\n- Machine: %s\n", period(results), oneLine(about.Machine))
	versions := make([]string, 0, len(about.Versions))
	for _, version := range about.Versions {
		versions = append(versions, oneLine(version.Name+" "+version.Version))
	}
	fmt.Fprintf(text, "- Versions: %s\n- Commits: %s\n", strings.Join(versions, ", "), commits(results))
}

// commits that the results were taken at.
func commits(results []Result) string {
	var list []string
	for _, result := range results {
		if result.Commit != "" {
			list = append(list, result.Commit)
		}
	}
	if len(list) == 0 {
		return "unknown"
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), ", ")
}

// period is the first and last date of the results.
func period(results []Result) string {
	dates := make([]string, 0, len(results))
	for _, result := range results {
		dates = append(dates, date(result.At))
	}
	slices.Sort(dates)
	dates = slices.Compact(dates)
	switch len(dates) {
	case 0:
		return "never"
	case 1:
		return dates[0]
	}
	return dates[0] + " to " + dates[len(dates)-1]
}

func writePromises(text *strings.Builder, tries []Result) {
	text.WriteString("\n## The promises\n" +
		"| # | promise | what was done | the tutorial's manifests | this program | took | date | commit |\n" +
		"|---:|---|---|---|---|---:|---|---|\n")
	for _, row := range rowsOf(tries) {
		first := row[0]
		writeRow(text, strconv.Itoa(first.Promise), title(first), row.tried(), row.cell(Tutorial), row.cell(Ours), row.took(), row.each(when), row.each(commit))
	}
}

func writeBreakages(text *strings.Builder, breakages []Result) {
	if len(breakages) == 0 {
		return
	}
	text.WriteString("\n## What the proofs catch\n" +
		"A proof that cannot fail proves nothing. So these promises were broken on purpose, and the same proof had to notice; of the others, " +
		"the tutorial's column shows whether the proof can fail.\n\n" +
		"| # | promise | what was broken | where | what the proof saw | caught | took | date | commit |\n" +
		"|---:|---|---|---|---|---|---:|---|---|\n")
	for _, row := range rowsOf(breakages) {
		for _, result := range row {
			caught := "**no**"
			if result.Caught {
				caught = "yes"
			}
			writeRow(text, strconv.Itoa(result.Promise), result.Title, result.Breakage, heading(result.Contender),
				result.Figure, caught, took(result.DurationSeconds), when(result), commit(result))
		}
	}
}

// row is the results of one try of a promise, this program's first.
type row []Result

// rowsOf groups results by what was tried, in the order of the promises.
func rowsOf(results []Result) []row {
	sorted := slices.Clone(results)
	slices.SortStableFunc(sorted, func(a, b Result) int {
		return cmp.Or(
			cmp.Compare(a.Promise, b.Promise), cmp.Compare(a.Part, b.Part),
			cmp.Compare(a.Breakage, b.Breakage), cmp.Compare(a.Contender, b.Contender))
	})
	var rows []row
	for _, result := range sorted {
		if last := len(rows) - 1; last >= 0 && sameTry(rows[last][0], result) {
			rows[last] = append(rows[last], result)
		} else {
			rows = append(rows, row{result})
		}
	}
	return rows
}

func sameTry(a, b Result) bool {
	return a.Promise == b.Promise && a.Part == b.Part && a.Breakage == b.Breakage
}

// cell is what a contender's try found.
func (r row) cell(contender string) string {
	for _, result := range r {
		if result.Contender != contender {
			continue
		}
		verdict := result.Verdict
		if verdict == Broken {
			verdict = "**broken**"
		}
		return verdict + ": " + result.Figure
	}
	return NotTried
}

func (r row) tried() string {
	for _, result := range r {
		if result.Tried != "" {
			return result.Tried
		}
	}
	return ""
}

// each tells something of every try, mostly the same.
func (r row) each(tell func(Result) string) string {
	var all []string
	for _, result := range r {
		if text := tell(result); !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return strings.Join(all, ", ")
}

// took is how long all contenders took together.
func (r row) took() string { return took(r.duration().Seconds()) }

func (r row) duration() time.Duration {
	sum := 0.0
	for _, result := range r {
		sum += result.DurationSeconds
	}
	return time.Duration(sum * float64(time.Second))
}

// took is a duration for a cell; empty where nobody took the time.
func took(seconds float64) string {
	switch {
	case seconds == 0:
		return ""
	case seconds < 60:
		return fmt.Sprintf("%.0f s", seconds)
	}
	return fmt.Sprintf("%.0f min", seconds/60)
}

func commit(result Result) string { return cmp.Or(result.Commit, "unknown") }

func title(result Result) string {
	if result.Part == "" {
		return result.Title
	}
	return result.Title + " (" + result.Part + ")"
}

// heading is a contender as the tables call it.
func heading(contender string) string {
	if contender == Tutorial {
		return "the tutorial's manifests"
	}
	return "this program"
}

// when is the date of a try, and whether it was the short form.
func when(result Result) string {
	if result.Long {
		return date(result.At)
	}
	return date(result.At) + " (short form)"
}

func date(at time.Time) string { return at.UTC().Format(time.DateOnly) }

func writeRow(text *strings.Builder, cells ...string) {
	for i := range cells {
		cells[i] = strings.ReplaceAll(oneLine(cells[i]), "|", `\|`)
	}
	fmt.Fprintf(text, "| %s |\n", strings.Join(cells, " | "))
}

// markdown marks what Markdown would take for a tag or an escape. Emphasis and code may be in a text.
var markdown = strings.NewReplacer(`\`, `\\`, `<`, `\<`)

func oneLine(text string) string { return markdown.Replace(strings.Join(strings.Fields(text), " ")) }
