package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// TestRollingUpdateFailsNoRequest rolls the pods to another image, back, and to another setting, in turn, under load. With the
// drain taken out, the very same must fail.
func TestRollingUpdateFailsNoRequest(t *testing.T) {
	each(t, func(t *testing.T, s *subject) {
		rounds, requests := pick(3, 12), int64(pick(0, 100_000))
		visits := s.visit(t)
		done := 0
		// The image and a setting, in turn; the first of three rollouts leaves another image than there was.
		for done < rounds || visits.Requests() < requests || done%3 == 1 {
			s.rollOnce(t, visits, done)
			done++
		}
		report, problem := s.settled(t, visits)
		s.keep(t, proof{promise: 2, title: rollingUpdate,
			tried: "files, pages, comments and a slow page over kept and new connections, while the image and a setting roll in turn" +
				s.drain(t),
			figure: fmt.Sprintf("%s in %d rollouts, %s", failures(report), done, slowest(report)), requests: report.Requests, failed: report.Failed,
			rounds: done, figures: visitFigures(report), addsUp: true, details: report}, problem)

		s.drainTakenOut(t, 2, rollingUpdate, "rollouts", func() {
			kubectl(t, s.project, "", "rollout", "restart", "-n", s.namespace, "deployment", deploymentName)
			s.kubernetes.awaitRollout(t)
			s.awaitGone(t)
		})
	})
}

// rollingUpdate is the promise that the table tells of.
const rollingUpdate = "a rolling update fails no request"

// rollOnce rolls to the other image, back, and to another setting, in turn.
func (s *subject) rollOnce(t *testing.T, visits *visits, round int) {
	t.Helper()
	switch name := fmt.Sprintf("rollout %d: ", round+1); round % 3 {
	case 0:
		visits.Phase(name + "image " + oldImage)
		s.setImage(t, oldImage)
	case 1:
		visits.Phase(name + "image " + newImage)
		s.setImage(t, newImage)
	default:
		visits.Phase(name + "a setting")
		s.setSetting(t, round)
	}
}

// drainTakenOut is the deliberate breakage: pods that stop as soon as they are told to, and an edge and a cache that do not try
// another one. What stops pods is done a few times, because what fails then is a matter of milliseconds.
func (s *subject) drainTakenOut(t *testing.T, promise int, title, what string, stopPods func()) {
	t.Helper()
	const most = 5
	defer s.withoutDrain(t)()
	breakage := "the drain is taken out"
	if s.name == ours {
		breakage += ", and the second attempts of the edge and of the cache"
		defer s.withoutRetry(t)()
		defer s.withFiles(t, cacheName, cacheSelector, func(_, text string) string {
			return strings.ReplaceAll(text, "proxy_next_upstream error timeout;", "proxy_next_upstream off;")
		})()
	}
	visits := s.visit(t)
	done := 0
	for done < most && visits.Failed() == 0 {
		visits.Phase(fmt.Sprintf("without a drain, %s: %d", what, done+1))
		stopPods()
		done++
	}
	report := visits.Stop()
	s.caught(t, promise, title, breakage, fmt.Sprintf("%s in %d %s", failures(report), done, what), report.Failed > 0, counted(report))
}

// drain tells how long the pods drain, for the table.
func (s *subject) drain(t *testing.T) string {
	t.Helper()
	now, err := s.kubernetes.deployment(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stop := now.Spec.Template.Spec.Containers[0].Lifecycle
	switch {
	case stop == nil || stop.PreStop == nil:
		return "; no drain"
	case stop.PreStop.Sleep != nil:
		return fmt.Sprintf("; a drain of %d s", stop.PreStop.Sleep.Seconds)
	}
	return "; a drain by " + strings.Join(stop.PreStop.Exec.Command, " ")
}

// withoutDrain takes the pods' drain out, and returns what puts it back.
func (s *subject) withoutDrain(t *testing.T) (restore func()) {
	t.Helper()
	now, err := s.kubernetes.deployment(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	set := func(lifecycle *corev1.Lifecycle) { s.replaceInContainer(t, "lifecycle", lifecycle) }
	drain := now.Spec.Template.Spec.Containers[0].Lifecycle
	set(&corev1.Lifecycle{})
	return func() { set(drain) }
}

// replaceInContainer changes a field of the frontend's container, and returns when all pods have it and the others have gone.
func (s *subject) replaceInContainer(t *testing.T, field string, value any) {
	t.Helper()
	text, err := json.Marshal([]any{map[string]any{
		"op": "replace", "path": "/spec/template/spec/containers/0/" + field, "value": value,
	}})
	if err != nil {
		t.Fatal(err)
	}
	kubectl(t, s.project, "", "patch", "-n", s.namespace, "deployment", deploymentName, "--type=json", "-p", string(text))
	s.kubernetes.awaitRollout(t)
	s.awaitGone(t)
}

// withoutRetry takes the edge's second attempt out of every route, and returns what puts it back.
func (s *subject) withoutRetry(t *testing.T) (restore func()) {
	t.Helper()
	var live struct {
		Spec struct {
			Routes []map[string]any `json:"routes"`
		} `json:"spec"`
	}
	const kind = "ingressroutes.traefik.io"
	text := kubectl(t, s.project, "", "get", "-n", s.namespace, kind, "wordpress", "-o", "json")
	if err := json.Unmarshal([]byte(text), &live); err != nil {
		t.Fatal(err)
	}
	set := func(routes []map[string]any) {
		patch, err := json.Marshal(map[string]any{"spec": map[string]any{"routes": routes}})
		if err != nil {
			t.Fatal(err)
		}
		kubectl(t, s.project, "", "patch", "-n", s.namespace, kind, "wordpress", "--type=merge", "-p", string(patch))
	}
	without, taken := make([]map[string]any, 0, len(live.Spec.Routes)), 0
	for _, route := range live.Spec.Routes {
		all, _ := route["middlewares"].([]any)
		kept := slices.DeleteFunc(slices.Clone(all), func(one any) bool {
			reference, _ := one.(map[string]any)
			return reference["name"] == "wordpress-retry"
		})
		taken += len(all) - len(kept)
		changed := maps.Clone(route)
		changed["middlewares"] = kept
		without = append(without, changed)
	}
	if taken == 0 {
		t.Fatal("no route has the Middleware wordpress-retry")
	}
	set(without)
	return func() { set(live.Spec.Routes) }
}
