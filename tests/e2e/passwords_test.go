package e2e

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

// What the table says of the promise.
const (
	changedPasswords = "changed passwords fail no request"
	failedPasswords  = "a failed update leaves the old password working"
)

// The secrets of a stack.
const (
	userPassword = "wordpress:databasePassword"
	rootPassword = "wordpress:databaseRootPassword"
	authSecret   = "wordpress:authSecret"
)

// TestChangedPasswordsFailNoRequest changes each secret by the configuration and an update, under load. Changed on the server as one does
// without knowing better, so that the old password ends at once, the same must fail.
func TestChangedPasswordsFailNoRequest(t *testing.T) {
	s := subjectOf(t, ours)
	defer s.holdReplicas(t)()
	p := s.contender.(*program)
	rounds := [][]string{{userPassword, rootPassword, authSecret}}
	if *long {
		rounds = [][]string{{userPassword}, {rootPassword}, {userPassword, rootPassword, authSecret}}
	}
	visits := s.visit(t)
	var problem error
	for _, secrets := range rounds {
		visits.Phase("changed: " + strings.Join(secrets, ", "))
		before := p.secrets(t)
		p.changeSecrets(t, secrets...)
		p.up(t)
		problem = errors.Join(problem, s.inForce(t, before))
	}
	p.kubernetes.awaitRollout(t)
	report, failed := s.settled(t, visits)
	problem = errors.Join(failed, problem)
	s.keep(t, proof{promise: 23, title: changedPasswords, rounds: len(rounds),
		tried: "the passwords of WordPress's user and of root, and the secret of the keys, changed in the configuration, and `pulumi up`, " +
			"under the load of visitors",
		figure: failures(report) + ", " + slowest(report) + ", " +
			outcome(problem, "the server accepts the new passwords and refuses those of before when `up` returns"),
		figures: visitFigures(report), requests: report.Requests, failed: report.Failed, details: report}, problem)

	user, now := s.databaseUser(t), p.secrets(t)[userPassword]
	visits = s.visit(t)
	awaitRequests(t, visits)
	visits.Phase("the old password ends at once")
	s.changeDatabase(t, fmt.Sprintf("ALTER USER '%s'@'%%' IDENTIFIED BY '%s'", user, rand.Text()))
	awaitRequests(t, visits)
	s.changeDatabase(t, fmt.Sprintf("ALTER USER '%s'@'%%' IDENTIFIED BY '%s'", user, now))
	report = visits.Stop()
	s.caught(t, 23, changedPasswords, "the server forgets the old password when it is told the new one", failures(report), report.Failed > 0,
		evidence.Figures{"requests": float64(report.Requests), "failed": float64(report.Failed)})
}

// TestFailedUpdateLeavesTheOldPassword changes the password in an update whose pods never start. Both passwords work then, and pods that
// start serve; a third is refused before anything is changed; and the next update that succeeds completes the change.
func TestFailedUpdateLeavesTheOldPassword(t *testing.T) {
	needLong(t)
	s := subjectOf(t, ours)
	defer s.holdReplicas(t)()
	p := s.contender.(*program)
	before := p.secrets(t)
	visits := s.visit(t)
	visits.Phase("an update that never completes")
	p.changeSecrets(t, userPassword)
	p.set(t, imagePath, newImage+"-that-does-not-exist")
	problem := s.upUntilPodsHang(t)
	after := p.secrets(t)
	for name, password := range map[string]string{"old": before[userPassword], "new": after[userPassword]} {
		if !s.accepts(t, s.databaseUser(t), password) {
			problem = errors.Join(problem, fmt.Errorf("the %s password is refused after a failed update", name))
		}
	}
	visits.Phase("a third password")
	p.changeSecrets(t, userPassword)
	_, err := p.Up(t.Context(), optup.ProgressStreams(&p.deployment.output))
	switch {
	case err == nil:
		problem = errors.Join(problem, errors.New("a third password is not refused"))
	case !strings.Contains(err.Error(), "a third would shut out"):
		problem = errors.Join(problem, fmt.Errorf("a third password is refused for another reason: %w", err))
	}
	visits.Phase("the update completes")
	p.setSecret(t, userPassword, after[userPassword])
	p.set(t, imagePath, newImage)
	p.up(t)
	problem = errors.Join(problem, s.inForce(t, before))
	report, failed := s.settled(t, visits)
	problem = errors.Join(failed, problem)
	s.keep(t, proof{promise: 23, part: "failed update", title: failedPasswords, rounds: 1,
		tried: "the password changed together with an image that does not exist, the update ended while its pods hang, then a third password, " +
			"then an update that completes the change",
		figure:  failures(report) + ", " + outcome(problem, "both passwords work in between, the third is refused, and in the end only the new one works"),
		figures: visitFigures(report), requests: report.Requests, failed: report.Failed, details: report}, problem)
}

// imagePath is the setting of WordPress's image.
const imagePath = "wordpress:frontend.image"

// upUntilPodsHang updates, and ends the update when a new pod cannot start.
func (s *subject) upUntilPodsHang(t *testing.T) error {
	t.Helper()
	return s.upUntil(t, "a pod of the new image cannot start", func(ctx context.Context) error {
		pods, err := s.kubernetes.CoreV1().Pods(s.namespace).List(ctx, metav1.ListOptions{LabelSelector: s.frontend})
		if err != nil {
			return err
		}
		for _, pod := range pods.Items {
			if hangs(pod) {
				return nil
			}
		}
		return errors.New("none waits for its image")
	})
}

// upUntil updates, and ends the update when the condition holds. That it succeeds is an error.
func (s *subject) upUntil(t *testing.T, what string, condition func(context.Context) error) error {
	t.Helper()
	up := s.contender.(*program).beginUp(t)
	await(t, what, condition)
	if up.cutOff(t); up.err == nil {
		return errors.New("the update succeeded")
	}
	return nil
}

// hangs reports whether a pod waits for an image in vain.
func hangs(pod corev1.Pod) bool {
	for _, status := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		if waiting := status.State.Waiting; waiting != nil && strings.Contains(waiting.Reason, "Image") {
			return true
		}
	}
	return false
}

// secrets are the values of the stack's secrets by their keys.
func (p *program) secrets(t *testing.T) map[string]string {
	t.Helper()
	values := map[string]string{}
	for _, key := range []string{userPassword, rootPassword, authSecret} {
		value, err := p.GetConfig(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		values[key] = value.Value
	}
	return values
}

// changeSecrets sets new values as a user does. The characters after the random ones are those that SQL and the shell know.
func (p *program) changeSecrets(t *testing.T, keys ...string) {
	t.Helper()
	for _, key := range keys {
		p.setSecret(t, key, rand.Text()+rand.Text()+"$`;%-")
	}
}

// setSecret overrides a secret as a user does.
func (p *program) setSecret(t *testing.T, key, value string) {
	t.Helper()
	if err := p.SetConfig(t.Context(), key, auto.ConfigValue{Value: value, Secret: true}); err != nil {
		t.Fatal(err)
	}
}

// inForce tells what of the configured passwords the server refuses, and which of before it still accepts.
func (s *subject) inForce(t *testing.T, before map[string]string) (problem error) {
	t.Helper()
	now := s.contender.(*program).secrets(t)
	for key, user := range map[string]string{userPassword: s.databaseUser(t), rootPassword: "root"} {
		if !s.accepts(t, user, now[key]) {
			problem = errors.Join(problem, fmt.Errorf("the server refuses %s", key))
		}
		if before[key] != now[key] && s.accepts(t, user, before[key]) {
			problem = errors.Join(problem, fmt.Errorf("the server still accepts the %s of before", key))
		}
	}
	return problem
}

// accepts tries a log-in in the server's pod. The password goes by the input.
func (s *subject) accepts(t *testing.T, user, password string) bool {
	t.Helper()
	output, err := s.sql(t.Context(), user, password, "SELECT 'logged in'")
	switch {
	case err == nil && strings.Contains(output, "logged in"):
		return true
	case err != nil && strings.Contains(err.Error(), "ERROR 1045"):
		return false
	}
	t.Fatalf("log-in of %s: %q: %v", user, output, err)
	return false
}

// sql runs a statement as a user in the server's pod. The client reads the password from its input, so that it is on no command line.
func (s *subject) sql(ctx context.Context, user, password, statement string) (string, error) {
	pod, err := s.databasePod(ctx)
	if err != nil {
		return "", err
	}
	const line = `mysql --defaults-extra-file=/dev/stdin --user="$0" --execute="$1"`
	options := fmt.Sprintf("[client]\npassword=\"%s\"\n", password)
	return tryKubectl(ctx, s.project, options, "exec", "-i", "-n", s.namespace, pod.Name, "-c", "mysql", "--", "sh", "-c", line, user, statement)
}

// databaseUser is WordPress's user in MySQL.
func (s *subject) databaseUser(t *testing.T) string {
	t.Helper()
	now, err := s.kubernetes.deployment(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, variable := range now.Spec.Template.Spec.Containers[0].Env {
		if variable.Name == "WORDPRESS_DB_USER" {
			return variable.Value
		}
	}
	t.Fatal("the Deployment names no user of the database")
	return ""
}
