package database

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed files/binlog.cnf
var binlogConfig string

//go:embed files/spare.sh
var spareScript string

// Lines of the files of a server without a binary log that another one has something else for.
const (
	withoutLog = "disable_log_bin\n"
	emptyAll   = "find \"$temporary\" -mindepth 1 -delete\n"
)

// withLog has the files keep a binary log for so many seconds; for 0 they stay as they are.
//
// What is written while a server runs without its log, after a setting was taken back or with an earlier program, is in no log: one
// that goes on afterwards would have a gap that nobody sees. So it lies in the folder that every server without a log empties when it starts,
// and the next one with a log begins anew.
func withLog(config, start string, seconds int) (configWithLog, startWithLog string) {
	if seconds == 0 {
		return config, start
	}
	return replaced(config, withoutLog, fmt.Sprintf(binlogConfig, seconds)), replaced(start, emptyAll, spareScript)
}

// replaced panics where there is nothing to replace, which is a mistake in this package.
func replaced(text, old, replacement string) string {
	if strings.Count(text, old) != 1 {
		panic(fmt.Sprintf("database: %q is not once in a file", old))
	}
	return strings.Replace(text, old, replacement, 1)
}
