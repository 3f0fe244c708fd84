package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// listing is what the repository of the backups holds, as the pod tells it that looks.
type listing struct {
	snapshots []snapshot
	bytes     int64
	drill     drill
	// log is what there is of MySQL's binary log.
	log binlog
}

// snapshot as restic lists it.
type snapshot struct {
	Time    time.Time `json:"time"`
	Tags    []string  `json:"tags"`
	Summary struct {
		Bytes int64 `json:"total_bytes_processed"`
	} `json:"summary"`
}

// drill is the last one's result. The zero value: there was none.
type drill struct {
	Run            string `json:"run"`
	Passed         bool   `json:"passed"`
	Reason         string `json:"reason"`
	Seconds        int64  `json:"seconds"`
	Posts          int    `json:"posts"`
	Users          int    `json:"users"`
	Tables         int    `json:"tables"`
	Uploads        int    `json:"uploads"`
	MissingUploads int    `json:"missingUploads"`
	VerifiedFiles  int    `json:"verifiedFiles"`
}

// Tags of the snapshots: their kinds, the marks by which a run counts, and its name.
const (
	databaseTag = "database"
	contentTag  = "content"
	completeTag = "complete"
	beforeTag   = "before"
	importedTag = "imported"
	drillTag    = "drill"
	runTag      = "run-"
)

// readListing finds the three lines of JSON among what the pod printed, and the fourth, which is there with a binary log.
func readListing(printed string) (listing, error) {
	var l listing
	var stats struct {
		Bytes *int64 `json:"total_size"`
	}
	var into []any
	for line := range strings.Lines(printed) {
		if strings.HasPrefix(line, "[") { // of the last pod that tried
			into = []any{&l.snapshots, &stats, &l.drill, &l.log}
		}
		if len(into) == 0 || !strings.HasPrefix(line, "[") && !strings.HasPrefix(line, "{") {
			continue
		}
		if err := json.Unmarshal([]byte(line), into[0]); err != nil {
			return listing{}, fmt.Errorf("the list of the backups: %w: %s", err, strings.TrimSpace(line))
		}
		into = into[1:]
	}
	if into == nil || len(into) > 1 || stats.Bytes == nil { // the snapshots stand first
		return listing{}, fmt.Errorf("the list of the backups did not come to its end:\n%s", printed)
	}
	l.bytes = *stats.Bytes
	return l, nil
}

// savedRun is what belongs to one time.
type savedRun struct {
	name              string
	at                time.Time
	database, content *int64
	// complete is a night's, before what was there before a restore, and imported came from another host.
	complete, before, imported bool
}

// runs are the newest first.
func (l listing) runs() []*savedRun {
	found := map[string]*savedRun{}
	for _, snapshot := range l.snapshots {
		index := slices.IndexFunc(snapshot.Tags, func(tag string) bool { return strings.HasPrefix(tag, runTag) })
		if index < 0 {
			continue
		}
		name := snapshot.Tags[index]
		if found[name] == nil {
			found[name] = &savedRun{name: name, at: snapshot.Time}
		}
		found[name].add(snapshot)
	}
	return slices.SortedFunc(maps.Values(found), func(a, b *savedRun) int { return cmp.Or(b.at.Compare(a.at), cmp.Compare(a.name, b.name)) })
}

func (r *savedRun) add(of snapshot) {
	for _, tag := range of.Tags {
		switch tag {
		case databaseTag:
			r.database = &of.Summary.Bytes
		case contentTag:
			r.content = &of.Summary.Bytes
		case completeTag:
			r.complete = true
		case beforeTag:
			r.before = true
		case importedTag:
			r.imported = true
		}
	}
}

// remark says what is not as with most.
func (r *savedRun) remark() string {
	switch {
	case r.before:
		return "saved before a restore"
	case r.imported:
		return "from another host"
	case !r.complete:
		return "came to no end, or is under way: it cannot be restored"
	default:
		return ""
	}
}

// show prints the listing for a person.
func (l listing) show(out io.Writer, now time.Time) error {
	rows := []string{"RUN\tAGE\tDATABASE\tWP-CONTENT\t"}
	for _, run := range l.runs() {
		rows = append(rows, strings.Join([]string{run.name, age(now.Sub(run.at)), size(run.database), size(run.content), run.remark()}, "\t"))
	}
	if len(rows) == 1 {
		rows = append(rows, "nothing has been saved yet")
	}
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	_, err := fmt.Fprintf(table, "%s\n", strings.Join(rows, "\n"))
	if err = errors.Join(err, table.Flush()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "in the repository: %s\nthe last drill: %s\n%s", size(&l.bytes), l.drillSentence(now), l.seconds())
	return err
}

func (l listing) drillSentence(now time.Time) string {
	if l.drill == (drill{}) {
		return "there was none"
	}
	var at time.Time
	for _, snapshot := range l.snapshots {
		if slices.Contains(snapshot.Tags, drillTag) && snapshot.Time.After(at) {
			at = snapshot.Time
		}
	}
	d := l.drill
	with := ""
	if d.Run != "" {
		with = " with " + d.Run
	}
	if !d.Passed {
		return fmt.Sprintf("FAILED %s ago%s: %s", age(now.Sub(at)), with, d.Reason)
	}
	return fmt.Sprintf("passed %s ago%s, in %d s: %d tables, %d posts, %d users, %d uploads of which %d are missing, %d files read and compared",
		age(now.Sub(at)), with, d.Seconds, d.Tables, d.Posts, d.Users, d.Uploads, d.MissingUploads, d.VerifiedFiles)
}

// age in the unit that a person would take.
func age(of time.Duration) string {
	switch {
	case of < 2*time.Hour:
		return fmt.Sprintf("%d min", int(of.Minutes()))
	case of < 48*time.Hour:
		return fmt.Sprintf("%d h", int(of.Hours()))
	default:
		return fmt.Sprintf("%d d", int(of.Hours()/24))
	}
}

// size in the unit that a person would take. Nil: there is nothing.
func size(bytes *int64) string {
	if bytes == nil {
		return "-"
	}
	value, unit := float64(*bytes)/(1<<20), "MiB"
	if value >= 1024 {
		value, unit = value/1024, "GiB"
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}
