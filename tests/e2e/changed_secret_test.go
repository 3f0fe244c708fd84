package e2e

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"wordpress-on-kubernetes/tests/e2e/load"
)

// changedSecret is the promise that the table tells of.
const changedSecret = "a changed Secret fails no request"

// TestChangedSecretFailsNoRequest changes a Secret of somebody else's under pods that run, as a rotation by Vault or External Secrets
// does. Where the pods follow the Secret, the very same must fail: PHP remembers for a minute where a path leads.
func TestChangedSecretFailsNoRequest(t *testing.T) {
	needLong(t)
	const name = "keys-of-others"
	s := subjectOf(t, ours)
	p := s.contender.(*program)
	defer s.holdReplicas(t)()
	own, err := p.GetConfig(t.Context(), authSecret)
	if err != nil {
		t.Fatal(err)
	}
	s.createKeys(t, name)
	if err := p.RemoveConfig(t.Context(), authSecret); err != nil {
		t.Fatal(err)
	}
	p.apply(t, map[string]string{"wordpress:frontend.existingSecret": name})
	s.awaitGone(t)
	defer func() {
		if err := p.SetConfig(t.Context(), authSecret, auto.ConfigValue{Value: own.Value, Secret: true}); err != nil {
			t.Fatal(err)
		}
		p.apply(t, map[string]string{"wordpress:frontend.existingSecret": ""})
	}()

	report, problem := s.secretChanges(t, name)
	s.keep(t, proof{promise: 8, part: "changed Secret", title: changedSecret, rounds: 1,
		tried:  "somebody else's Secret with the keys changes under pods that run, and the kubelet brings it to every node, under the load of visitors",
		figure: outcome(problem, failures(report)+", "+slowest(report)), figures: visitFigures(report), requests: report.Requests, failed: report.Failed, details: report}, problem)

	defer s.withSecretsFolder(t)()
	report, broken := s.secretChanges(t, name)
	s.caught(t, 8, changedSecret, "the Secrets are mounted as a folder", failures(report), broken != nil, counted(report))
}

// createKeys makes a Secret with eight keys and salts.
func (s *subject) createKeys(t *testing.T, name string) {
	t.Helper()
	keys := map[string]string{}
	for _, kind := range []string{"AUTH", "SECURE_AUTH", "LOGGED_IN", "NONCE"} {
		keys[kind+"_KEY"], keys[kind+"_SALT"] = rand.Text()+rand.Text(), rand.Text()+rand.Text()
	}
	secrets := s.kubernetes.CoreV1().Secrets(s.namespace)
	if _, err := secrets.Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, StringData: keys}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := secrets.Delete(context.Background(), name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
}

// secretChanges changes one salt under load, and ends when requests were served after every kubelet had brought it.
func (s *subject) secretChanges(t *testing.T, name string) (load.Report, error) {
	t.Helper()
	pods, err := s.kubernetes.readyPods(t.Context(), s.frontend)
	if err != nil || len(pods) == 0 {
		t.Fatalf("%d frontend pods are ready: %v", len(pods), err)
	}
	annotate := []string{"annotate", "-n", s.namespace, "--overwrite", "pods"}
	for _, pod := range pods {
		annotate = append(annotate, pod.Name)
	}
	visits := s.visit(t)
	visits.Phase("before")
	awaitRequests(t, visits)
	before := broughtTo(t, pods)
	visits.Phase("the Secret has changed")
	kubectl(t, s.project, "", "patch", "-n", s.namespace, "secret", name, "-p", fmt.Sprintf(`{"stringData":{"NONCE_SALT":%q}}`, rand.Text()))
	// The kubelet looks after the volumes of a pod that changes at once, and otherwise within a minute or so.
	kubectl(t, s.project, "", append(annotate, "e2e/secret-changed="+rand.Text())...)
	await(t, "every kubelet has brought the changed Secret", func(context.Context) error {
		for i, version := range broughtTo(t, pods) {
			if version == before[i] {
				return fmt.Errorf("not to %s", pods[i].Name)
			}
		}
		return nil
	})
	visits.Phase("every kubelet has brought it")
	awaitRequests(t, visits)
	return s.settled(t, visits)
}

// broughtTo names the version of the Secrets that each pod has on its node, as its kubelet sees it.
func broughtTo(t *testing.T, pods []corev1.Pod) []string {
	t.Helper()
	found := make([]string, len(pods))
	for i, pod := range pods {
		link := filepath.Join("/proc/[0-9]*/root/var/lib/kubelet/pods", string(pod.UID), "volumes/kubernetes.io~projected/secrets/..data")
		paths, err := filepath.Glob(link)
		if err != nil || len(paths) == 0 {
			t.Fatalf("no process sees the Secrets of %s: %v", pod.Name, err)
		}
		// A process may have ended since, but not the kubelet.
		for _, path := range paths {
			if target, err := os.Readlink(path); err == nil {
				found[i] = target
				break
			}
		}
		if found[i] == "" {
			t.Fatalf("no process can read which Secrets %s has", pod.Name)
		}
	}
	return found
}

// withSecretsFolder mounts the Secrets as they are mounted most of the time, and returns what takes that back.
func (s *subject) withSecretsFolder(t *testing.T) (restore func()) {
	t.Helper()
	now, err := s.kubernetes.deployment(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const volume = "secrets"
	set := func(mounts []corev1.VolumeMount) { s.replaceInContainer(t, "volumeMounts", mounts) }
	files := now.Spec.Template.Spec.Containers[0].VolumeMounts
	folder := slices.DeleteFunc(slices.Clone(files), func(mount corev1.VolumeMount) bool { return mount.Name == volume })
	set(append(folder, corev1.VolumeMount{Name: volume, ReadOnly: true, MountPath: "/etc/wordpress/" + volume}))
	return func() { set(files) }
}
