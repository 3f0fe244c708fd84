// Package plots draws the pictures of docs/benchmarks.md from the figures in docs/benchmarks.json.
package plots

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Figures are all that was measured for pictures. What was not measured is nil.
type Figures struct {
	Splits      *Splits      `json:"splits,omitempty"`
	Rollout     *Rollout     `json:"rollout,omitempty"`
	Connections *Connections `json:"connections,omitempty"`
}

// Taken says when and on what figures were measured.
type Taken struct {
	// Date of the day, such as 2006-01-02.
	Date string `json:"date"`
	// Commit that was checked out; empty where that is not known.
	Commit string `json:"commit,omitempty"`
	// Machine in words.
	Machine string `json:"machine"`
	// Nodes of the cluster.
	Nodes int `json:"nodes"`
}

// Spread is the middle of several runs, with the least and the most of them.
type Spread struct {
	Median float64 `json:"median"`
	Least  float64 `json:"least"`
	Most   float64 `json:"most"`
}

// SpreadOf runs, of which there is at least one, rounded.
func SpreadOf(runs []float64) Spread {
	sorted := slices.Sorted(slices.Values(runs))
	last := len(sorted) - 1
	return Spread{Median: Round((sorted[last/2] + sorted[(last+1)/2]) / 2), Least: Round(sorted[0]), Most: Round(sorted[last])}
}

// Rate is how many requests a second were answered as they should be, in several runs.
type Rate struct {
	Spread
	// Requests of all runs, and those of them that failed and do not count for the rate.
	Requests int64 `json:"requests"`
	Failed   int64 `json:"failed"`
}

// failures of all rates, in words.
func failures(rates []Rate) string {
	var requests, failed int64
	for _, rate := range rates {
		requests, failed = requests+rate.Requests, failed+rate.Failed
	}
	return fmt.Sprintf("%d of %d requests failed", failed, requests)
}

// Splits is how fast the site is when the same processor time is divided in other ways.
type Splits struct {
	Taken Taken `json:"taken"`
	// TotalMillicores of all pods of the cache and of WordPress together.
	TotalMillicores int `json:"totalMillicores"`
	// Connections that ask at a time, so often for so many seconds.
	Connections int     `json:"connections"`
	Runs        int     `json:"runs"`
	Seconds     int     `json:"secondsEach"`
	Points      []Split `json:"points"`
}

// Split is one way to divide the processor time.
type Split struct {
	// CacheMillicores of all pods of the cache together. WordPress's pods have the rest.
	CacheMillicores int `json:"cacheMillicores"`
	// Kept front pages a second, and those that were made for an administrator.
	Kept          Rate `json:"keptPerSecond"`
	Administrator Rate `json:"administratorPerSecond"`
}

// Rollout is how long pages take while all pods are replaced.
type Rollout struct {
	Taken  Taken   `json:"taken"`
	Phases []Phase `json:"phases"`
	// Kept is the front page that the cache may have, and Anew one that WordPress makes for each request.
	Kept Latencies `json:"kept"`
	Anew Latencies `json:"anew"`
}

// Phase is something that goes on for a while, in seconds since the first request.
type Phase struct {
	Name  string  `json:"name"`
	From  float64 `json:"fromSeconds"`
	Until float64 `json:"untilSeconds"`
}

// Latencies are how long the requests of each second took, in milliseconds, by the second in which they were sent.
type Latencies struct {
	PerSecond float64 `json:"askedPerSecond"`
	Requests  int     `json:"requests"`
	Failed    int     `json:"failed"`
	// Seconds since the first request in which any was sent. The others are as long as this one, P99 also empty: of fewer requests than a
	// hundred, the slowest hundredth is the slowest.
	Seconds []int     `json:"seconds"`
	P50     []float64 `json:"p50Milliseconds"`
	P99     []float64 `json:"p99Milliseconds,omitempty"`
	Max     []float64 `json:"maxMilliseconds"`
}

// Connections is how fast sites are when more or fewer connections ask at a time.
type Connections struct {
	Taken   Taken    `json:"taken"`
	Runs    int      `json:"runs"`
	Seconds int      `json:"secondsEach"`
	Columns []Column `json:"columns"`
}

// Column is what was asked of one site.
type Column struct {
	Name   string  `json:"name"`
	Points []Asked `json:"points"`
}

// Asked is what one number of connections got.
type Asked struct {
	Connections int  `json:"connections"`
	PerSecond   Rate `json:"perSecond"`
	// Mean latency in milliseconds, of failed requests too.
	Mean Spread `json:"meanMilliseconds"`
}

// Round to three digits: more differ from run to run.
func Round(value float64) float64 {
	if value == 0 || math.IsNaN(value) || math.IsInf(value, 0) {
		return value
	}
	unit := math.Floor(math.Log10(math.Abs(value))) - 2
	if unit < 0 {
		scale := math.Pow(10, -unit)
		return math.Round(value*scale) / scale
	}
	scale := math.Pow(10, unit)
	return math.Round(value/scale) * scale
}

const (
	figuresFile = "benchmarks.json"
	// pictureFolder is in the folder of figuresFile.
	pictureFolder = "benchmarks"
)

// Read the figures in the folder docs. Where nothing was measured yet, there are none.
func Read(docs string) (found Figures, err error) {
	text, err := os.ReadFile(filepath.Join(docs, figuresFile))
	if errors.Is(err, fs.ErrNotExist) {
		return found, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &found)
	}
	if err != nil {
		return found, fmt.Errorf("figures of %s: %w", figuresFile, err)
	}
	return found, nil
}

// Write the figures to the folder docs, and the pictures to a folder in it. Figures that cannot be drawn are there all the same.
func (f Figures) Write(docs string) error {
	text, err := f.text()
	if err != nil {
		return err
	}
	folder := filepath.Join(docs, pictureFolder)
	if err := errors.Join(os.WriteFile(filepath.Join(docs, figuresFile), text, 0o644), os.MkdirAll(folder, 0o755)); err != nil {
		return err
	}
	pictures, err := f.Draw()
	for name, picture := range pictures {
		err = errors.Join(err, os.WriteFile(filepath.Join(folder, name), picture, 0o644))
	}
	return err
}

// numbers is an array that holds nothing else.
var numbers = regexp.MustCompile(`\[[\s\d.,e+-]+\]`)

// text has the figures of a picture on lines of their own, and each array of numbers on one.
func (f Figures) text() ([]byte, error) {
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(numbers.ReplaceAllFunc(text, func(array []byte) []byte {
		return []byte(strings.ReplaceAll(strings.Join(strings.Fields(string(array)), ""), ",", ", "))
	}), '\n'), nil
}

// Draw the pictures of what was measured, each an SVG by the name of its file.
func (f Figures) Draw() (map[string][]byte, error) {
	pictures := map[string][]byte{}
	draw := func(name string, panels []*panel, err error) error {
		if err != nil {
			return fmt.Errorf("picture %s: %w", name, err)
		}
		drawn, err := picture(panels)
		if err == nil {
			pictures[name] = drawn
		}
		return err
	}
	var problems []error
	if f.Splits != nil {
		panels, err := f.Splits.panels()
		problems = append(problems, draw("splits.svg", panels, err))
	}
	if f.Rollout != nil {
		panels, err := f.Rollout.panels()
		problems = append(problems, draw("rollout.svg", panels, err))
	}
	if f.Connections != nil {
		panels, err := f.Connections.panels()
		problems = append(problems, draw("connections.svg", panels, err))
	}
	return pictures, errors.Join(problems...)
}
