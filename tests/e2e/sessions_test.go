package e2e

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// TestLoginHoldsOnEveryPod logs in through the edge and shows the login to every pod. With other keys on every pod, the
// very same must fail.
func TestLoginHoldsOnEveryPod(t *testing.T) {
	each(t, func(t *testing.T, s *subject) {
		defer s.holdReplicas(t)()
		rounds := pick(1, 10)
		var problem error
		for range rounds {
			problem = errors.Join(problem, s.loginHolds(t.Context()))
		}
		s.keep(t, proof{promise: 8, title: "a login holds on every pod", rounds: rounds,
			tried:  "log in through the edge, then show the login to every pod by itself",
			figure: outcome(problem, fmt.Sprintf("accepted by every pod in %d rounds", rounds))}, problem)
	})
}

// loginHolds logs in through the edge and has every pod accept the login.
func (s *subject) loginHolds(ctx context.Context) error {
	visitor, err := throughEdge(s.host, s.project)
	if err != nil {
		return err
	}
	if err := visitor.login(ctx, s.admin); err != nil {
		return err
	}
	return s.eachPod(ctx, func(pod *site) error {
		if pod.loggedIn(ctx) == nil {
			return errors.New("a visitor without cookies is taken for the administrator")
		}
		pod.takeCookies(visitor)
		return pod.loggedIn(ctx)
	})
}

// TestKeysOfItsOwnOnEveryPodAreNoticed is the deliberate breakage behind the login: what the official image does when
// nobody gives it keys.
func TestKeysOfItsOwnOnEveryPodAreNoticed(t *testing.T) {
	needLong(t)
	s := subjectOf(t, ours)
	const patch = `{"spec":{"template":{"spec":{"containers":[{"name":"wordpress","env":[
		{"name":"WORDPRESS_SECURE_AUTH_KEY_FILE","$patch":"delete"},
		{"name":"WORDPRESS_SECURE_AUTH_KEY","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}]}]}}}}`
	kubectl(t, s.project, "", "patch", "-n", s.namespace, "deployment", deploymentName, "-p", patch)
	defer func() {
		kubectl(t, s.project, "", "rollout", "undo", "-n", s.namespace, "deployment", deploymentName)
		s.kubernetes.awaitRollout(t)
	}()
	s.kubernetes.awaitRollout(t)
	broken := s.loginHolds(t.Context())
	s.caught(t, 8, "a login holds on every pod", "a key of its own on every pod", outcome(broken, "nothing failed"), broken != nil)
}

// TestRotatedKeysLogEverybodyOut changes the one secret behind the eight keys and salts under load.
func TestRotatedKeysLogEverybodyOut(t *testing.T) {
	s := subjectOf(t, ours)
	p := s.contender.(*program)
	visitor, err := throughEdge(s.host, s.project)
	if err != nil {
		t.Fatal(err)
	}
	if err := visitor.login(t.Context(), s.admin); err != nil {
		t.Fatal(err)
	}
	visits := s.visit(t)
	visits.Phase("the keys are rotated")
	err = p.SetConfig(t.Context(), "wordpress:authSecret", auto.ConfigValue{Value: rand.Text() + rand.Text(), Secret: true})
	if err != nil {
		t.Fatal(err)
	}
	changes := names(p.up(t))
	p.kubernetes.awaitRollout(t)
	report, problem := s.settled(t, visits)
	want := []string{
		"update kubernetes:apps/v1:Deployment::cache-deployment", "update kubernetes:apps/v1:Deployment::frontend-deployment",
		"update kubernetes:core/v1:Secret::frontend-auth-secret",
	}
	if !slices.Equal(changes, want) {
		problem = errors.Join(problem, fmt.Errorf("changes %q, want %q: the live Secret is never away", changes, want))
	}
	problem = errors.Join(problem, visitor.loggedOut(t.Context()))
	problem = errors.Join(problem, s.loginHolds(t.Context()))
	s.keep(t, proof{promise: 8, part: "rotation", title: "rotated keys log everybody out and fail no request",
		tried: "one changed secret under load", requests: report.Requests, failed: report.Failed, rounds: 1, details: report,
		figures: visitFigures(report),
		figure:  failures(report) + ", " + slowest(report) + ", " + outcome(problem, "every earlier login is refused, a new one accepted by every pod")}, problem)
}

// outcome is what went wrong in one line, or what went well.
func outcome(problem error, well string) string {
	if problem == nil {
		return well
	}
	return firstLine(problem.Error())
}
