package images

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// madeUp makes the runs of so many days, every STEPth from the FIRST, with the functions of the program's own scripts. Each has a database of its own,
// which stands for the files too.
const madeUp = `. /scripts/common.sh
for ((day = FIRST; day <= DAYS; day += STEP)); do
	date -d "$day days ago 02:17" +run-%Y%m%dT%H%M%SZ >/shared/run
	snapshot database --stdin-filename wordpress.sql --stdin-from-command -- head -c 20000 /dev/urandom
	cp /shared/database /shared/content
	complete "complete"
done`

// TestKeptRunsAreThoseOfKeep makes runs up that are as old as 400 days, and has the program's own scripts let go what need not be kept.
func TestKeptRunsAreThoseOfKeep(t *testing.T) {
	needLong(t)
	s := newSaved(t)
	s.save(t) // the repository is there, and the newest run
	s.more = map[string]string{"made-up.sh": madeUp}
	const days, atOnce = 400, 2
	var made []*container
	for first := range atOnce {
		made = append(made, s.begin(t, []string{fmt.Sprint("FIRST=", first+1), fmt.Sprint("DAYS=", days), fmt.Sprint("STEP=", atOnce)}, "made-up.sh"))
	}
	for _, one := range made {
		select {
		case <-one.done:
		case <-time.After(30 * time.Minute):
		}
		if one.state == nil || !one.state.Success() {
			t.Fatalf("the runs could not be made up:\n%s", tail(one.log.String(), 10, 300))
		}
	}
	before := s.listed(t)
	if len(before.complete) != days+1 || len(before.database) != days+1 {
		t.Fatalf("%d marks and %d databases are made up, want %d", len(before.complete), len(before.database), days+1)
	}
	size := bytesIn(t, s.repository)
	s.save(t)
	s.must(t, nil, "care.sh")
	after := s.listed(t)
	all := append(slices.Clone(before.complete), after.complete[len(after.complete)-1])
	want := keptOf(t, all)
	if !slices.Equal(after.complete, want) {
		t.Errorf("kept are\n%q\nwant\n%q", after.complete, want)
	}
	if !slices.Equal(after.database, after.complete) {
		t.Errorf("the databases that are kept are of\n%q\nand the runs that count\n%q", after.database, after.complete)
	}
	if now := bytesIn(t, s.repository); now > size/4 {
		t.Errorf("%d of %d runs take %d of %d bytes", len(after.complete), len(all), now, size)
	}
	s.must(t, nil, "drill.sh")
}

// runs of the repository by what of them is there, the oldest first.
type runs struct{ complete, database []string }

func (s *saved) listed(t *testing.T) (found runs) {
	t.Helper()
	text := s.must(t, []string{"TASK=list"}, "care.sh")
	var snapshots []struct {
		Tags []string `json:"tags"`
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "[") {
			noError(t, json.Unmarshal([]byte(line), &snapshots))
		}
	}
	for _, one := range snapshots {
		for kind, into := range map[string]*[]string{"complete": &found.complete, "database": &found.database} {
			if one.Tags[0] == kind {
				*into = append(*into, one.Tags[1])
			}
		}
	}
	slices.Sort(found.complete)
	slices.Sort(found.database)
	return found
}

var keepOption = regexp.MustCompile(`--keep-(last|daily|weekly|monthly) (\d+)`)

// keptOf are the runs that the program's options keep: the newest, and the last of so many days, weeks and months.
func keptOf(t *testing.T, all []string) []string {
	t.Helper()
	options := keepOption.FindAllStringSubmatch(plannedIn(t, "prod", "restore.sh")["content.sh"], -1)
	if len(options) != 4 {
		t.Fatalf("the program keeps by %q", options)
	}
	var kept []string
	for _, option := range options {
		count, err := strconv.Atoi(option[2])
		noError(t, err)
		seen := map[string]bool{}
		for _, run := range slices.Backward(all) {
			at, err := time.Parse("run-20060102T150405Z", run)
			noError(t, err)
			year, week := at.ISOWeek()
			period := map[string]string{
				"last": run, "daily": at.Format(time.DateOnly), "weekly": fmt.Sprint(year, week), "monthly": at.Format("2006-01"),
			}[option[1]]
			if !seen[period] && len(seen) < count {
				seen[period] = true
				kept = append(kept, run)
			}
		}
	}
	slices.Sort(kept)
	return slices.Compact(kept)
}

// bytesIn the files of a folder.
func bytesIn(t *testing.T, folder string) (sum int64) {
	t.Helper()
	noError(t, filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	}))
	return sum
}

// TestDumpStopsNoReads reads a table that a long query reads as well, while it is dumped as the program does it, and as most do who want a position in
// the binary log.
func TestDumpStopsNoReads(t *testing.T) {
	needLong(t)
	m := newMySQL(t)
	m.awaitReady(t, m.start(t))
	m.query(t, "root", rootPassword, "CREATE TABLE word_press.posts (id INT PRIMARY KEY); INSERT INTO word_press.posts VALUES (1)")
	_, options, found := strings.Cut(strings.ReplaceAll(plannedIn(t, "prod", "restore.sh")["dump.sh"], "\\\n", " "), "mysqldump --defaults-extra-file=/tmp/client.cnf")
	options, _, ends := strings.Cut(options, "--ignore-table")
	if !found || !ends {
		t.Fatal("dump.sh runs mysqldump otherwise than this test knows")
	}
	own := strings.Fields(options)
	if slowest := m.slowestReadDuring(t, own); slowest > time.Second {
		t.Errorf("a read takes %s while the program dumps", slowest)
	}
	position := append(slices.Clone(own), "--source-data=2")
	if slowest := m.slowestReadDuring(t, position); slowest < 2*time.Second {
		t.Errorf("a read takes %s with a position in the binary log: this test notices nothing", slowest)
	}
}

// slowestReadDuring a dump beside a query of some seconds.
func (m *mysql) slowestReadDuring(t *testing.T, options []string) (slowest time.Duration) {
	t.Helper()
	const query = "SELECT SLEEP(6) FROM word_press.posts"
	long := m.client("root", rootPassword, query)
	noError(t, long.Start())
	defer func() { _ = long.Wait() }()
	await(t, "the long query", func() bool {
		return strings.Contains(m.query(t, "root", rootPassword, "SHOW FULL PROCESSLIST"), query)
	})
	dump := m.client("root", rootPassword, "")
	dump.Args = slices.Concat([]string{"chroot", m.root, "mysqldump", "--no-defaults", "--host=127.0.0.1", fmt.Sprintf("--port=%d", m.port), "--user=root"},
		options, []string{"word_press"})
	dumped := make(chan error, 1)
	go func() { dumped <- dump.Run() }()
	for {
		began := time.Now()
		m.query(t, "root", rootPassword, "SELECT COUNT(*) FROM word_press.posts")
		slowest = max(slowest, time.Since(began))
		select {
		case err := <-dumped:
			noError(t, err)
			return slowest
		default:
		}
	}
}
