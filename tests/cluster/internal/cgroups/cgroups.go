// Package cgroups makes, joins and removes the control groups of the local cluster on the host, for both
// versions of the kernel's interface.
package cgroups

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Root is where the kernel's control groups are mounted.
const Root = "/sys/fs/cgroup"

const (
	procsFile = "cgroup.procs"
	// self stands for the writing process in cgroup.procs.
	self = "0"
	// unified is the version 2 hierarchy beside the version 1 ones on a hybrid machine. It has no controllers
	// there; runc makes its groups in it all the same.
	unified = "unified"
	// removePoll is how often the removal of a group whose processes are ending is tried again.
	removePoll = 50 * time.Millisecond
)

// required are the controllers without which a node cannot hold its pods to their limits.
var required = []string{"cpu", "cpuset", "memory", "pids"}

// Tree is the set of hierarchies of a machine.
type Tree struct {
	// Hierarchies are the folders to work in: one on version 2, one a controller on version 1.
	Hierarchies []string
	// Unified is the folder of a hybrid machine's version 2 hierarchy, "" where there is none.
	Unified string
	// V2 says which version of the interface it is.
	V2 bool
}

// Detect finds the hierarchies below root. A file tree without any is an error.
func Detect(root string) (Tree, error) {
	if _, err := os.Stat(filepath.Join(root, "cgroup.controllers")); err == nil {
		return Tree{Hierarchies: []string{root}, V2: true}, nil
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return Tree{}, fmt.Errorf("control groups: %w", err)
	}
	var tree Tree
	for _, entry := range entries {
		// A name such as cpu may be a link to cpu,cpuacct: only real folders count.
		dir := filepath.Join(root, entry.Name())
		switch {
		case !entry.IsDir() || !exists(filepath.Join(dir, procsFile)):
		case entry.Name() == unified:
			tree.Unified = dir
		default:
			tree.Hierarchies = append(tree.Hierarchies, dir)
		}
	}
	if len(tree.Hierarchies) == 0 {
		return Tree{}, fmt.Errorf("control groups: no hierarchy is mounted below %s", root)
	}
	return tree, nil
}

// Missing lists the controllers that Kubernetes needs and the machine does not offer.
func (t Tree) Missing() []string {
	available := map[string]bool{}
	for _, controller := range t.controllers() {
		available[controller] = true
	}
	var missing []string
	for _, controller := range required {
		if !available[controller] {
			missing = append(missing, controller)
		}
	}
	return missing
}

func (t Tree) controllers() []string {
	var all []string
	for _, dir := range t.Hierarchies {
		if t.V2 {
			raw, _ := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
			return strings.Fields(string(raw))
		}
		all = append(all, strings.Split(filepath.Base(dir), ",")...)
	}
	return all
}

// Create makes the group, such as "cluster/node1", in every hierarchy. One that exists is kept.
func (t Tree) Create(group string) error {
	for _, hierarchy := range t.Hierarchies {
		dir := hierarchy
		for _, name := range strings.Split(group, "/") {
			parent := dir
			dir = filepath.Join(dir, name)
			if err := t.createIn(parent, dir); err != nil {
				return fmt.Errorf("control group %s: %w", dir, err)
			}
		}
	}
	return nil
}

func (t Tree) createIn(parent, dir string) error {
	if t.V2 {
		if err := delegate(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if t.V2 {
		return nil
	}
	// A new cpuset takes no process before it has processors and memory nodes.
	for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
		if err := inherit(parent, dir, name); err != nil {
			return err
		}
	}
	return nil
}

// delegate hands all controllers of a version 2 group on to its children.
func delegate(dir string) error {
	raw, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for _, controller := range strings.Fields(string(raw)) {
		err := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+controller), 0o644)
		if err != nil {
			return fmt.Errorf("enable controller %s for the children of %s: %w", controller, dir, err)
		}
	}
	return nil
}

func inherit(parent, dir, name string) error {
	value, err := os.ReadFile(filepath.Join(parent, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), value, 0o644)
}

// Join moves the calling process into the group in every hierarchy, out of whatever its caller was held to.
func (t Tree) Join(group string) error {
	for _, hierarchy := range t.Hierarchies {
		if err := os.WriteFile(filepath.Join(hierarchy, group, procsFile), []byte(self), 0o644); err != nil {
			return fmt.Errorf("join control group %s: %w", filepath.Join(hierarchy, group), err)
		}
	}
	return nil
}

// Remove deletes the group with all groups below it, in every hierarchy, ending every process that is still in
// one. It returns the folders that were still there when ctx ended.
func (t Tree) Remove(ctx context.Context, group string) (left []string) {
	hierarchies := slices.Clone(t.Hierarchies)
	if t.Unified != "" {
		hierarchies = append(hierarchies, t.Unified)
	}
	for {
		left = nil
		for _, hierarchy := range hierarchies {
			left = append(left, removeTree(filepath.Join(hierarchy, group))...)
		}
		if len(left) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return left
		case <-time.After(removePoll):
		}
	}
}

// removeTree removes what it can, children first, and returns what is left.
func removeTree(dir string) (left []string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		if entry.IsDir() {
			left = append(left, removeTree(filepath.Join(dir, entry.Name()))...)
		}
	}
	kill(dir)
	if err := unix.Rmdir(dir); err != nil && !errors.Is(err, unix.ENOENT) {
		left = append(left, dir)
	}
	return left
}

// kill ends the processes of one group. They are the cluster's own: nothing else joins its groups.
func kill(dir string) {
	raw, _ := os.ReadFile(filepath.Join(dir, procsFile))
	for _, field := range strings.Fields(string(raw)) {
		if pid, err := strconv.Atoi(field); err == nil && pid > 1 {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
