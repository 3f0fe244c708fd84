package preflight

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// listening is a TCP socket's state in the kernel's table (include/net/tcp_states.h).
const listening = "0A"

// unknownUser is what portUser answers when the process is another user's or in another namespace.
const unknownUser = "a process that cannot be seen from here"

// portUser names the process that listens on the port.
func portUser(port int) string {
	inodes := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		raw, _ := os.ReadFile(table)
		for _, inode := range listeners(string(raw), port) {
			inodes["socket:["+inode+"]"] = true
		}
	}
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, link := range links {
		target, err := os.Readlink(link)
		if err == nil && inodes[target] {
			return processName(filepath.Dir(filepath.Dir(link)))
		}
	}
	return unknownUser
}

// listeners returns the socket numbers of those lines of the kernel's table that listen on the port.
func listeners(table string, port int) []string {
	const local, state, inode = 1, 3, 9
	var found []string
	for _, line := range strings.Split(table, "\n") {
		fields := strings.Fields(line)
		if len(fields) <= inode || fields[state] != listening {
			continue
		}
		_, hex, _ := strings.Cut(fields[local], ":")
		if number, err := strconv.ParseUint(hex, 16, 16); err == nil && int(number) == port {
			found = append(found, fields[inode])
		}
	}
	return found
}

func processName(dir string) string {
	arguments, err := os.ReadFile(filepath.Join(dir, "cmdline"))
	if err != nil {
		return unknownUser
	}
	command := strings.TrimSpace(strings.ReplaceAll(string(arguments), "\x00", " "))
	return fmt.Sprintf("process %s (%s)", filepath.Base(dir), command)
}
