// Package mocks runs a component or the whole program without an engine, a provider or a cluster, and keeps
// every registration.
package mocks

import (
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Project is the project's name under mocks, the same as in Pulumi.yaml.
const Project = "wordpress"

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

// Recorder is a resource monitor that keeps every registration and answers each with its own inputs, as a
// provider does at preview.
type Recorder struct {
	stack string

	mu            sync.Mutex
	registrations []Registration
}

var _ pulumi.MockResourceMonitor = (*Recorder)(nil)

// NewRecorder returns a recorder for a stack of the given name.
func NewRecorder(stack string) *Recorder {
	return &Recorder{stack: stack}
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
	registration.URN = r.urn(registration.Parent, args.TypeToken, args.Name)

	r.mu.Lock()
	defer r.mu.Unlock()
	r.registrations = append(r.registrations, registration)
	return args.Name + "-id", args.Inputs, nil
}

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

func (r *Recorder) urn(parent, typeToken, name string) string {
	var parentType tokens.Type
	if urn := resource.URN(parent); urn != "" && urn.QualifiedType() != resource.RootStackType {
		parentType = urn.QualifiedType()
	}
	return string(resource.NewURN(tokens.QName(r.stack), Project, parentType, tokens.Type(typeToken), name))
}

// Run runs a program under the recorder and returns what it registered.
func Run(stack string, program pulumi.RunFunc, opts ...pulumi.RunOption) ([]Registration, error) {
	recorder := NewRecorder(stack)
	err := pulumi.RunErr(program, append([]pulumi.RunOption{pulumi.WithMocks(Project, stack, recorder)}, opts...)...)
	return recorder.Registrations(), err
}
