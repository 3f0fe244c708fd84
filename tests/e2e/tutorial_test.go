package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/rand"

	"wordpress-on-kubernetes/tests/stack"
)

var tutorialPlace = place{
	name:             tutorial,
	namespace:        "kube-example",
	host:             "tutorial.wordpress.test",
	frontend:         "app=wordpress,tier=frontend",
	database:         "app=wordpress,tier=mysql",
	databaseWorkload: "deployment/wordpress-mysql",
	container:        "wordpress",
	content:          "/var/www/html/wp-content",
	port:             80,
}

// manifests are the tutorial's, as they lie in tests/baseline, and changed as a person with kubectl changes them.
type manifests struct {
	project    *stack.Project
	kubernetes *cluster
	image      string
}

func newManifests(project *stack.Project, where place, image string) (*manifests, error) {
	client, err := connect(project.Kubeconfig(), where.namespace)
	return &manifests{project: project, kubernetes: client, image: image}, err
}

// deploy applies the manifests and waits for the rollout.
func (m *manifests) deploy(t *testing.T) {
	t.Helper()
	m.apply(t)
	m.kubernetes.awaitRollout(t)
}

// apply applies all manifests at once. It begins with nothing, also when an earlier run was cut off.
func (m *manifests) apply(t *testing.T) {
	t.Helper()
	if err := m.remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(m.project.Repo, "tests", "baseline")
	kubectl(t, m.project, "", "apply", "-f", filepath.Join(folder, "10-namespace.yaml"))
	password := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "wordpress-db-pwd"},
		StringData: map[string]string{"dbpwd": rand.String(24)},
	}
	_, err := m.kubernetes.CoreV1().Secrets(m.kubernetes.namespace).Create(t.Context(), password, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	for _, file := range []string{"20-mysql", "30-wordpress", "40-autoscaler", "50-ingress"} {
		text, err := os.ReadFile(filepath.Join(folder, file+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		kubectl(t, m.project, strings.ReplaceAll(string(text), newImage, m.image), "apply", "-f", "-")
	}
}

// patch changes the Deployment and returns when the rollout is complete.
func (m *manifests) patch(t *testing.T, container map[string]any) {
	t.Helper()
	container["name"] = tutorialPlace.container
	spec := map[string]any{"containers": []any{container}}
	text, err := json.Marshal(map[string]any{"spec": map[string]any{"template": map[string]any{"spec": spec}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.kubernetes.AppsV1().Deployments(m.kubernetes.namespace).
		Patch(t.Context(), deploymentName, types.StrategicMergePatchType, text, metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m.kubernetes.awaitRollout(t)
}

func (m *manifests) setImage(t *testing.T, image string) {
	t.Helper()
	m.patch(t, map[string]any{"image": image})
}

func (m *manifests) setSetting(t *testing.T, round int) {
	t.Helper()
	m.patch(t, map[string]any{"env": []any{map[string]any{"name": "PROOF_ROUND", "value": fmt.Sprint(round)}}})
}

func (m *manifests) remove(ctx context.Context) error {
	return errors.Join(m.kubernetes.removeNamespace(ctx), m.kubernetes.removeRetained(ctx))
}

func (*manifests) output() []byte { return nil }
