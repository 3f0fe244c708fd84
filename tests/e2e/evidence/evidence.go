// Package evidence keeps what the proofs found as JSON, one file a result, and tells it as Markdown.
package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"
)

// The contenders, which are the columns of the table.
const (
	// Tutorial is the tutorial's manifests in current API versions.
	Tutorial = "tutorial"
	// Ours is this program.
	Ours = "ours"
)

// The verdicts on a promise.
const (
	Held   = "held"
	Broken = "broken"
	// Measured is a figure that no promise bounds.
	Measured = "measured"
	// NotTried needs a Figure that gives the reason.
	NotTried = "not tried"
)

var verdicts = []string{Held, Broken, Measured, NotTried}

// Result is what one try of one promise found for one contender; or, with a Breakage, whether the proof of the promise
// noticed that it was deliberately broken.
type Result struct {
	// Promise is its number in the table, from 1.
	Promise int `json:"promise"`
	// Part tells several tries of one promise apart, for instance "image" and "setting"; empty when there is one.
	Part string `json:"part,omitempty"`
	// Title is the promise in a few words, and Tried what was done.
	Title string `json:"title"`
	Tried string `json:"tried,omitempty"`
	// Contender is Tutorial or Ours.
	Contender string `json:"contender"`
	// Verdict is Held, Broken, Measured or NotTried; empty with a Breakage.
	Verdict string `json:"verdict,omitempty"`
	// Figure is what was measured, one line for a table's cell, and Figures its numbers. What was tried and is no Breakage has at least
	// one; results of before there were Figures have none.
	Figure  string  `json:"figure"`
	Figures Figures `json:"figures,omitempty"`
	// Breakage is what was deliberately broken, and Caught whether the proof then failed.
	Breakage string `json:"breakage,omitempty"`
	Caught   bool   `json:"caught,omitempty"`
	// Requests, how many of them Failed, and Rounds of the try; 0 where it counts none.
	Requests int64 `json:"requests,omitempty"`
	Failed   int64 `json:"failed,omitempty"`
	Rounds   int64 `json:"rounds,omitempty"`
	// DurationSeconds is how long the try took, the longest of its Runs; 0 where nobody took the time.
	DurationSeconds float64 `json:"durationSeconds,omitempty"`
	// AddsUp says that the rounds of several runs at one commit may be added up, and Runs how many were, where it is more than one. Every
	// count among the Figures must make sense as a sum.
	AddsUp bool  `json:"addsUp,omitempty"`
	Runs   int64 `json:"runs,omitempty"`
	// Sentences are the Figure of each run that was added up.
	Sentences []string `json:"sentences,omitempty"`
	// Long is the long form of the try.
	Long bool      `json:"long"`
	At   time.Time `json:"at"`
	// Commit that the program and the proof were at.
	Commit string `json:"commit"`
	// Details are the raw measurements, as anything that JSON can hold.
	Details any `json:"details,omitempty"`
}

// Store keeps results in a folder, which it makes when there is none.
type Store struct {
	Dir string
	// lock is held by the process that has taken the folder.
	lock *os.File
}

// Keep writes a result to <number>-<title>-<part>-<contender>.json, in place of an earlier one of the same name. A
// reader never sees half of it. The error lists everything that the result lacks.
func (s *Store) Keep(result Result) error {
	if err := errors.Join(result.check(), result.checkFigures()); err != nil {
		return fmt.Errorf("result of promise %d for %q: %w", result.Promise, result.Contender, err)
	}
	text, err := json.MarshalIndent(result, "", "  ")
	if err != nil {
		return fmt.Errorf("result %s: %w", result.fileName(), err)
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return err
	}
	return replaceFile(filepath.Join(s.Dir, result.fileName()), append(text, '\n'))
}

// ErrTaken says that another run keeps its results in the same folder.
var ErrTaken = errors.New("another run publishes its results from here: wait for its end")

// Take keeps other runs out of the folder for as long as this process lives. One that cleared it would take away what this one has found,
// and one that published from it would tell the same twice. ErrTaken: another process has it.
func (s *Store) Take() error {
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(s.Dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return errors.Join(ErrTaken, file.Close())
	}
	s.lock = file
	return nil
}

// Clear forgets all results, so that none is told of which this run knows nothing.
func (s *Store) Clear() error {
	paths, err := filepath.Glob(filepath.Join(s.Dir, "*.json"))
	for _, path := range paths {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// Load reads all results in a folder. Two of the same try are an error: a promise got another title, and the file with the
// old one must go.
func Load(dir string) ([]Result, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s holds no results", dir)
	}
	results := make([]Result, 0, len(paths))
	seen := map[string]string{}
	for _, path := range paths {
		result, err := read(path)
		if err != nil {
			return nil, err
		}
		if other, twice := seen[result.identity()]; twice {
			return nil, fmt.Errorf("%s and %s are results of the same try: delete the one with the old title", other, path)
		}
		seen[result.identity()] = path
		results = append(results, result)
	}
	return results, nil
}

func read(path string) (Result, error) {
	var result Result
	text, err := os.ReadFile(path)
	if err != nil {
		return result, err
	}
	if err := json.Unmarshal(text, &result); err != nil {
		return result, fmt.Errorf("%s: %w", path, err)
	}
	if err := result.check(); err != nil {
		return result, fmt.Errorf("%s: %w", path, err)
	}
	return result, nil
}

// check lists what the tables need and the result lacks.
func (r Result) check() error {
	var problems []error
	require := func(holds bool, problem string, args ...any) {
		if !holds {
			problems = append(problems, fmt.Errorf(problem, args...))
		}
	}
	require(r.Promise >= 1, "promise %d, want a number from 1", r.Promise)
	require(r.Title != "", "no title")
	require(r.Contender == Tutorial || r.Contender == Ours, "contender %q, want %q or %q", r.Contender, Tutorial, Ours)
	require(r.Figure != "", "no figure")
	require(!r.At.IsZero(), "no time")
	if r.Breakage != "" {
		require(r.Verdict == "", "verdict %q on a deliberate breakage, which is caught or not", r.Verdict)
	} else {
		require(slices.Contains(verdicts, r.Verdict), "verdict %q, want one of %q", r.Verdict, verdicts)
		require(!r.Caught, "caught, but no breakage")
	}
	return errors.Join(problems...)
}

// checkFigures lists what results of before there were Figures lack.
func (r Result) checkFigures() error {
	problem := r.Figures.check()
	if len(r.Figures) == 0 && r.Breakage == "" && r.Verdict != NotTried {
		problem = errors.Join(problem, errors.New("no figures: what was tried has at least its rounds"))
	}
	return problem
}

// identity is what two results of the same try have in common.
func (r Result) identity() string {
	return fmt.Sprintf("%d %q %q %q", r.Promise, r.Part, r.Breakage, r.Contender)
}

func (r Result) fileName() string {
	return fmt.Sprintf("%02d-%s-%s.json", r.Promise, slug(r.Title+" "+r.Part+" "+r.Breakage), r.Contender)
}

// slug is a text as part of a file's name: its letters and digits, with a hyphen for all between.
func slug(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	return strings.Join(words, "-")
}

// replaceFile writes beside the file and renames, so that a crash leaves the old content or the new.
func replaceFile(path string, text []byte) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	_, err = file.Write(text)
	if err = errors.Join(err, file.Chmod(0o644), file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
