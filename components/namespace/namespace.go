// Package namespace is the component that owns the namespace which all other objects live in.
package namespace

import (
	"errors"
	"fmt"
	"slices"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/guard"
	"wordpress-on-kubernetes/components/labels"
)

// Type is the component's type token.
const Type = "wordpress:namespace:Namespace"

// Pod Security of the namespace's pods.
const (
	podSecurityLevel = "restricted"
	// enforcedVersion is that of the newest Kubernetes that the program's pods have been tried on. The level grows with
	// Kubernetes: an upgrade of the cluster must not keep pods from starting that ran a minute before. An older cluster takes
	// its own version.
	enforcedVersion = "v1.34"
	// reportedVersion warns, and writes into the audit log, of what the cluster's own version would refuse.
	reportedVersion = "latest"
)

// Args are the inputs of New.
type Args struct {
	// Name of the namespace. Required.
	Name string
	// Instance is the stack's name, for labels. Required.
	Instance string
	// Existing uses a namespace that is there: nothing of it is owned, labelled or deleted. False: the program makes it.
	Existing bool
	// Protect refuses the namespace's deletion, which would take every volume claim with it. Not with Existing.
	Protect bool
	// Seal is a text that no other state has; the first that a state was given counts for good. Required.
	Seal string
	// Watch looks at what is there already. Nil: nothing is looked at.
	Watch *guard.Watch
}

// Namespace is the namespace which all other objects live in.
type Namespace struct {
	pulumi.ResourceState

	// Name of the namespace.
	Name pulumi.StringOutput
	// Owner is the mark of the stack's state, which every object carries: see guard.Annotation. It is known when nothing that is
	// there already stands in the way.
	Owner pulumi.StringOutput
}

// New registers the namespace.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Namespace, error) {
	if err := args.check(); err != nil {
		return nil, fmt.Errorf("namespace %q: %w", name, err)
	}
	component := &Namespace{Name: pulumi.String(args.Name).ToStringOutput()}
	if err := ctx.RegisterComponentResource(Type, name, component, slices.Concat(opts, args.Watch.First())...); err != nil {
		return nil, fmt.Errorf("namespace %q: %w", name, err)
	}
	if err := component.seal(ctx, name, args); err != nil {
		return nil, fmt.Errorf("namespace %q: %w", name, err)
	}
	if !args.Existing {
		options := []pulumi.ResourceOption{pulumi.Parent(component), pulumi.Protect(args.Protect), pulumi.RetainOnDelete(args.Protect)}
		namespace, err := corev1.NewNamespace(ctx, name, namespaceArgs(args, component.Owner), slices.Concat(options, args.Watch.Each())...)
		if err != nil {
			return nil, fmt.Errorf("namespace %q: namespace: %w", name, err)
		}
		component.Name = namespace.Metadata.Name().Elem()
	}
	if err := ctx.RegisterResourceOutputs(component, pulumi.Map{"name": component.Name}); err != nil {
		return nil, fmt.Errorf("namespace %q: outputs: %w", name, err)
	}
	return component, nil
}

// seal keeps the state's mark in the state itself, which is the one place that another state does not share.
func (n *Namespace) seal(ctx *pulumi.Context, name string, args *Args) error {
	stash, err := pulumi.NewStash(ctx, name+"-owner", &pulumi.StashArgs{Input: pulumi.String(args.Seal)},
		pulumi.Parent(n), pulumi.IgnoreChanges([]string{"input"}))
	if err != nil {
		return fmt.Errorf("owner: %w", err)
	}
	n.Owner = stash.Output.ApplyT(func(kept any) (string, error) {
		owner := guard.Owner(ctx.Project(), args.Instance, fmt.Sprint(kept))
		return owner, args.Watch.Admit(owner)
	}).(pulumi.StringOutput)
	return nil
}

func (a *Args) check() error {
	if a == nil || a.Name == "" || a.Instance == "" || a.Seal == "" {
		return errors.New("name, instance and seal are required")
	}
	return nil
}

// PodSecurityLabels are those by which a namespace has the API server judge its pods.
func PodSecurityLabels() map[string]string {
	labels := map[string]string{}
	for mode, version := range map[string]string{
		"enforce": enforcedVersion, "audit": reportedVersion, "warn": reportedVersion,
	} {
		labels["pod-security.kubernetes.io/"+mode] = podSecurityLevel
		labels["pod-security.kubernetes.io/"+mode+"-version"] = version
	}
	return labels
}

func namespaceArgs(args *Args, owner pulumi.StringInput) *corev1.NamespaceArgs {
	all := labels.Set{Name: "wordpress", Component: "namespace", Instance: args.Instance}.All()
	for name, value := range PodSecurityLabels() {
		all[name] = pulumi.String(value)
	}
	return &corev1.NamespaceArgs{
		Metadata: &metav1.ObjectMetaArgs{
			Name: pulumi.String(args.Name), Labels: all, Annotations: pulumi.StringMap{guard.Annotation: owner},
		},
	}
}
