package e2e

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"wordpress-on-kubernetes/tests/stack"
)

// keepArtifacts stores what explains a failure: a namespace's pods, their logs and its events. How the pods are is told at once, for
// those who see the test's output alone.
func keepArtifacts(ctx context.Context, t *testing.T, c *cluster, project *stack.Project) {
	if events, err := c.CoreV1().Events(c.namespace).List(ctx, metav1.ListOptions{}); err == nil {
		text, _ := yaml.Marshal(events)
		keepArtifact(t, project, c.namespace+"-events.yaml", text)
	}
	pods, err := c.CoreV1().Pods(c.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Error(err)
		return
	}
	if scaler, err := c.scaler(ctx); err == nil {
		t.Logf("the autoscaler wants %d replicas and sees %d", scaler.Status.DesiredReplicas, scaler.Status.CurrentReplicas)
	}
	for _, pod := range pods.Items {
		t.Logf("%s on %s: %s, ready %t, to go %t", pod.Name, pod.Spec.NodeName, pod.Status.Phase, isReady(pod), pod.DeletionTimestamp != nil)
	}
	text, _ := yaml.Marshal(pods)
	keepArtifact(t, project, c.namespace+"-pods.yaml", text)
	for _, pod := range pods.Items {
		for _, container := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
			name := c.namespace + "-" + pod.Name + "-" + container.Name + ".log"
			keepArtifact(t, project, name, c.podLog(ctx, pod.Name, container.Name))
		}
	}
	t.Logf("logs and events are in %s", artifacts(project))
}

func artifacts(project *stack.Project) string { return filepath.Join(project.Local(), "artifacts") }

func keepArtifact(t *testing.T, project *stack.Project, name string, text []byte) {
	err := os.MkdirAll(artifacts(project), 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(artifacts(project), name), text, 0o644)
	}
	if err != nil {
		t.Error(err)
	}
}

func (c *cluster) podLog(ctx context.Context, pod, container string) []byte {
	request := c.CoreV1().Pods(c.namespace).GetLogs(pod, &corev1.PodLogOptions{Container: container})
	stream, err := request.Stream(ctx)
	if err != nil {
		return []byte(err.Error())
	}
	defer stream.Close()
	text, err := io.ReadAll(stream)
	if err != nil {
		return append(text, err.Error()...)
	}
	return text
}
