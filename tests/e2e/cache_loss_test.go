package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"wordpress-on-kubernetes/tests/e2e/evidence"
	"wordpress-on-kubernetes/tests/e2e/load"
)

const (
	cacheDeployment = "wordpress-cache"
	// lossPerSecond are the kept pages that are asked for while pods of the cache go, and uncachedPerSecond the others.
	lossPerSecond, uncachedPerSecond = 200.0, 2.0
)

// TestPodsOfTheCacheGoUnnoticed kills the pods of the cache, rolls them and evicts them, again and again, under load.
func TestPodsOfTheCacheGoUnnoticed(t *testing.T) {
	needTime(t)
	s := newCached(t, "loss", map[string]string{cacheEnabled: "true"})
	s.deploy(t)
	s.fill(t)
	s.awaitKept(t)
	kept, fresh := s.crowd(t, true), s.crowd(t, false)
	defer kept.Close()
	var seen statuses
	run := load.Start(t.Context(),
		load.Stream{Name: pageStream, PerSecond: lossPerSecond / 2, Connections: 4, Request: s.keptPage(kept, s.article.path, &seen)},
		load.Stream{Name: "front page", PerSecond: lossPerSecond / 2, Connections: 4, Request: s.keptPage(kept, "/", &seen)},
		load.Stream{Name: "page that is not kept", PerSecond: uncachedPerSecond, Connections: 4, Request: s.unkeptPage(fresh)},
	)
	enough, gone, rounds := int64(pick(0, 100_000)), 0, 0
	for rounds < pick(1, 3) || run.Requests() < enough {
		rounds++
		run.Phase(fmt.Sprintf("round %d: killed", rounds))
		gone += s.eachCachePod(t, s.killPod)
		run.Phase(fmt.Sprintf("round %d: rolled", rounds))
		gone += s.rollCache(t)
		run.Phase(fmt.Sprintf("round %d: evicted", rounds))
		gone += s.eachCachePod(t, s.evictPod)
	}
	report := run.Stop()
	for _, failure := range report.First {
		t.Logf("failed: %s after %.3f s, %q in phase %q, pod %q: %s", failure.At.Format("15:04:05.000"), failure.Seconds, failure.Stream,
			failure.Phase, failure.Pod, failure.Reason)
	}
	t.Logf("answers by %s: %s", statusOfCache, &seen)
	var problem error
	if report.Failed > 0 {
		problem = fmt.Errorf("%d of %d requests failed", report.Failed, report.Requests)
	}
	tail := max(p99(report, pageStream), p99(report, "front page"))
	s.keep(t, proof{promise: 36, title: cacheIsReplica, rounds: rounds,
		tried: fmt.Sprintf("the pods of the cache killed without grace, rolled, and evicted as by a drain, one after the other, while %.0f kept pages "+
			"a second and %.0f that are not kept are asked for", lossPerSecond, uncachedPerSecond),
		figure: fmt.Sprintf("%s while %d pods of the cache went; p99 of kept pages %.1f ms", failures(report), gone, tail),
		figures: evidence.Figures{
			"cacheLossFailed": float64(report.Failed), "gonePods": float64(gone), "keptPageP99Milliseconds": tail,
		}, requests: report.Requests, failed: report.Failed, details: report}, problem)
}

// keptPage asks for a page that may be kept.
func (s *subject) keptPage(client *load.Client, path string, seen *statuses) func(context.Context) (load.Reply, error) {
	return func(ctx context.Context) (load.Reply, error) {
		return s.getKept(ctx, client, path, s.article.title, seen)
	}
}

// unkeptPage searches for another word each time.
func (s *subject) unkeptPage(client *load.Client) func(context.Context) (load.Reply, error) {
	var asked atomic.Int64
	return func(ctx context.Context) (load.Reply, error) {
		word := fmt.Sprintf("word%d", asked.Add(1))
		return client.Get(ctx, "/?s="+word, http.StatusOK, word)
	}
}

// eachCachePod has every pod of the cache go, one after the other, waits for the next one each time, and tells how many went.
func (s *subject) eachCachePod(t *testing.T, goes func(t *testing.T, pod string)) int {
	t.Helper()
	pods, err := s.kubernetes.readyPods(t.Context(), cacheSelector)
	if err != nil || len(pods) < 2 {
		t.Fatalf("%d pods of the cache are ready, want 2: %v", len(pods), err)
	}
	for _, pod := range pods {
		goes(t, pod.Name)
		s.awaitCache(t)
	}
	return len(pods)
}

func (s *subject) killPod(t *testing.T, pod string) {
	t.Helper()
	err := s.kubernetes.CoreV1().Pods(s.namespace).Delete(t.Context(), pod, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))})
	if err != nil {
		t.Fatal(err)
	}
}

// evictPod asks for the pod's eviction until the disruption budget allows it, as kubectl drain does.
func (s *subject) evictPod(t *testing.T, pod string) {
	t.Helper()
	await(t, "the disruption budget allows the eviction of "+pod, func(ctx context.Context) error {
		err := s.kubernetes.PolicyV1().Evictions(s.namespace).Evict(ctx,
			&policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: pod, Namespace: s.namespace}})
		if err != nil && !apierrors.IsTooManyRequests(err) {
			t.Fatal(err)
		}
		return err
	})
}

// rollCache replaces all pods of the cache, and tells how many there were.
func (s *subject) rollCache(t *testing.T) int {
	t.Helper()
	pods, err := s.kubernetes.readyPods(t.Context(), cacheSelector)
	if err != nil {
		t.Fatal(err)
	}
	kubectl(t, s.project, "", "rollout", "restart", "-n", s.namespace, "deployment", cacheDeployment)
	s.awaitCache(t)
	return len(pods)
}

// awaitCache waits until the cache has all its pods, and those that were to go have gone.
func (s *subject) awaitCache(t *testing.T) {
	t.Helper()
	await(t, "the cache has all its pods", func(ctx context.Context) error {
		now, err := s.kubernetes.AppsV1().Deployments(s.namespace).Get(ctx, cacheDeployment, metav1.GetOptions{})
		if err != nil {
			return err
		}
		list, err := s.kubernetes.CoreV1().Pods(s.namespace).List(ctx, metav1.ListOptions{LabelSelector: cacheSelector})
		if err != nil {
			return err
		}
		// What the Deployment tells of itself may be of before.
		ready, err := s.kubernetes.readyPods(ctx, cacheSelector)
		if want := int(*now.Spec.Replicas); err == nil && (len(list.Items) != want || len(ready) != want) {
			err = fmt.Errorf("%d pods are there and %d ready, want %d", len(list.Items), len(ready), want)
		}
		return errors.Join(err, rolledOut(now))
	})
}
