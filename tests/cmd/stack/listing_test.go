package main

import (
	"strings"
	"testing"
	"time"
)

func TestBackupsAreListed(t *testing.T) {
	const printed = `[{"time":"2026-11-28T02:17:00Z"}]
created new cache in /tmp/restic
[{"time":"2026-11-28T02:17:00Z","tags":["database","run-20261128T021700Z"],"summary":{"total_bytes_processed":12897485}},` +
		`{"time":"2026-11-28T02:17:00Z","tags":["content","run-20261128T021700Z"],"summary":{"total_bytes_processed":2254857830}},` +
		`{"time":"2026-11-28T02:17:00Z","tags":["complete","run-20261128T021700Z","at-https://a.example.com","database-1","content-2"],"summary":{}},` +
		`{"time":"2026-11-29T02:17:00Z","tags":["database","run-20261129T021700Z"],"summary":{"total_bytes_processed":12897485}},` +
		`{"time":"2026-11-29T09:00:00Z","tags":["database","run-20261129T090000Z"],"summary":{"total_bytes_processed":1048576}},` +
		`{"time":"2026-11-29T09:00:00Z","tags":["content","run-20261129T090000Z"],"summary":{"total_bytes_processed":0}},` +
		`{"time":"2026-11-29T09:00:00Z","tags":["before","run-20261129T090000Z"],"summary":{}},` +
		`{"time":"2026-11-27T06:47:00Z","tags":["drill","drill-passed","posts-3"]},{"time":"2026-11-29T06:47:00Z","tags":["drill"]}]
{"total_size":3221225472,"snapshots_count":5}
{"run":"run-20261128T021700Z","passed":false,"reason":"the table wp_posts is missing","seconds":12}
`
	list, err := readListing(printed)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := list.show(&out, time.Date(2026, 11, 29, 10, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	const want = `RUN                    AGE      DATABASE   WP-CONTENT
run-20261129T090000Z   60 min   1.0 MiB    0.0 MiB      saved before a restore
run-20261129T021700Z   7 h      12.3 MiB   -            came to no end, or is under way: it cannot be restored
run-20261128T021700Z   31 h     12.3 MiB   2.1 GiB
in the repository: 3.0 GiB
the last drill: FAILED 3 h ago with run-20261128T021700Z: the table wp_posts is missing
`
	var got strings.Builder
	for line := range strings.Lines(out.String()) {
		got.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &got, want)
	}
}

func TestAnEmptyRepositoryIsListed(t *testing.T) {
	list, err := readListing("[]\n{\"total_size\":0}\n{}\n")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := list.show(&out, time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"nothing has been saved yet", "the last drill: there was none"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("no %q in\n%s", text, &out)
		}
	}
}

func TestAListThatIsCutIsNoList(t *testing.T) {
	for _, printed := range []string{"", "[]\n", "[]\n{}\n{}\n", "[{\n{\"total_size\":0}\n{}\n"} {
		if list, err := readListing(printed); err == nil {
			t.Errorf("%q: %+v", printed, list)
		}
	}
}
