package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// binlog is what the storage has of MySQL's binary log, as the pod tells it that looks. The zero value: there is none.
type binlog struct {
	Snapshots []snapshot `json:"binlog"`
}

// Tags of its snapshots, and of the runs that know where they are in it.
const (
	chainTag = "chain-"
	untilTag = "until-"
	sinceTag = "since-"
)

// stamp is how tags have a second, in UTC.
const stamp = "20060102T150405Z"

// tagged is the time that a tag of the snapshot has. The zero time: it has no such tag.
func (s snapshot) tagged(prefix string) time.Time {
	for _, tag := range s.Tags {
		if text, found := strings.CutPrefix(tag, prefix); found {
			// What is no time, such as the zeros of a file that others come after, is none.
			at, _ := time.Parse(stamp, text)
			return at
		}
	}
	return time.Time{}
}

// stretch is of seconds that can be restored: all from one on up to another one.
type stretch struct{ begun, from, until time.Time }

// stretches of the log without a gap, the oldest first. One that no run has begun in yet has no first second.
func (l listing) stretches() []*stretch {
	var all []*stretch
	for _, snapshot := range l.log.Snapshots {
		begun, until := snapshot.tagged(chainTag), snapshot.tagged(untilTag)
		at := slices.IndexFunc(all, func(s *stretch) bool { return s.begun.Equal(begun) })
		if at < 0 {
			all = append(all, &stretch{begun: begun})
			at = len(all) - 1
		}
		if until.After(all[at].until) {
			all[at].until = until
		}
	}
	slices.SortFunc(all, func(a, b *stretch) int { return cmp.Compare(a.begun.Unix(), b.begun.Unix()) })
	for _, run := range l.snapshots {
		since := run.tagged(sinceTag)
		if since.IsZero() || !slices.Contains(run.Tags, completeTag) {
			continue
		}
		// Of the stretch that was the last one when the run began.
		for _, s := range slices.Backward(all) {
			if run.Time.Before(s.begun) {
				continue
			}
			if s.from.IsZero() || since.Before(s.from) {
				s.from = since
			}
			break
		}
	}
	return all
}

// seconds says which of them can be restored.
func (l listing) seconds() string {
	var lines strings.Builder
	for _, s := range l.stretches() {
		switch {
		case s.from.IsZero():
			fmt.Fprintf(&lines, "no second can be restored of the binary log from %s on, until a run has been made since\n", s.begun.Format(time.DateTime))
		case !s.from.After(s.until):
			fmt.Fprintf(&lines, "any second can be restored, by AT, from %s to %s UTC\n", s.from.Format(time.DateTime), s.until.Format(time.DateTime))
		}
	}
	return lines.String()
}
