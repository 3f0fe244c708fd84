package unit_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"

	"wordpress-on-kubernetes/components/namespace"
)

func namespaceProgram(args *namespace.Args) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		component, err := namespace.New(ctx, "space", args)
		if err != nil {
			return err
		}
		return expose(ctx, pulumi.StringMap{"name": component.Name})
	}
}

func TestNamespaceEnforcesTheRestrictedLevel(t *testing.T) {
	p := run(t, namespaceProgram(&namespace.Args{Name: namespaceName, Instance: instance}))
	p.wantObjects("Namespace " + namespaceName)
	p.wantOutputs(map[string]string{"name": namespaceName})
	labels := get[corev1.Namespace](p, "Namespace", namespaceName).Labels
	for mode, version := range map[string]string{"enforce": "v1.34", "audit": "latest", "warn": "latest"} {
		key := "pod-security.kubernetes.io/" + mode
		if labels[key] != "restricted" || labels[key+"-version"] != version {
			t.Errorf("Pod Security's mode %s is %q of %q, want restricted of %s", mode, labels[key], labels[key+"-version"], version)
		}
	}
}

// Deleting a namespace deletes every claim in it, whatever protects the claims.
func TestNamespaceIsProtectedWithItsVolumes(t *testing.T) {
	for _, protect := range []bool{true, false} {
		p := run(t, namespaceProgram(&namespace.Args{Name: namespaceName, Instance: instance, Protect: protect}))
		if r := p.registration("Namespace", namespaceName); r.Protect != protect || r.RetainOnDelete != protect {
			t.Errorf("with protect %t, got protect %t and retainOnDelete %t", protect, r.Protect, r.RetainOnDelete)
		}
	}
}

func TestNamespaceRefusesIncompleteArgs(t *testing.T) {
	for _, args := range []*namespace.Args{{Name: namespaceName}, {Instance: instance}} {
		wantError(t, namespaceProgram(args), `namespace "space"`, "name and instance are required")
	}
}
