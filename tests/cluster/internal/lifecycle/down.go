package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"wordpress-on-kubernetes/tests/cluster/internal/cgroups"
)

const (
	// stopTimeout is how long the kernel may take to end all processes of a cluster that was told to stop.
	stopTimeout = 30 * time.Second
	// removeTimeout is how long control groups may stay busy after that.
	removeTimeout = 20 * time.Second
)

// Down ends the cluster and removes everything of it but what was built: no process, mount, link, rule, route or
// control group is left. It is the same after a crash at any moment. What cannot be removed is in the error.
func (h *Host) Down(ctx context.Context) error {
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
		h.stop(ctx)
	}
	if err := h.clean(ctx); err != nil {
		return err
	}
	h.Progress("the cluster is down; built tools and images are kept")
	return nil
}

// stop asks the supervisor to end and waits until it has. One that does not is killed by clean.
func (h *Host) stop(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	if err := h.client().Stop(ctx); err != nil {
		h.Progress(fmt.Sprintf("the supervisor does not answer (%v): killing it", err))
		return
	}
	if err := h.awaitEnd(ctx); err != nil {
		h.Progress(fmt.Sprintf("the supervisor does not end within %s: killing it", stopTimeout))
	}
}

func (h *Host) awaitEnd(ctx context.Context) error {
	for {
		running, err := h.alive()
		if err != nil || !running {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(poll):
		}
	}
}

// clean removes the control groups, ending whatever is still in them, and the files of a cluster.
func (h *Host) clean(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, removeTimeout)
	defer cancel()
	var problems []error
	tree, err := cgroups.Detect(cgroups.Root)
	if err == nil {
		if left := tree.Remove(ctx, h.id()); len(left) > 0 {
			problems = append(problems, fmt.Errorf("control groups that could not be removed: %s", strings.Join(left, ", ")))
		}
	}
	if err := h.awaitEnd(ctx); err != nil {
		problems = append(problems, fmt.Errorf("the supervisor still runs: %w", err))
	}
	for _, path := range []string{string(h.Local.State()), h.Local.Kubeconfig(), h.Local.EdgeCA()} {
		if err := os.RemoveAll(path); err != nil {
			problems = append(problems, fmt.Errorf("could not be removed: %w", err))
		}
	}
	return errors.Join(problems...)
}
