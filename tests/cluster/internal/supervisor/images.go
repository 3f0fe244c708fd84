package supervisor

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"wordpress-on-kubernetes/tests/cluster/internal/layout"
	"wordpress-on-kubernetes/tests/cluster/internal/process"
	"wordpress-on-kubernetes/tests/cluster/internal/spec"
)

// importAll imports into every running node the images that it does not have, or has in another version. The nodes
// take them side by side; a node takes one after the other, the small ones of the addons first.
func (s *Supervisor) importAll(ctx context.Context) error {
	s.imports.Lock()
	defer s.imports.Unlock()
	tars, err := imageTars()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for n := 1; n <= s.cluster.Nodes; n++ {
		if s.nodes.isAlive(n) {
			group.Go(func() error { return s.importInto(ctx, n, tars) })
		}
	}
	return group.Wait()
}

// imageTars lists the finished image archives, smallest first. One that is still being written has no digest yet.
func imageTars() ([]string, error) {
	digests, err := filepath.Glob(filepath.Join(layout.InsideImages, "*.tar.digest"))
	if err != nil {
		return nil, err
	}
	sizes := map[string]int64{}
	for _, digest := range digests {
		tar := strings.TrimSuffix(digest, ".digest")
		info, err := os.Stat(tar)
		if err != nil {
			return nil, err
		}
		sizes[tar] = info.Size()
	}
	bySize := func(a, b string) int { return cmp.Compare(sizes[a], sizes[b]) }
	return slices.SortedFunc(maps.Keys(sizes), bySize), nil
}

func (s *Supervisor) importInto(ctx context.Context, n int, tars []string) error {
	if err := process.Await(ctx, spec.NodeName(n)+"'s containerd", s.containerdAnswers(n)); err != nil {
		return err
	}
	started, imported := time.Now(), 0
	for _, tar := range tars {
		fresh, err := s.importOne(ctx, n, tar)
		if err != nil {
			return fmt.Errorf("%s: import image %s: %w", spec.NodeName(n), filepath.Base(tar), err)
		}
		if fresh {
			imported++
		}
	}
	if imported > 0 {
		s.progress.add(fmt.Sprintf("%s has imported %d images in %s", spec.NodeName(n), imported, time.Since(started).Round(time.Second)))
	}
	return nil
}

// importOne imports an image unless the node has this very file's content.
func (s *Supervisor) importOne(ctx context.Context, n int, tar string) (fresh bool, err error) {
	info, err := os.Stat(tar)
	if err != nil {
		return false, err
	}
	version := fmt.Sprintf("%d %d\n", info.Size(), info.ModTime().UnixNano())
	marker := layout.InsideState.Node(n, "images", filepath.Base(tar))
	if known, _ := os.ReadFile(marker); string(known) == version {
		return false, nil
	}
	if err := s.ctr(ctx, n, "images", "import", tar); err != nil {
		return false, err
	}
	if err := os.MkdirAll(filepath.Dir(marker), 0o755); err != nil {
		return false, err
	}
	return true, os.WriteFile(marker, []byte(version), 0o644)
}

func (s *Supervisor) containerdAnswers(n int) func(context.Context) error {
	return func(ctx context.Context) error { return s.ctr(ctx, n, "version") }
}

// ctr runs containerd's client against node n, whose socket is reached through the node's own mounts.
func (s *Supervisor) ctr(ctx context.Context, n int, args ...string) error {
	pid := s.nodes.pid(n)
	if pid == 0 {
		return fmt.Errorf("node %d does not run", n)
	}
	socket := fmt.Sprintf("/proc/%d/root/run/containerd/containerd.sock", pid)
	cmd := exec.CommandContext(ctx, "/usr/bin/ctr", append([]string{"--address", socket, "--namespace", "k8s.io"}, args...)...)
	output, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("ctr %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(output)))
	}
	if args[0] != "version" {
		log.Printf("%s: %s", spec.NodeName(n), strings.TrimSpace(string(output)))
	}
	return nil
}
