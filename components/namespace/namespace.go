// Package namespace is the component that owns the namespace which all other objects live in.
package namespace

import (
	"errors"
	"fmt"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

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
	// Protect refuses the namespace's deletion, which would take every volume claim with it.
	Protect bool
}

// Namespace is the namespace which all other objects live in.
type Namespace struct {
	pulumi.ResourceState

	// Name of the namespace.
	Name pulumi.StringOutput
}

// New registers the namespace.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Namespace, error) {
	if err := args.check(); err != nil {
		return nil, fmt.Errorf("namespace %q: %w", name, err)
	}
	component := &Namespace{}
	if err := ctx.RegisterComponentResource(Type, name, component, opts...); err != nil {
		return nil, fmt.Errorf("namespace %q: %w", name, err)
	}
	namespace, err := corev1.NewNamespace(ctx, name, namespaceArgs(args),
		pulumi.Parent(component), pulumi.Protect(args.Protect), pulumi.RetainOnDelete(args.Protect))
	if err != nil {
		return nil, fmt.Errorf("namespace %q: namespace: %w", name, err)
	}
	component.Name = namespace.Metadata.Name().Elem()
	if err := ctx.RegisterResourceOutputs(component, pulumi.Map{"name": component.Name}); err != nil {
		return nil, fmt.Errorf("namespace %q: outputs: %w", name, err)
	}
	return component, nil
}

func (a *Args) check() error {
	if a == nil || a.Name == "" || a.Instance == "" {
		return errors.New("name and instance are required")
	}
	return nil
}

func namespaceArgs(args *Args) *corev1.NamespaceArgs {
	set := labels.Set{Name: "wordpress", Component: "namespace", Instance: args.Instance}
	all := set.All()
	for mode, version := range map[string]string{
		"enforce": enforcedVersion, "audit": reportedVersion, "warn": reportedVersion,
	} {
		all["pod-security.kubernetes.io/"+mode] = pulumi.String(podSecurityLevel)
		all["pod-security.kubernetes.io/"+mode+"-version"] = pulumi.String(version)
	}
	return &corev1.NamespaceArgs{
		Metadata: &metav1.ObjectMetaArgs{Name: pulumi.String(args.Name), Labels: all},
	}
}
