package plots_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"wordpress-on-kubernetes/tests/e2e/plots"
)

var update = flag.Bool("update", false, "draw the pictures of docs/benchmarks.md anew from the figures that are published")

// mostBytes of a picture, so that a page of documentation opens at once.
const mostBytes = 60_000

const published = "../../../docs"

func TestPicturesHoldTheirLabels(t *testing.T) {
	pictures := draw(t, sample())
	for name, labels := range map[string][]string{
		"splits.svg": {
			"Kept front pages, on 8 connections: 5 of 5000 requests failed",
			"Front pages for an administrator, on 8 connections: 5 of 5000 requests failed", "pages a second",
			"processor time of the cache's two pods together, of 600 in all (millicores)",
			"median of 3 runs of 5 s, bars from the least to the most", "40", "120", "300", "5000",
		},
		"rollout.svg": {
			"Kept front page, asked for 200 times a second: 0 of 32000 requests failed", "Page made anew, asked for 5 times a second: 2 of 800 requests failed",
			"time (s)", "latency (ms)", "median of each second", "p99", "slowest", "WordPress is restarted", "the cache is restarted", "1", "1000",
		},
		"connections.svg": {
			"Throughput: 21 of 21000 requests failed", "Mean latency", "connections that ask at a time", "pages a second", "latency (ms)", "kept front page",
			"front page made anew", "the tutorial's manifests", "64", "1000",
		},
	} {
		text := textOf(t, name, pictures[name])
		for _, label := range labels {
			if !slices.Contains(text, label) {
				t.Errorf("%s does not hold %q, but %q", name, label, text)
			}
		}
	}
	if len(pictures) != 3 {
		t.Errorf("%d pictures, want 3", len(pictures))
	}
}

func TestPicturesAreSmall(t *testing.T) {
	for name, picture := range draw(t, sample()) {
		if len(picture) > mostBytes {
			t.Errorf("%s has %d bytes, want at most %d", name, len(picture), mostBytes)
		}
	}
}

// The figures alone decide how a picture looks: not the time, nor when they were taken, nor whether they were written and read meanwhile.
func TestPicturesAreOfTheFiguresAlone(t *testing.T) {
	want := draw(t, sample())
	later := sample()
	later.Splits.Taken.Date, later.Rollout.Taken.Commit, later.Connections.Taken.Machine = "2027-01-01", "7654321", "another"
	docs := t.TempDir()
	if err := later.Write(docs); err != nil {
		t.Fatal(err)
	}
	read, err := plots.Read(docs)
	if err != nil {
		t.Fatal(err)
	}
	for name, picture := range draw(t, read) {
		written, err := os.ReadFile(filepath.Join(docs, "benchmarks", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(picture, want[name]) || !bytes.Equal(written, want[name]) {
			t.Errorf("%s differs from the one drawn of the same figures before", name)
		}
	}
}

func TestPicturesAreWhite(t *testing.T) {
	for name, picture := range draw(t, sample()) {
		first := bytes.Index(picture, []byte("<path"))
		if line, _, _ := bytes.Cut(picture[first:], []byte("\n")); !bytes.Contains(line, []byte("fill:#FFFFFF")) {
			t.Errorf("%s begins with %s, want the white background", name, line)
		}
	}
}

func TestWhatWasNotMeasuredIsNotDrawn(t *testing.T) {
	figures := plots.Figures{Splits: sample().Splits}
	if pictures := draw(t, figures); len(pictures) != 1 || pictures["splits.svg"] == nil {
		t.Errorf("%d pictures, want that of the splits alone", len(pictures))
	}
	read, err := plots.Read(t.TempDir())
	if err != nil || read != (plots.Figures{}) {
		t.Errorf("%+v, %v, want no figures where there is no file", read, err)
	}
}

func TestFiguresThatDoNotFitAreRefused(t *testing.T) {
	short := sample()
	short.Rollout.Kept.P99 = short.Rollout.Kept.P99[1:]
	unmeasured := sample()
	unmeasured.Splits.Points = nil
	negative := sample()
	negative.Connections.Columns[0].Points[0].PerSecond.Least = -1
	for name, figures := range map[string]plots.Figures{"a second without its p99": short, "no split": unmeasured, "a rate below 0": negative} {
		docs := t.TempDir()
		if err := figures.Write(docs); err == nil {
			t.Errorf("%s: drawn, want an error", name)
		}
		if kept, err := plots.Read(docs); err != nil || kept.Splits == nil {
			t.Errorf("%s: %v, want the figures kept, which took long to measure", name, err)
		}
	}
}

func TestSpreads(t *testing.T) {
	for _, test := range []struct {
		runs []float64
		want plots.Spread
	}{
		{[]float64{7}, plots.Spread{Median: 7, Least: 7, Most: 7}},
		{[]float64{3, 1, 2}, plots.Spread{Median: 2, Least: 1, Most: 3}},
		{[]float64{4, 1, 2, 3}, plots.Spread{Median: 2.5, Least: 1, Most: 4}},
		{[]float64{1234.5, 0.0123456, 99.96}, plots.Spread{Median: 100, Least: 0.0123, Most: 1230}},
	} {
		if got := plots.SpreadOf(test.runs); got != test.want {
			t.Errorf("%v: %+v, want %+v", test.runs, got, test.want)
		}
	}
}

func TestFiguresAreWrittenInAStableForm(t *testing.T) {
	docs := t.TempDir()
	if err := (plots.Figures{Rollout: &plots.Rollout{
		Taken: plots.Taken{Date: "2026-01-02", Commit: "1234567", Machine: "a machine, [1, 2]", Nodes: 3},
		Kept:  latencies(200, 2, 1), Anew: latencies(5, 2, 30),
	}}).Write(docs); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(docs, "benchmarks.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\n      \"seconds\": [0, 1],\n", "\"date\": \"2026-01-02\",\n", `"machine": "a machine, [1, 2]"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// What the documentation shows is drawn from what it tells.
func TestPublishedPicturesAreOfThePublishedFigures(t *testing.T) {
	figures, err := plots.Read(published)
	if err != nil {
		t.Fatal(err)
	}
	pictures := map[string][]byte{}
	if figures != (plots.Figures{}) { // Otherwise none was measured yet.
		pictures = draw(t, figures)
		if *update {
			if err := figures.Write(published); err != nil {
				t.Fatal(err)
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(published, "benchmarks.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range regexp.MustCompile(`\]\(benchmarks/([^)]+)\)`).FindAllSubmatch(text, -1) {
		if _, drawn := pictures[string(shown[1])]; !drawn {
			t.Errorf("docs/benchmarks.md shows %s, which no published figures draw: measure them by `make bench`", shown[1])
		}
	}
	for name, picture := range pictures {
		if got, err := os.ReadFile(filepath.Join(published, "benchmarks", name)); err != nil || !bytes.Equal(got, picture) {
			t.Errorf("docs/benchmarks/%s is not what docs/benchmarks.json draws (%v): run `make golden`", name, err)
		}
		if len(picture) > mostBytes {
			t.Errorf("%s has %d bytes, want at most %d", name, len(picture), mostBytes)
		}
	}
}

func draw(t *testing.T, figures plots.Figures) map[string][]byte {
	t.Helper()
	pictures, err := figures.Draw()
	if err != nil {
		t.Fatal(err)
	}
	return pictures
}

// textOf the elements of a picture, which must be XML with an svg at its root.
func textOf(t *testing.T, name string, picture []byte) (found []string) {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(picture))
	root := ""
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if root == "" {
				root = token.Name.Local
			}
		case xml.CharData:
			if text := strings.TrimSpace(string(token)); text != "" {
				found = append(found, text)
			}
		}
	}
	if root != "svg" {
		t.Errorf("%s: the root is %q, want svg", name, root)
	}
	return found
}

// sample figures are made up, and as many as are measured.
func sample() plots.Figures {
	taken := plots.Taken{Date: "2026-01-02", Commit: "1234567", Machine: "a machine", Nodes: 3}
	around := func(value float64) plots.Spread { return plots.SpreadOf([]float64{0.9 * value, value, 1.15 * value}) }
	rate := func(value float64) plots.Rate { return plots.Rate{Spread: around(value), Requests: 1000, Failed: 1} }
	splits := &plots.Splits{Taken: taken, TotalMillicores: 600, Connections: 8, Runs: 3, Seconds: 5}
	for _, cache := range []int{40, 80, 120, 200, 300} {
		splits.Points = append(splits.Points, plots.Split{
			CacheMillicores: cache, Kept: rate(15 * float64(cache)), Administrator: rate(0.02 * float64(600-cache)),
		})
	}
	connections := &plots.Connections{Taken: taken, Runs: 3, Seconds: 5}
	for i, name := range []string{"kept front page", "front page made anew", "the tutorial's manifests"} {
		column := plots.Column{Name: name}
		for count := 1; count <= 64; count *= 2 {
			pages := []float64{1800, 13, 9}[i] * math.Min(1, float64(count)/4)
			column.Points = append(column.Points, plots.Asked{
				Connections: count, PerSecond: rate(pages), Mean: around(1000 * float64(count) / pages),
			})
		}
		connections.Columns = append(connections.Columns, column)
	}
	rollout := &plots.Rollout{
		Taken: taken, Kept: latencies(200, 160, 2), Anew: latencies(5, 160, 90),
		Phases: []plots.Phase{{Name: "WordPress is restarted", From: 15, Until: 70.5}, {Name: "the cache is restarted", From: 85, Until: 140.2}},
	}
	rollout.Anew.Failed = 2
	return plots.Figures{Splits: splits, Rollout: rollout, Connections: connections}
}

// latencies of so many seconds, the tenth of which no request was sent in.
func latencies(perSecond float64, seconds int, typical float64) plots.Latencies {
	found := plots.Latencies{PerSecond: perSecond, Requests: int(perSecond) * seconds}
	for second := range seconds {
		if second == 10 {
			continue
		}
		found.Seconds = append(found.Seconds, second)
		wave := typical * (1.5 + math.Sin(float64(second)/3))
		found.P50, found.Max = append(found.P50, plots.Round(wave)), append(found.Max, plots.Round(12*wave))
		if perSecond >= 100 {
			found.P99 = append(found.P99, plots.Round(4*wave))
		}
	}
	return found
}

func ExampleRound() {
	fmt.Println(plots.Round(12345), plots.Round(1.23456), plots.Round(0))
	// Output: 12300 1.23 0
}
