// Package unit_test tests every component by itself, from outside and without a cluster.
package unit_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"

	"wordpress-on-kubernetes/components/plan"
	"wordpress-on-kubernetes/components/pod"
	"wordpress-on-kubernetes/tests/mocks"
)

const (
	namespaceName = "site"
	instance      = "test"
	// outputsName is the ConfigMap that a test program writes a component's outputs to, so that they are
	// recorded like all else: an assertion in a callback is skipped where the callback never runs.
	outputsName = "outputs-of-the-test"
)

var namespaceInput = pulumi.String(namespaceName)

// planned is what a program registered.
type planned struct {
	t             *testing.T
	registrations []plan.Registration
}

// run runs a program that must succeed.
func run(t *testing.T, program pulumi.RunFunc) planned {
	t.Helper()
	registrations, err := mocks.Run(instance, program)
	if err != nil {
		t.Fatal(err)
	}
	return planned{t, registrations}
}

// wantError runs a program that must fail with all of the texts, before it registers anything.
func wantError(t *testing.T, program pulumi.RunFunc, texts ...string) {
	t.Helper()
	registrations, err := mocks.Run(instance, program)
	if err == nil {
		t.Fatalf("no error; want one with %q", texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("got the error %q, want %q in it", err, text)
		}
	}
	if len(registrations) != 0 {
		t.Errorf("%d resources are registered in spite of the error", len(registrations))
	}
}

// expose records outputs.
func expose(ctx *pulumi.Context, outputs pulumi.StringMap) error {
	_, err := newConfigMap(ctx, outputsName, outputs)
	return err
}

// newConfigMap registers an object of the test's own.
func newConfigMap(ctx *pulumi.Context, name string, data pulumi.StringMap) (*corev1.ConfigMap, error) {
	return corev1.NewConfigMap(ctx, name, &corev1.ConfigMapArgs{
		Metadata: &metav1.ObjectMetaArgs{Name: pulumi.String(name)},
		Data:     data,
	})
}

// outputs are those that were exposed.
func (p planned) outputs() map[string]string {
	p.t.Helper()
	var recorded struct {
		Data map[string]string `json:"data"`
	}
	p.into("ConfigMap", outputsName, &recorded)
	return recorded.Data
}

// wantOutputs compares the exposed outputs.
func (p planned) wantOutputs(want map[string]string) {
	p.t.Helper()
	if got := p.outputs(); !maps.Equal(got, want) {
		p.t.Errorf("got the outputs %v, want %v", got, want)
	}
}

// contentHash ends the name of a ConfigMap, which is named after its content.
var contentHash = regexp.MustCompile("-[0-9a-f]{10}$")

// shortName is an object's name, without the hash of a content.
func shortName(object plan.Object) string {
	if object.Kind() != "ConfigMap" {
		return object.Name()
	}
	return contentHash.ReplaceAllString(object.Name(), "")
}

// objects by kind and short name, without that of the outputs.
func (p planned) objects() map[string]plan.Object {
	objects := map[string]plan.Object{}
	for _, object := range plan.Objects(p.registrations, plan.ShowSecrets) {
		if object.Name() != outputsName {
			objects[object.Kind()+" "+shortName(object)] = object
		}
	}
	return objects
}

// wantObjects compares which objects there are.
func (p planned) wantObjects(want ...string) {
	p.t.Helper()
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(p.objects())); !slices.Equal(got, want) {
		p.t.Errorf("got the objects %q, want %q", got, want)
	}
}

// into decodes an object, every field of which the target must know unless it is a struct of the test's own.
func (p planned) into(kind, name string, target any, options ...yaml.JSONOpt) {
	p.t.Helper()
	for _, object := range plan.Objects(p.registrations, plan.ShowSecrets) {
		if object.Kind() != kind || shortName(object) != name {
			continue
		}
		text, err := json.Marshal(object)
		if err != nil {
			p.t.Fatal(err)
		}
		if err := yaml.Unmarshal(text, target, options...); err != nil {
			p.t.Fatalf("%s %s: %v", kind, name, err)
		}
		return
	}
	p.t.Fatalf("there is no %s %s among %q", kind, name, slices.Sorted(maps.Keys(p.objects())))
}

// get decodes an object into its type of the Kubernetes API.
func get[T any](p planned, kind, name string) T {
	p.t.Helper()
	var typed T
	p.into(kind, name, &typed, yaml.DisallowUnknownFields)
	return typed
}

// registration is that of an object.
func (p planned) registration(kind, name string) plan.Registration {
	p.t.Helper()
	for _, r := range p.registrations {
		objects := plan.Objects([]plan.Registration{r}, plan.HideSecrets)
		if len(objects) == 1 && objects[0].Kind() == kind && shortName(objects[0]) == name {
			return r
		}
	}
	p.t.Fatalf("there is no %s %s", kind, name)
	return plan.Registration{}
}

func quantity(text string) resource.Quantity { return resource.MustParse(text) }

func someResources() pod.Resources {
	return pod.Resources{CPU: quantity("200m"), Memory: quantity("1Gi"), EphemeralStorage: quantity("256Mi")}
}

// someUser has another number for each of its parts.
var someUser = pod.User{ID: 12001, GroupID: 12002, FSGroup: 12003, SELinuxLevel: "s0:c123,c456"}

// aSecret is an input as main.go makes one.
func aSecret(text string) pulumi.StringInput {
	return pulumi.ToSecret(pulumi.String(text)).(pulumi.StringOutput)
}
