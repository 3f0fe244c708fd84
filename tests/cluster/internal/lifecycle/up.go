package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"wordpress-on-kubernetes/tests/cluster/internal/control"
	"wordpress-on-kubernetes/tests/cluster/internal/images"
	"wordpress-on-kubernetes/tests/cluster/internal/pki"
	"wordpress-on-kubernetes/tests/cluster/internal/preflight"
	"wordpress-on-kubernetes/tests/cluster/internal/spec"
	"wordpress-on-kubernetes/tests/cluster/internal/tools"
)

// UpOptions says what cluster is wanted.
type UpOptions struct {
	// Nodes is their number, 1 to spec.MaxNodes.
	Nodes int
	// HTTP and HTTPS are the loopback ports of the edge.
	HTTP, HTTPS int
}

// Up builds what is missing, starts the cluster and returns when it is ready. A cluster that runs already is left
// as it is; one that runs with other options is an error. What an earlier cluster left behind is removed first.
func (h *Host) Up(ctx context.Context, o UpOptions) error {
	if o.Nodes < 1 || o.Nodes > spec.MaxNodes {
		return fmt.Errorf("%d nodes: choose 1 to %d", o.Nodes, spec.MaxNodes)
	}
	if os.Geteuid() != 0 {
		// Not even the lock can be had: say what else is missing, too.
		return h.preflight(ctx, o)
	}
	unlock, err := h.lockCommand()
	if err != nil {
		return err
	}
	defer unlock()
	running, err := h.alive()
	if err != nil {
		return err
	}
	if running {
		return h.keep(ctx, o)
	}
	started := time.Now()
	if err := h.prepare(ctx, o); err != nil {
		return err
	}
	if err := h.launch(ctx, o); err != nil {
		return err
	}
	if err := h.follow(ctx); err != nil {
		return err
	}
	h.Progress(fmt.Sprintf("the cluster is up after %s", time.Since(started).Round(time.Second)))
	return h.Status(ctx)
}

// keep makes sure that the running cluster is the wanted one, and waits for it if it is still starting.
func (h *Host) keep(ctx context.Context, o UpOptions) error {
	running, err := spec.Load(h.Local.State().Spec())
	if err != nil {
		return fmt.Errorf("a supervisor runs, but its description cannot be read: %w; run down first", err)
	}
	if running.Nodes != o.Nodes || running.Ports.HTTP != o.HTTP || running.Ports.HTTPS != o.HTTPS {
		return fmt.Errorf("a cluster with %d node(s) on ports %d and %d runs; %d node(s) on ports %d and %d were asked for: run down first",
			running.Nodes, running.Ports.HTTP, running.Ports.HTTPS, o.Nodes, o.HTTP, o.HTTPS)
	}
	if err := h.client().Follow(ctx, func(control.Event) {}); err != nil {
		return fmt.Errorf("a cluster runs but did not become ready: %w; run down, then up again", err)
	}
	h.Progress("the cluster runs already; nothing to do")
	return nil
}

// prepare checks the machine and builds what is missing.
func (h *Host) prepare(ctx context.Context, o UpOptions) error {
	if err := h.preflight(ctx, o); err != nil {
		return err
	}
	if err := h.installCommands(ctx); err != nil {
		return err
	}
	selected, err := tools.Select([]string{tools.GroupCluster})
	if err != nil {
		return err
	}
	if err := h.builder().Build(ctx, selected); err != nil {
		return err
	}
	if err := h.buildSelf(ctx); err != nil {
		return err
	}
	return h.buildNamedImages(ctx, nil, false)
}

func (h *Host) preflight(ctx context.Context, o UpOptions) error {
	selected, err := tools.Select([]string{tools.GroupCluster})
	if err != nil {
		return err
	}
	machine, err := preflight.Inspect(ctx, string(h.Local), filepath.Join(h.module(), "go.mod"))
	if err != nil {
		return fmt.Errorf("look at the machine: %w", err)
	}
	missing, err := h.builder().Missing(selected)
	if err != nil {
		return err
	}
	need := preflight.Need{Nodes: o.Nodes, ToolsBuilt: len(missing) == 0, HTTP: o.HTTP, HTTPS: o.HTTPS}
	if err := preflight.Check(machine, need); err != nil {
		return err
	}
	if caution := preflight.Caution(machine, need); caution != "" {
		h.Progress(caution)
	}
	return nil
}

// installCommands installs, from Debian's archive, what building needs and preflight found that apt-get can bring.
func (h *Host) installCommands(ctx context.Context) error {
	packages := preflight.Installable()
	if len(packages) == 0 {
		return nil
	}
	h.Progress("installing with apt-get: " + strings.Join(packages, ", "))
	for _, args := range [][]string{{"update"}, append([]string{"install", "--yes", "--no-install-recommends"}, packages...)} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if output, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w\n%s", args[0], err, output)
		}
	}
	return nil
}

// buildSelf makes the program that runs inside the nodes' file system, which needs to be free of the host's
// libraries.
func (h *Host) buildSelf(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", h.Local.Bin("cluster"), "./cmd/cluster")
	cmd.Dir = h.module()
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the supervisor: %w\n%s", err, output)
	}
	return nil
}

// Images builds the container images that are missing or changed, and imports them into a running cluster. With record it also writes
// what they hold into the committed file.
func (h *Host) Images(ctx context.Context, record bool) error {
	unlock, err := h.lockCommand()
	if err != nil {
		return err
	}
	defer unlock()
	running, err := h.alive()
	if err != nil {
		return err
	}
	if !running {
		return h.buildNamedImages(ctx, nil, record)
	}
	if err := h.buildContainerImages(ctx, record); err != nil {
		return err
	}
	return h.client().LoadImages(ctx)
}

// Browser builds the file system that the browser of the tests runs in, if it is missing or changed.
func (h *Host) Browser(ctx context.Context) error {
	unlock, err := h.lockCommand()
	if err != nil {
		return err
	}
	defer unlock()
	return h.buildNamedImages(ctx, []string{"browser"}, false)
}

// buildContainerImages leaves out the root of the nodes, which a running cluster stands on.
func (h *Host) buildContainerImages(ctx context.Context, record bool) error {
	list, err := images.List(images.Options{Repo: h.Repo})
	if err != nil {
		return err
	}
	var names []string
	for _, image := range list {
		if image.Reference != "" {
			names = append(names, image.Name)
		}
	}
	return h.buildNamedImages(ctx, names, record)
}

// buildNamedImages builds the images, all if none is named, and tells of those that were built already in one line.
func (h *Host) buildNamedImages(ctx context.Context, names []string, record bool) error {
	var upToDate atomic.Int32
	progress := func(line string) {
		if strings.HasSuffix(line, ": up to date") {
			upToDate.Add(1)
			return
		}
		h.Progress(line)
	}
	if err := images.Build(ctx, images.Options{Repo: h.Repo, Names: names, Record: record, Progress: progress}); err != nil {
		return err
	}
	if count := upToDate.Load(); count > 0 {
		h.Progress(fmt.Sprintf("images: %d are up to date", count))
	}
	return nil
}

// Tools builds the named tools, or all.
func (h *Host) Tools(ctx context.Context, names []string) error {
	selected, err := tools.Select(names)
	if err != nil {
		return err
	}
	unlock, err := h.lockCommand()
	if err != nil {
		return err
	}
	defer unlock()
	return h.builder().Build(ctx, selected)
}

// launch makes the cluster's state anew and starts its supervisor.
func (h *Host) launch(ctx context.Context, o UpOptions) error {
	if err := h.clean(ctx); err != nil {
		return fmt.Errorf("remove what an earlier cluster left: %w", err)
	}
	for _, dir := range []string{h.Local.State().Logs(), h.Local.State().Volumes()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	files, err := h.openFiles(o)
	if err != nil {
		return err
	}
	defer files.close()
	cluster := spec.Cluster{ID: h.id(), Nodes: o.Nodes, Ports: files.ports()}
	if err := cluster.Save(h.Local.State().Spec()); err != nil {
		return err
	}
	if err := pki.WriteCluster(h.Local, cluster); err != nil {
		return err
	}
	if err := h.copyTraefikCRDs(ctx); err != nil {
		return err
	}
	if err := createCgroups(cluster); err != nil {
		return err
	}
	if err := h.startSupervisor(files); err != nil {
		return err
	}
	return writeEndpoints(h.Local.State().Endpoints(), cluster)
}

// follow shows the supervisor's progress until the cluster is ready.
func (h *Host) follow(ctx context.Context) error {
	err := h.client().Follow(ctx, func(event control.Event) {
		h.Progress(fmt.Sprintf("%s (%.1f s)", event.Message, event.After.Seconds()))
	})
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("interrupted; the cluster goes on starting: run up again to wait for it, or down to end it")
	}
	return fmt.Errorf("%w\nthe end of the supervisor's log:\n%s\nthe logs of all processes are in %s; down removes the cluster",
		err, tail(h.Local.State().Log("supervisor"), 15), h.Local.State().Logs())
}

func tail(path string, lines int) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
