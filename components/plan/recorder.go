// Package plan composes a program without an engine, a provider or a cluster, and keeps every registration: what the
// stack would be, before any of it exists.
package plan

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Registration is one resource as a program registered it.
type Registration struct {
	// URN, type token and name of the resource, and its parent's URN.
	URN, Type, Name, Parent string
	// Custom tells a resource of a provider from a component.
	Custom bool
	// Inputs, with secrets marked as such.
	Inputs resource.PropertyMap
	// Options that were given.
	Protect, RetainOnDelete bool
	IgnoreChanges           []string
	// DependsOn are the URNs of the resources that must be there first.
	DependsOn []string
}

// Kubernetes reports whether the registration is a Kubernetes object.
func (r Registration) Kubernetes() bool {
	return r.Custom && strings.HasPrefix(r.Type, "kubernetes:")
}

// Record runs a program under a recorder and returns what it registered, and the program's error.
//
// Every output is known, at preview too, because each resource is answered with its inputs. The context is built here and not
// taken from the environment: a program may record itself while it runs, without touching the engine that runs it.
func Record(project, stack string, program pulumi.RunFunc) ([]Registration, error) {
	recorder := NewRecorder(project, stack)
	ctx, err := pulumi.NewContext(context.Background(), pulumi.RunInfo{Project: project, Stack: stack, Mocks: recorder})
	if err != nil {
		return nil, fmt.Errorf("recorder: %w", err)
	}
	// What the program itself returns is wrapped on its way out; the caller may be a program and wrap it again.
	var own error
	err = pulumi.RunWithContext(ctx, func(ctx *pulumi.Context) error {
		own = program(ctx)
		return own
	})
	return recorder.Registrations(), cmp.Or(own, err)
}

// Recorder is a resource monitor that keeps every registration and answers each with its own inputs, as a
// provider does at preview.
type Recorder struct {
	project, stack string

	mu            sync.Mutex
	registrations []Registration
}

var _ pulumi.MockResourceMonitor = (*Recorder)(nil)

// NewRecorder returns a recorder for a stack of a project.
func NewRecorder(project, stack string) *Recorder {
	return &Recorder{project: project, stack: stack}
}

// NewResource records a registration.
func (r *Recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	registration := Registration{
		Type:   args.TypeToken,
		Name:   args.Name,
		Custom: args.Custom,
		Inputs: args.Inputs,
	}
	if rpc := args.RegisterRPC; rpc != nil {
		registration.Parent = rpc.GetParent()
		registration.Protect = rpc.GetProtect()
		registration.RetainOnDelete = rpc.GetRetainOnDelete()
		registration.IgnoreChanges = rpc.GetIgnoreChanges()
		registration.DependsOn = slices.Sorted(slices.Values(rpc.GetDependencies()))
	}
	registration.URN = r.URN(registration.Parent, args.TypeToken, args.Name)

	r.mu.Lock()
	defer r.mu.Unlock()
	r.registrations = append(r.registrations, registration)
	if args.TypeToken == stashType {
		return args.Name + "-id", resource.PropertyMap{"input": args.Inputs["input"], "output": resource.NewProperty(keptText)}, nil
	}
	return args.Name + "-id", args.Inputs, nil
}

// A Stash answers with what a state was first given, which is not what the program gives it now. In a recording it is always the same.
const (
	stashType = "pulumi:index:Stash"
	keptText  = "recorded"
)

// Call answers an invoke with its own arguments; the program makes none.
func (r *Recorder) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return args.Args, nil
}

// Registrations are what was recorded, in the order of their URNs: the order of arrival changes from run to run.
func (r *Recorder) Registrations() []Registration {
	r.mu.Lock()
	defer r.mu.Unlock()
	sorted := slices.Clone(r.registrations)
	slices.SortFunc(sorted, func(a, b Registration) int { return strings.Compare(a.URN, b.URN) })
	return sorted
}

// URN of a resource, from its parent's URN, its type token and its name.
func (r *Recorder) URN(parent, typeToken, name string) string {
	var parentType tokens.Type
	if urn := resource.URN(parent); urn != "" && urn.QualifiedType() != resource.RootStackType {
		parentType = urn.QualifiedType()
	}
	return string(resource.NewURN(
		tokens.QName(r.stack), tokens.PackageName(r.project), parentType, tokens.Type(typeToken), name))
}
