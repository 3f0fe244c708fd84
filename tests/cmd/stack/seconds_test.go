package main

import (
	"strings"
	"testing"
	"time"
)

func TestSecondsAreListed(t *testing.T) {
	const printed = `[{"time":"2026-11-28T02:17:00Z","tags":["complete","run-20261128T021700Z","gtid-a:1-5","since-20261128T021805Z"]},` +
		`{"time":"2026-11-29T01:00:00Z","tags":["before","run-20261129T010000Z","gtid-a:1-7","since-20261129T010001Z"]},` +
		`{"time":"2026-11-29T02:17:00Z","tags":["complete","run-20261129T021700Z","gtid-a:1-9","since-20261129T021805Z"]},` +
		`{"time":"2026-11-20T02:17:00Z","tags":["complete","run-20261120T021700Z"]}]
{"total_size":3221225472}
{}
{"binlog":[{"tags":["binlog","chain-20261127T120000Z","file-000001","until-00000000T000000Z"]},` +
		`{"tags":["binlog","chain-20261127T120000Z","file-000002","until-20261128T235959Z"]},` +
		`{"tags":["binlog","chain-20261129T000000Z","file-000001","until-20261129T140307Z"]},` +
		`{"tags":["binlog","chain-20261129T150000Z","file-000001","until-20261129T150000Z"]}]}
`
	list, err := readListing(printed)
	if err != nil {
		t.Fatal(err)
	}
	const want = `any second can be restored, by AT, from 2026-11-28 02:18:05 to 2026-11-28 23:59:59 UTC
any second can be restored, by AT, from 2026-11-29 02:18:05 to 2026-11-29 14:03:07 UTC
no second can be restored of the binary log from 2026-11-29 15:00:00 on, until a run has been made since
`
	if got := list.seconds(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var out strings.Builder
	if err := list.show(&out, time.Now()); err != nil || !strings.HasSuffix(out.String(), want) {
		t.Errorf("%v:\n%s", err, &out)
	}
}

func TestWithoutABinaryLogNoSecondIsListed(t *testing.T) {
	list, err := readListing("[]\n{\"total_size\":0}\n{}\n")
	if got := list.seconds(); err != nil || got != "" {
		t.Errorf("%v: %q", err, got)
	}
}
