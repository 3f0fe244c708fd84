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

// podSecurityLevel is enforced on every pod of the namespace.
const podSecurityLevel = "restricted"

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
	for _, mode := range []string{"enforce", "audit", "warn"} {
		all["pod-security.kubernetes.io/"+mode] = pulumi.String(podSecurityLevel)
		all["pod-security.kubernetes.io/"+mode+"-version"] = pulumi.String("latest")
	}
	return &corev1.NamespaceArgs{
		Metadata: &metav1.ObjectMetaArgs{Name: pulumi.String(args.Name), Labels: all},
	}
}
