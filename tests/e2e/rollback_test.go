package e2e

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// everyRevision is the promise that the table tells of.
const everyRevision = "every kept revision can be rolled back to"

// TestEveryRevisionCanBeRolledBackTo updates twice and goes back to the first revision as operators do, by kubectl, after every pod of it
// has gone. Where its files are deleted with it, the very same must hang.
func TestEveryRevisionCanBeRolledBackTo(t *testing.T) {
	needLong(t)
	s := subjectOf(t, ours)
	defer s.holdReplicas(t)()
	p := s.contender.(*program)
	first := s.filesOfPods(t)
	p.setSetting(t, 20)
	p.setSetting(t, 21)
	s.awaitGone(t)
	last := s.filesOfPods(t)

	problem := s.everyRevisionHasFiles(t)
	s.rollBackTo(t, first)
	s.kubernetes.awaitRollout(t)
	s.awaitGone(t)
	if err := s.eachPod(t.Context(), func(visitor *site) error { return visitor.reads(t.Context(), s.article) }); err != nil {
		problem = errors.Join(problem, err)
	}
	s.keep(t, proof{promise: 24, title: everyRevision, rounds: 1,
		tried:  "two updates of the files that pods run with, then `kubectl rollout undo` to the revision before both",
		figure: outcome(problem, "every kept revision has its files, and every pod of the one from before both serves")}, problem)

	s.rollBackTo(t, last)
	s.kubernetes.awaitRollout(t)
	s.awaitGone(t)
	files, err := s.kubernetes.CoreV1().ConfigMaps(s.namespace).Get(t.Context(), first, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	kubectl(t, s.project, "", "delete", "-n", s.namespace, "configmap", first)
	s.rollBackTo(t, first)
	hung := ""
	await(t, "the pods of a revision without files hang", func(ctx context.Context) (err error) {
		hung, err = s.hungFor(ctx, first)
		return err
	})
	s.caught(t, 24, everyRevision, "the files of an earlier revision are deleted", hung, hung != "")
	files.ResourceVersion, files.UID = "", ""
	if _, err := s.kubernetes.CoreV1().ConfigMaps(s.namespace).Create(t.Context(), files, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	s.rollBackTo(t, last)
	s.kubernetes.awaitRollout(t)
	s.awaitGone(t)
}

// filesOfPods is the name of the ConfigMap that the Deployment's pods run with.
func (s *subject) filesOfPods(t *testing.T) string {
	t.Helper()
	now, err := s.kubernetes.deployment(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return filesOf(now.Spec.Template)
}

func filesOf(template corev1.PodTemplateSpec) string {
	for _, volume := range template.Spec.Volumes {
		if volume.ConfigMap != nil {
			return volume.ConfigMap.Name
		}
	}
	return ""
}

// everyRevisionHasFiles tells which revision that Kubernetes keeps has no files on the API server.
func (s *subject) everyRevisionHasFiles(t *testing.T) (problem error) {
	t.Helper()
	sets, err := s.kubernetes.AppsV1().ReplicaSets(s.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: s.frontend})
	if err != nil {
		t.Fatal(err)
	}
	if len(sets.Items) < 3 {
		problem = fmt.Errorf("%d revisions are kept, want the two of before at least", len(sets.Items))
	}
	for _, set := range sets.Items {
		if _, err := s.kubernetes.CoreV1().ConfigMaps(s.namespace).Get(t.Context(), filesOf(set.Spec.Template), metav1.GetOptions{}); err != nil {
			problem = errors.Join(problem, fmt.Errorf("revision %s: %w", set.Annotations[revisionAnnotation], err))
		}
	}
	return problem
}

// revisionAnnotation is where a Deployment's controller numbers the revisions.
const revisionAnnotation = "deployment.kubernetes.io/revision"

// rollBackTo has kubectl roll back to the newest revision that runs with the files.
func (s *subject) rollBackTo(t *testing.T, files string) {
	t.Helper()
	sets, err := s.kubernetes.AppsV1().ReplicaSets(s.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: s.frontend})
	if err != nil {
		t.Fatal(err)
	}
	newest := 0
	for _, set := range sets.Items {
		revision, err := strconv.Atoi(set.Annotations[revisionAnnotation])
		if err != nil {
			t.Fatalf("a ReplicaSet's revision: %v", err)
		}
		if filesOf(set.Spec.Template) == files {
			newest = max(newest, revision)
		}
	}
	if newest == 0 {
		t.Fatalf("no revision with the files %s is kept", files)
	}
	kubectl(t, s.project, "", "rollout", "undo", "-n", s.namespace, "deployment/"+deploymentName, "--to-revision="+strconv.Itoa(newest))
}

// hungFor is what the kubelet says of a pod that waits for files in vain.
func (s *subject) hungFor(ctx context.Context, files string) (string, error) {
	events, err := s.kubernetes.CoreV1().Events(s.namespace).List(ctx, metav1.ListOptions{FieldSelector: "reason=FailedMount"})
	if err != nil {
		return "", err
	}
	for _, event := range events.Items {
		if strings.Contains(event.Message, files) {
			return firstLine(event.Message), nil
		}
	}
	return "", errors.New("no pod does")
}
