package unit_test

import (
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"

	"wordpress-on-kubernetes/components/guard"
	"wordpress-on-kubernetes/components/namespace"
	"wordpress-on-kubernetes/components/plan"
	"wordpress-on-kubernetes/tests/mocks"
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
	p := run(t, namespaceProgram(&namespace.Args{Name: namespaceName, Instance: instance, Seal: "seal"}))
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
		p := run(t, namespaceProgram(&namespace.Args{Name: namespaceName, Instance: instance, Seal: "seal", Protect: protect}))
		if r := p.registration("Namespace", namespaceName); r.Protect != protect || r.RetainOnDelete != protect {
			t.Errorf("with protect %t, got protect %t and retainOnDelete %t", protect, r.Protect, r.RetainOnDelete)
		}
	}
}

func TestNamespaceRefusesIncompleteArgs(t *testing.T) {
	for _, args := range []*namespace.Args{
		{Name: namespaceName, Seal: "seal"}, {Instance: instance, Seal: "seal"}, {Name: namespaceName, Instance: instance},
	} {
		wantError(t, namespaceProgram(args), `namespace "space"`, "name, instance and seal are required")
	}
}

// What is not registered is neither owned, labelled nor deleted.
func TestExistingNamespaceIsLeftAlone(t *testing.T) {
	p := run(t, namespaceProgram(&namespace.Args{Name: namespaceName, Instance: instance, Seal: "seal", Existing: true, Protect: true}))
	p.wantObjects()
	p.wantOutputs(map[string]string{"name": namespaceName})
}

// The mark is the state's: a run hands over a seal of its own, and the first that the state was given counts.
func TestNamespaceCarriesTheMarkOfTheState(t *testing.T) {
	p := run(t, func(ctx *pulumi.Context) error {
		component, err := namespace.New(ctx, "space", &namespace.Args{Name: namespaceName, Instance: instance, Seal: "of-this-run"})
		if err != nil {
			return err
		}
		return expose(ctx, pulumi.StringMap{"owner": component.Owner})
	})
	const want = mocks.Project + "/" + instance + "/recorded"
	p.wantOutputs(map[string]string{"owner": want})
	if got := get[corev1.Namespace](p, "Namespace", namespaceName).Annotations[guard.Annotation]; got != want {
		t.Errorf("the Namespace is marked %q, want %q", got, want)
	}
	stash := p.registrations[slices.IndexFunc(p.registrations, func(r plan.Registration) bool { return r.Name == "space-owner" })]
	if !slices.Equal(stash.IgnoreChanges, []string{"input"}) {
		t.Errorf("changes of %v are ignored, want those of the input: every run has another one", stash.IgnoreChanges)
	}
}
