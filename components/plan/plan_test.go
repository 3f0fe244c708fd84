package plan_test

import (
	"errors"
	"testing"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/plan"
)

// secretAndUser registers a Secret, and a ConfigMap that holds the Secret's name as the provider returns it.
func secretAndUser(ctx *pulumi.Context) error {
	secret, err := corev1.NewSecret(ctx, "secret", &corev1.SecretArgs{
		Metadata:   &metav1.ObjectMetaArgs{Name: pulumi.String("password")},
		StringData: pulumi.StringMap{"key": pulumi.ToSecret(pulumi.String("the value")).(pulumi.StringOutput)},
	})
	if err != nil {
		return err
	}
	_, err = corev1.NewConfigMap(ctx, "user", &corev1.ConfigMapArgs{
		Metadata: &metav1.ObjectMetaArgs{Name: pulumi.String("user")},
		Data:     pulumi.StringMap{"name": secret.Metadata.Name().Elem()},
	})
	return err
}

func TestOutputsOfOtherResourcesAreKnown(t *testing.T) {
	// The engine tells a program by these that it runs for a preview, where what does not exist yet has unknown outputs.
	t.Setenv(pulumi.EnvDryRun, "true")
	t.Setenv(pulumi.EnvMonitor, "127.0.0.1:1")
	registrations, err := plan.Record("project", "stack", secretAndUser)
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range plan.Objects(registrations, plan.ShowSecrets) {
		if object.Kind() != "ConfigMap" {
			continue
		}
		if data, _ := object["data"].(map[string]any); data["name"] != "password" {
			t.Errorf("got the data %v, want the Secret's name", object["data"])
		}
		return
	}
	t.Error("the ConfigMap is not recorded")
}

func TestSecretsAreHiddenOnRequest(t *testing.T) {
	registrations, err := plan.Record("project", "stack", secretAndUser)
	if err != nil {
		t.Fatal(err)
	}
	for secrets, want := range map[plan.Secrets]any{plan.ShowSecrets: "the value", plan.HideSecrets: plan.HiddenSecret} {
		objects := plan.Objects(registrations, secrets)
		if len(objects) != 2 || objects[0].Kind() != "Secret" {
			t.Fatalf("got the objects %v, want a Secret and then a ConfigMap", objects)
		}
		got := objects[0]["stringData"]
		if data, isMap := got.(map[string]any); isMap {
			got = data["key"]
		}
		if got != want {
			t.Errorf("got the value %v, want %v", got, want)
		}
	}
}

func TestProgramsErrorIsReturnedAsItIs(t *testing.T) {
	want := errors.New("the program's own")
	registrations, err := plan.Record("project", "stack", func(ctx *pulumi.Context) error {
		return errors.Join(secretAndUser(ctx), want)
	})
	if !errors.Is(err, want) || err.Error() != want.Error() {
		t.Errorf("got the error %q, want %q", err, want)
	}
	if len(registrations) != 2 {
		t.Errorf("got %d registrations, want those before the error", len(registrations))
	}
}

// What fails in an output, after the program's own function has returned, is an error too.
func TestFailedOutputIsAnError(t *testing.T) {
	want := errors.New("of the output")
	_, err := plan.Record("project", "stack", func(ctx *pulumi.Context) error {
		failed := pulumi.String("").ToStringOutput().ApplyT(func(string) (string, error) { return "", want }).(pulumi.StringOutput)
		_, err := corev1.NewConfigMap(ctx, "user", &corev1.ConfigMapArgs{Data: pulumi.StringMap{"name": failed}})
		return err
	})
	if !errors.Is(err, want) {
		t.Errorf("got the error %v, want %v", err, want)
	}
}
