package lifecycle

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wordpress-on-kubernetes/tests/cluster/internal/spec"
)

// emptyRepo is a repository in which no cluster ever ran.
func emptyRepo(t *testing.T) *Host {
	t.Helper()
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "tests", "cluster"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "tests", "cluster", "go.mod"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	host, err := New(root, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	return host
}

func TestNewWantsTheRepositorysRoot(t *testing.T) {
	if _, err := New(t.TempDir(), nil); err == nil {
		t.Error("any folder is taken for the repository")
	}
}

func TestClonesHaveClustersOfTheirOwn(t *testing.T) {
	a, b := emptyRepo(t), emptyRepo(t)
	if a.id() == b.id() {
		t.Errorf("both have %s", a.id())
	}
}

func TestWithoutACluster(t *testing.T) {
	host := emptyRepo(t)
	if err := host.Status(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("status: %v", err)
	}
	if err := host.KillNode(t.Context(), 1); !errors.Is(err, ErrNotRunning) {
		t.Errorf("node kill: %v", err)
	}
	if err := host.Down(t.Context()); err != nil {
		t.Errorf("down: %v", err)
	}
}

func TestDownRemovesWhatACrashLeft(t *testing.T) {
	host := emptyRepo(t)
	kept := host.Local.Bin("kubelet")
	left := []string{host.Local.State().Log("etcd"), host.Local.State().AliveLock(), host.Local.Kubeconfig(), host.Local.EdgeCA()}
	for _, path := range append(left, kept) {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := host.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, path := range left {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := os.Stat(kept); err != nil {
		t.Errorf("a built tool is gone: %v", err)
	}
}

func TestAliveFollowsTheLock(t *testing.T) {
	host := emptyRepo(t)
	if err := os.MkdirAll(string(host.Local.State()), 0o755); err != nil {
		t.Fatal(err)
	}
	lock, err := lockedFile(host.Local.State().AliveLock())
	if err != nil {
		t.Fatal(err)
	}
	if alive, err := host.alive(); err != nil || !alive {
		t.Errorf("with the lock held: alive %t, %v", alive, err)
	}
	_ = lock.Close()
	if alive, err := host.alive(); err != nil || alive {
		t.Errorf("with the lock free: alive %t, %v", alive, err)
	}
}

func TestARunningClusterOfAnotherShapeIsAnError(t *testing.T) {
	host := emptyRepo(t)
	if err := os.MkdirAll(string(host.Local.State()), 0o755); err != nil {
		t.Fatal(err)
	}
	running := spec.Cluster{ID: host.id(), Nodes: 3, Ports: spec.Ports{HTTP: 80, HTTPS: 443}}
	if err := running.Save(host.Local.State().Spec()); err != nil {
		t.Fatal(err)
	}
	err := host.keep(t.Context(), UpOptions{Nodes: 1, HTTP: 80, HTTPS: 443})
	if err == nil {
		t.Fatal("one node was asked for, three run, and nobody minds")
	}
	for _, words := range []string{"3 node(s)", "1 node(s)", "run down first"} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("no %q in: %v", words, err)
		}
	}
}
