package cgroups

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// fakeTree makes folders and files as the kernel would show them. It cannot show what the kernel adds to a new
// group, so Join and Remove are tried on the real one only.
func fakeTree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func read(t *testing.T, elem ...string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestDetectVersion1(t *testing.T) {
	root := fakeTree(t, map[string]string{
		"cpu,cpuacct/cgroup.procs": "", "cpuset/cgroup.procs": "", "memory/cgroup.procs": "", "pids/cgroup.procs": "",
		"systemd/cgroup.procs": "", "unified/cgroup.procs": "", "not-mounted/readme": "",
	})
	if err := os.Symlink("cpu,cpuacct", filepath.Join(root, "cpu")); err != nil {
		t.Fatal(err)
	}
	tree, err := Detect(root)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{}
	for _, name := range []string{"cpu,cpuacct", "cpuset", "memory", "pids", "systemd"} {
		want = append(want, filepath.Join(root, name))
	}
	if tree.V2 || !slices.Equal(tree.Hierarchies, want) {
		t.Errorf("got %+v, want version 1 with %v", tree, want)
	}
	if tree.Unified != filepath.Join(root, "unified") {
		t.Errorf("unified hierarchy %q", tree.Unified)
	}
	if missing := tree.Missing(); len(missing) > 0 {
		t.Errorf("missing %v, want none", missing)
	}
}

func TestDetectVersion2(t *testing.T) {
	root := fakeTree(t, map[string]string{"cgroup.controllers": "cpuset cpu memory", "cgroup.procs": "", "user.slice/cgroup.procs": ""})
	tree, err := Detect(root)
	if err != nil {
		t.Fatal(err)
	}
	if !tree.V2 || !slices.Equal(tree.Hierarchies, []string{root}) {
		t.Errorf("got %+v, want version 2 at %s", tree, root)
	}
	if missing := tree.Missing(); !slices.Equal(missing, []string{"pids"}) {
		t.Errorf("missing %v, want pids", missing)
	}
}

func TestDetectWithoutControlGroups(t *testing.T) {
	if tree, err := Detect(fakeTree(t, map[string]string{"empty/readme": ""})); err == nil {
		t.Errorf("got %+v, want an error", tree)
	}
}

func TestCreateVersion1InheritsTheCpuset(t *testing.T) {
	root := fakeTree(t, map[string]string{
		"cpuset/cgroup.procs": "", "cpuset/cpuset.cpus": "0-1", "cpuset/cpuset.mems": "0", "memory/cgroup.procs": "",
	})
	tree, err := Detect(root)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a group that exists is kept
		if err := tree.Create("cluster/node1"); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, root, "cpuset", "cluster", "node1", "cpuset.cpus"); got != "0-1" {
		t.Errorf("cpuset.cpus is %q, want its parent's 0-1", got)
	}
	if _, err := os.Stat(filepath.Join(root, "memory", "cluster", "node1")); err != nil {
		t.Error(err)
	}
}

func TestCreateVersion2DelegatesControllers(t *testing.T) {
	root := fakeTree(t, map[string]string{"cgroup.controllers": "pids", "cgroup.subtree_control": ""})
	tree, err := Detect(root)
	if err != nil {
		t.Fatal(err)
	}
	if err := tree.Create("cluster"); err != nil {
		t.Fatal(err)
	}
	if got := read(t, root, "cgroup.subtree_control"); got != "+pids" {
		t.Errorf("the root's children get %q, want +pids", got)
	}
}

func TestRemoveReportsWhatIsLeft(t *testing.T) {
	root := fakeTree(t, map[string]string{"memory/cgroup.procs": "", "memory/cluster/node1/busy": "", "memory/other/file": ""})
	if err := os.MkdirAll(filepath.Join(root, "memory", "cluster", "node2"), 0o755); err != nil {
		t.Fatal(err)
	}
	tree, err := Detect(root)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*removePoll)
	defer cancel()
	left := tree.Remove(ctx, "cluster")
	want := []string{filepath.Join(root, "memory", "cluster", "node1"), filepath.Join(root, "memory", "cluster")}
	if !slices.Equal(left, want) {
		t.Errorf("left %v, want %v", left, want)
	}
	if _, err := os.Stat(filepath.Join(root, "memory", "other")); err != nil {
		t.Errorf("somebody else's group was touched: %v", err)
	}
}

// TestRealControlGroups runs where the process may make groups.
func TestRealControlGroups(t *testing.T) {
	tree, err := Detect(Root)
	if err != nil || os.Geteuid() != 0 {
		t.Skip("needs root and control groups")
	}
	const group = "wordpress-cgroups-test"
	if err := tree.Create(group + "/below"); err != nil {
		t.Skipf("no control group can be made here: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if left := tree.Remove(ctx, group); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
