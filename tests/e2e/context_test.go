package e2e

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"wordpress-on-kubernetes/tests/stack"
)

// TestContextNeedNotBeTheCurrentOne deploys a namespace to the local cluster, whose context is in the kubeconfig but is not the current one.
// What the stack says in the provider's own namespace counts: whoever went where kubectl would finds nobody there.
func TestContextNeedNotBeTheCurrentOne(t *testing.T) {
	project, err := stack.Open("dev", stack.LocalContext)
	if err != nil {
		t.Fatal(err)
	}
	namespace := beside("wordpress-context")
	client, err := connect(project.Kubeconfig(), namespace)
	if err != nil {
		t.Fatal(err)
	}
	project.Variant = "-context"
	project.Overrides = map[string]string{"wordpress:namespace": namespace}
	t.Setenv("KUBECONFIG", elsewhereByDefault(t, project))
	if err := project.Build(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(project.Dir()) }()
	deployed, err := deploymentOf(t.Context(), project)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if err := deployed.destroy(ctx); err != nil {
			t.Error(err)
		}
	}()
	// With what says whose the namespace is.
	targets := optup.Target([]string{"**:Namespace::namespace", "**::namespace-owner"})
	if _, err := deployed.Up(t.Context(), targets, optup.ProgressStreams(&deployed.output)); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{}); err != nil {
		t.Errorf("the stack's context was not used: %v", err)
	}
}

// elsewhereByDefault is a kubeconfig with the local cluster's context and another, current one, at whose address nobody listens.
func elsewhereByDefault(t *testing.T, project *stack.Project) (file string) {
	t.Helper()
	const elsewhere = "elsewhere"
	config, err := clientcmd.LoadFromFile(project.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	config.Clusters[elsewhere] = &api.Cluster{Server: "https://127.0.0.1:1"}
	config.Contexts[elsewhere] = &api.Context{Cluster: elsewhere, AuthInfo: config.Contexts[stack.LocalContext].AuthInfo}
	config.CurrentContext = elsewhere
	file = filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		t.Fatal(err)
	}
	return file
}
