package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// group is a pod's control group, as this machine, which runs the nodes, accounts for it. Both versions of control groups are known.
type group struct {
	// cpu and memory are the folders of the accounts.
	cpu, memory string
	unified     bool
}

// groupOf finds a pod's group by one of its processes.
func groupOf(pod *corev1.Pod) (group, error) {
	const root = "/sys/fs/cgroup"
	mark := "/pod" + string(pod.UID)
	tables, err := filepath.Glob("/proc/[0-9]*/cgroup")
	if err != nil {
		return group{}, err
	}
	for _, table := range tables {
		// A process that ends meanwhile has none and is not the one.
		text, _ := os.ReadFile(table)
		found := group{}
		for line := range strings.Lines(string(text)) {
			_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
			controllers, path, _ := strings.Cut(rest, ":")
			before, _, ours := strings.Cut(path, mark+"/")
			folder := before + mark
			switch {
			case !ours:
			case controllers == "":
				if _, err := os.Stat(filepath.Join(root, "cgroup.controllers")); err == nil {
					return group{cpu: filepath.Join(root, folder), memory: filepath.Join(root, folder), unified: true}, nil
				}
			default:
				for controller := range strings.SplitSeq(controllers, ",") {
					switch controller {
					case "cpuacct":
						found.cpu = filepath.Join(root, controller, folder)
					case "memory":
						found.memory = filepath.Join(root, controller, folder)
					}
				}
			}
		}
		if found.cpu != "" && found.memory != "" {
			return found, nil
		}
	}
	return group{}, fmt.Errorf("no process of pod %s is on this machine", pod.Name)
}

// processorTime that the pod has used so far.
func (g group) processorTime() (time.Duration, error) {
	if g.unified {
		used, err := g.entry(g.cpu, "cpu.stat", "usage_usec")
		return time.Duration(used) * time.Microsecond, err
	}
	used, err := number(filepath.Join(g.cpu, "cpuacct.usage"))
	return time.Duration(used), err
}

// workingSet is what the pod has in memory, without pages of files that it has not used lately, as the kubelet counts it.
func (g group) workingSet() (bytes int64, err error) {
	usage, inactive := "memory.usage_in_bytes", "total_inactive_file"
	if g.unified {
		usage, inactive = "memory.current", "inactive_file"
	}
	all, err := number(filepath.Join(g.memory, usage))
	if err != nil {
		return 0, err
	}
	unused, err := g.entry(g.memory, "memory.stat", inactive)
	return max(0, all-unused), err
}

// entry of a file that has one a line.
func (group) entry(folder, file, name string) (int64, error) {
	text, err := os.ReadFile(filepath.Join(folder, file))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			return strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no %s", filepath.Join(folder, file), name)
}

func number(path string) (int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}
