package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"wordpress-on-kubernetes/tests/stack"
)

// machineState is what a cluster could leave behind, by kind: network links, routes, packet filter rules, mounts,
// control groups and processes.
type machineState map[string][]string

// snapshot looks at the machine from outside the cluster.
func snapshot(project *stack.Project) (machineState, error) {
	looks := map[string]func(*stack.Project) ([]string, error){
		"link":          links,
		"route":         func(*stack.Project) ([]string, error) { return lines("/proc/net/route") },
		"filter rule":   filterRules,
		"mount":         func(*stack.Project) ([]string, error) { return lines("/proc/self/mounts") },
		"control group": controlGroups,
		"process":       processes,
	}
	state := machineState{}
	for kind, look := range looks {
		found, err := look(project)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		slices.Sort(found)
		state[kind] = found
	}
	return state, nil
}

// compareMachine reports everything that is there now and was not before, or the other way round.
func compareMachine(project *stack.Project, before machineState) error {
	after, err := snapshot(project)
	if err != nil {
		return err
	}
	var differences []error
	for kind := range before {
		for _, item := range after[kind] {
			if !slices.Contains(before[kind], item) {
				differences = append(differences, fmt.Errorf("left behind: %s %s", kind, item))
			}
		}
		for _, item := range before[kind] {
			if !slices.Contains(after[kind], item) {
				differences = append(differences, fmt.Errorf("gone: %s %s", kind, item))
			}
		}
	}
	return errors.Join(differences...)
}

func lines(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	return strings.Split(strings.TrimSpace(string(text)), "\n"), err
}

func links(*stack.Project) ([]string, error) {
	entries, err := os.ReadDir("/sys/class/net")
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names, err
}

// filterRules are what iptables-save prints, by the tool that the nodes use; a machine of its own need not have it.
func filterRules(project *stack.Project) ([]string, error) {
	root := filepath.Join(project.Local(), "noderoot")
	if _, err := os.Stat(root); errors.Is(err, fs.ErrNotExist) {
		return nil, nil // Nothing was ever built here, so nothing can have set a rule.
	}
	output, err := exec.Command("chroot", root, "iptables-save").Output()
	var rules []string
	for line := range strings.Lines(string(output)) {
		// Comments hold the time, and chains the number of packets.
		if strings.HasPrefix(line, "-") {
			rules = append(rules, strings.TrimSpace(line))
		}
	}
	return rules, err
}

// controlGroups are the uppermost ones of each hierarchy. What others make meanwhile is in groups that are there already,
// and a group of the cluster's cannot go before all within it have.
func controlGroups(*stack.Project) ([]string, error) {
	const root = "/sys/fs/cgroup"
	pattern := filepath.Join(root, "*", "*") // version 1: a hierarchy for each controller
	if _, err := os.Stat(filepath.Join(root, "cgroup.controllers")); err == nil {
		pattern = filepath.Join(root, "*")
	}
	paths, err := filepath.Glob(pattern)
	return slices.DeleteFunc(paths, func(path string) bool {
		entry, err := os.Stat(path)
		return err != nil || !entry.IsDir()
	}), err
}

// processes are those that belong to a cluster by their command line.
func processes(project *stack.Project) ([]string, error) {
	all, err := commandLines()
	var found []string
	for pid, commandLine := range all {
		for _, mark := range []string{filepath.Join(project.Local(), "bin", "cluster"), "/opt/kubernetes/bin", "containerd", "pause"} {
			if strings.Contains(commandLine, mark) {
				found = append(found, fmt.Sprintf("%d %s", pid, commandLine))
				break
			}
		}
	}
	return found, err
}

func commandLines() (map[int]string, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	found := map[int]string{}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		// A process that has ended meanwhile has no command line.
		if text, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline")); err == nil {
			found[pid] = strings.TrimSpace(strings.ReplaceAll(string(text), "\x00", " "))
		}
	}
	return found, nil
}

// killSupervisor ends the process that holds the cluster, without notice.
func killSupervisor(project *stack.Project) error {
	pid, err := supervisor(project)
	if err != nil {
		return err
	}
	return syscall.Kill(pid, syscall.SIGKILL)
}

// supervisor is the process that holds the cluster, which may be another clone's whose folder this one's leads to.
func supervisor(project *stack.Project) (pid int, err error) {
	folder, err := filepath.EvalSymlinks(filepath.Join(project.Local(), "cluster"))
	if err != nil {
		return 0, err
	}
	all, err := commandLines()
	if err != nil {
		return 0, err
	}
	for pid, commandLine := range all {
		if strings.HasPrefix(commandLine, filepath.Join(filepath.Dir(folder), "bin", "cluster")) &&
			strings.Contains(commandLine, "supervise") {
			return pid, nil
		}
	}
	return 0, errors.New("no supervisor runs")
}
