package e2e

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"wordpress-on-kubernetes/tests/stack"
)

// deployment is a stack under the real engine.
type deployment struct {
	auto.Stack
	project *stack.Project
	// output is all that the engine ever printed.
	output bytes.Buffer
}

// deploymentOf prepares the project and selects its stack.
func deploymentOf(ctx context.Context, project *stack.Project) (*deployment, error) {
	if err := project.Prepare(); err != nil {
		return nil, err
	}
	engine, err := project.FindEngine()
	if err != nil {
		return nil, err
	}
	options := []auto.LocalWorkspaceOption{auto.EnvVars(project.Env(engine))}
	if !engine.Installed {
		command, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{
			Root: filepath.Dir(filepath.Dir(engine.Command)),
		})
		if err != nil {
			return nil, err
		}
		options = append(options, auto.Pulumi(command))
	}
	selected, err := auto.UpsertStackLocalSource(ctx, project.Stack, project.Dir(), options...)
	return &deployment{Stack: selected, project: project}, err
}

// change is what an operation did to one resource.
type change struct {
	op  apitype.OpType
	urn string
}

// up deploys and returns what changed.
func (d *deployment) up(t *testing.T) []change {
	t.Helper()
	collected, stream := collect()
	_, err := d.Up(t.Context(), optup.ProgressStreams(&d.output), optup.EventStreams(stream))
	changes := <-collected
	if err != nil {
		t.Fatalf("up: %v", err)
	}
	return changes
}

// expectNoChanges previews, with the live objects read again, and fails the test on any change.
func (d *deployment) expectNoChanges(t *testing.T) {
	t.Helper()
	for _, refresh := range []bool{false, true} {
		options := []optpreview.Option{optpreview.ProgressStreams(&d.output)}
		if refresh {
			options = append(options, optpreview.Refresh())
		}
		collected, stream := collect()
		_, err := d.Preview(t.Context(), append(options, optpreview.EventStreams(stream))...)
		changes := <-collected
		if err != nil {
			t.Fatalf("preview: %v", err)
		}
		if len(changes) > 0 {
			t.Errorf("preview (refresh: %t) expects changes: %v", refresh, changes)
		}
	}
}

// tryUp deploys and reports the engine's error instead of failing the test.
func (d *deployment) tryUp(ctx context.Context) error {
	_, err := d.Up(ctx, optup.ProgressStreams(&d.output))
	return err
}

// running is an update that goes on.
type running struct {
	of   *deployment
	end  context.CancelFunc
	done chan struct{}
	// err is the engine's, when done is closed.
	err error
}

// beginUp deploys while the test goes on. A test that ends before cuts it off, so that nobody has the stack's lock.
func (d *deployment) beginUp(t *testing.T) *running {
	t.Helper()
	ctx, end := context.WithCancel(context.WithoutCancel(t.Context()))
	up := &running{of: d, end: end, done: make(chan struct{})}
	go func() {
		defer close(up.done)
		up.err = d.tryUp(ctx)
	}()
	t.Cleanup(func() {
		select {
		case <-up.done:
			end()
		default:
			up.cutOff(t)
		}
	})
	return up
}

// cutOff ends an update where it is.
func (r *running) cutOff(t *testing.T) {
	t.Helper()
	r.end()
	<-r.done
	if err := r.of.Cancel(context.WithoutCancel(t.Context())); err != nil {
		t.Errorf("take the stack's lock away: %v", err)
	}
}

// administrator is whom the program installs the site with.
func (d *deployment) administrator(ctx context.Context) (account, error) {
	password, err := d.GetConfig(ctx, "wordpress:adminPassword")
	return account{user: "admin", password: password.Value}, err
}

// destroy reports the engine's error instead of failing the test.
func (d *deployment) destroy(ctx context.Context) error {
	_, err := d.Destroy(ctx, optdestroy.ProgressStreams(&d.output))
	return err
}

// giveUp takes the protection away, which is the documented way to give up a site with its data, and destroys.
func (d *deployment) giveUp(ctx context.Context) error {
	err := d.SetConfigWithOptions(ctx, "wordpress:storage.protect",
		auto.ConfigValue{Value: "false"}, &auto.ConfigOptions{Path: true})
	if err != nil {
		return err
	}
	if _, err := d.Up(ctx); err != nil {
		return err
	}
	return d.destroy(ctx)
}

// set overrides one field as a user does.
func (d *deployment) set(t *testing.T, path, value string) {
	t.Helper()
	err := d.SetConfigWithOptions(t.Context(), path, auto.ConfigValue{Value: value}, &auto.ConfigOptions{Path: true})
	if err != nil {
		t.Fatalf("pulumi config set --path %s: %v", path, err)
	}
}

// unset takes an override back, also one that is not there.
func (d *deployment) unset(t *testing.T, path string) {
	t.Helper()
	err := d.RemoveConfigWithOptions(t.Context(), path, &auto.ConfigOptions{Path: true})
	if err != nil {
		t.Fatalf("pulumi config rm --path %s: %v", path, err)
	}
}

// collect gathers the changes of one operation; they are complete when the operation has returned.
func collect() (<-chan []change, chan<- events.EngineEvent) {
	stream := make(chan events.EngineEvent)
	collected := make(chan []change, 1)
	go func() {
		var changes []change
		for event := range stream {
			if pre := event.ResourcePreEvent; pre != nil && !unchanging(pre.Metadata.Op) {
				changes = append(changes, change{op: pre.Metadata.Op, urn: pre.Metadata.URN})
			}
		}
		collected <- changes
	}()
	return collected, stream
}

func unchanging(op apitype.OpType) bool {
	return slices.Contains([]apitype.OpType{apitype.OpSame, apitype.OpRead, apitype.OpRefresh}, op)
}

// names are the changed resources in a form that reads well in a failure.
func names(changes []change) []string {
	short := make([]string, 0, len(changes))
	for _, change := range changes {
		_, resource, _ := strings.Cut(change.urn, "$")
		short = append(short, fmt.Sprintf("%s %s", change.op, resource))
	}
	slices.Sort(short)
	return short
}
