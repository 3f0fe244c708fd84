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
)

// keepArtifacts stores what explains a failure: pods, their logs, events and the engine's output.
func (s *suite) keepArtifacts(ctx context.Context, t *testing.T) {
	dir := filepath.Join(s.project.Local(), "artifacts")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Error(err)
		return
	}
	keep := func(name string, text []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Error(err)
		}
	}
	keep("engine.log", s.deployment.output.Bytes())
	if events, err := s.kubernetes.CoreV1().Events(testNamespace).List(ctx, metav1.ListOptions{}); err == nil {
		text, _ := yaml.Marshal(events)
		keep("events.yaml", text)
	}
	pods, err := s.kubernetes.CoreV1().Pods(testNamespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Error(err)
		return
	}
	text, _ := yaml.Marshal(pods)
	keep("pods.yaml", text)
	for _, pod := range pods.Items {
		for _, container := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
			keep(pod.Name+"-"+container.Name+".log", s.podLog(ctx, pod.Name, container.Name))
		}
	}
	t.Logf("logs, events and the engine's output are in %s", dir)
}

func (s *suite) podLog(ctx context.Context, pod, container string) []byte {
	request := s.kubernetes.CoreV1().Pods(testNamespace).GetLogs(pod, &corev1.PodLogOptions{Container: container})
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
