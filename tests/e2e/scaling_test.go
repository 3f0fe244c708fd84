package e2e

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// Replicas that are scaled between; those of the tutorial.
const (
	fewReplicas  = 3
	manyReplicas = 6
)

// TestScalingInFailsNoRequest has the autoscaler take half of the pods away under load.
func TestScalingInFailsNoRequest(t *testing.T) {
	each(t, func(t *testing.T, s *subject) {
		visits := s.visit(t)
		rounds := pick(1, 3)
		for round := range rounds {
			visits.Phase(fmt.Sprintf("round %d: scaling out", round+1))
			s.scaleOut(t)
			visits.Phase(fmt.Sprintf("round %d: scaling in", round+1))
			s.scaleIn(t)
		}
		visits.Phase("after")
		s.setBounds(t, fewReplicas, manyReplicas)
		report, problem := s.settled(t, visits)
		s.keep(t, proof{promise: 3, part: "scaling in", title: scalingIn,
			tried:  fmt.Sprintf("the autoscaler takes the pods from %d to %d under the load of visitors", manyReplicas, fewReplicas),
			figure: fmt.Sprintf("%s in %d rounds, %s", failures(report), rounds, slowest(report)), requests: report.Requests, failed: report.Failed,
			rounds: rounds, figures: visitFigures(report), addsUp: true, details: report}, problem)

		s.drainTakenOut(t, 3, scalingIn, "rounds", func() {
			s.scaleOut(t)
			s.scaleIn(t)
		})
		s.setBounds(t, fewReplicas, manyReplicas)
	})
}

// scalingIn is the promise that the table tells of.
const scalingIn = "scaling in fails no request"

// scaleOut has the autoscaler add pods and waits until they serve.
func (s *subject) scaleOut(t *testing.T) {
	t.Helper()
	s.setBounds(t, manyReplicas, manyReplicas)
	s.awaitReplicas(t, manyReplicas)
}

// scaleIn has the autoscaler take pods away and waits until they have gone.
func (s *subject) scaleIn(t *testing.T) {
	t.Helper()
	s.setBounds(t, fewReplicas, fewReplicas)
	s.awaitReplicas(t, fewReplicas)
	s.awaitGone(t)
}

// holdReplicas has the autoscaler keep the fewest replicas, however loaded they are, and returns what sets it free again. Pods that it
// adds or takes away, maybe for an earlier test's load, must not hide or add to what happens to the others.
func (s *subject) holdReplicas(t *testing.T) (release func()) {
	t.Helper()
	s.scaleIn(t)
	return func() { s.setBounds(t, fewReplicas, manyReplicas) }
}

// setBounds has the autoscaler keep the replicas within bounds.
func (s *subject) setBounds(t *testing.T, least, most int) {
	t.Helper()
	if p, ok := s.contender.(*program); ok {
		p.set(t, "wordpress:autoscaling.minReplicas", strconv.Itoa(least))
		p.set(t, "wordpress:autoscaling.maxReplicas", strconv.Itoa(most))
		p.up(t)
		return
	}
	kubectl(t, s.project, "", "patch", "-n", s.namespace, "horizontalpodautoscaler", autoscalerName, "-p",
		fmt.Sprintf(`{"spec":{"minReplicas":%d,"maxReplicas":%d}}`, least, most))
}

// awaitGone waits until the pods that were told to go have gone, and with them the last request that they may fail.
func (s *subject) awaitGone(t *testing.T) {
	t.Helper()
	s.awaitGoneOf(t, s.frontend)
}

// awaitGoneOf does that for the pods of a selector.
func (s *subject) awaitGoneOf(t *testing.T, selector string) {
	t.Helper()
	await(t, "the pods that were told to go have gone", func(ctx context.Context) error {
		list, err := s.kubernetes.CoreV1().Pods(s.namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
		if err != nil {
			return err
		}
		for _, pod := range list.Items {
			if pod.DeletionTimestamp != nil {
				return fmt.Errorf("%s is still there", pod.Name)
			}
		}
		return nil
	})
}

// TestDrainingNodesFailsNoRequest drains each node in turn under load, and watches how many frontend pods are disrupted at a
// time. Only the frontend's pods are evicted: the one database and the local edge are not what the promise is about.
func TestDrainingNodesFailsNoRequest(t *testing.T) {
	needNodes(t)
	each(t, func(t *testing.T, s *subject) {
		nodes, err := s.kubernetes.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.holdReplicas(t)()
		before := s.placed(t)
		fewest := s.watchFewest(t)
		visits := s.visit(t)
		drains := 0
		for _, node := range nodes.Items {
			if drains < pick(1, len(nodes.Items)) && s.placed(t)[node.Name] > 0 {
				visits.Phase("draining " + node.Name)
				s.drainNode(t, node.Name)
				drains++
			}
		}
		report, problem := s.settled(t, visits)
		disrupted := sum(before) - fewest()
		switch {
		case problem != nil:
		case disrupted > 1:
			problem = fmt.Errorf("%d frontend pods were disrupted at a time", disrupted)
		case disrupted < 1:
			problem = errors.New("no drain disrupted a pod, so nothing was tried")
		}
		figures := visitFigures(report)
		figures["mostDisruptedPods"] = float64(disrupted)
		s.keep(t, proof{promise: 3, part: "draining", title: "draining nodes fails no request",
			tried: fmt.Sprintf("kubectl drain of %d nodes with frontend pods, one after the other, for these pods, under the load of visitors",
				drains) + s.drain(t),
			figure: fmt.Sprintf("%s in %d drains, %s, at most %d pod disrupted at a time", failures(report),
				drains, slowest(report), disrupted),
			requests: report.Requests, failed: report.Failed, rounds: drains, figures: figures, details: report}, problem)
	})
}

// placed counts the ready frontend pods by node.
func (s *subject) placed(t *testing.T) map[string]int {
	t.Helper()
	pods, err := s.kubernetes.readyPods(t.Context(), s.frontend)
	if err != nil {
		t.Fatal(err)
	}
	byNode := map[string]int{}
	for _, pod := range pods {
		byNode[pod.Spec.NodeName]++
	}
	return byNode
}

func sum(counts map[string]int) (total int) {
	for _, count := range counts {
		total += count
	}
	return total
}

// drainNode evicts the frontend's pods from a node, waits until as many run elsewhere, and gives the node back.
func (s *subject) drainNode(t *testing.T, node string) {
	t.Helper()
	defer kubectl(t, s.project, "", "uncordon", node)
	kubectl(t, s.project, "", "drain", node, "--ignore-daemonsets", "--delete-emptydir-data",
		"--pod-selector="+s.frontend, "--timeout=5m")
	s.kubernetes.awaitRollout(t)
	s.awaitGone(t)
}

// watchFewest counts the frontend's pods that are ready and not about to go, at every change, until the returned function is
// called, which tells the fewest that there were.
func (s *subject) watchFewest(t *testing.T) func() int {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	list, err := s.kubernetes.CoreV1().Pods(s.namespace).List(ctx, metav1.ListOptions{LabelSelector: s.frontend})
	if err != nil {
		t.Fatal(err)
	}
	changes, err := s.kubernetes.CoreV1().Pods(s.namespace).
		Watch(ctx, metav1.ListOptions{LabelSelector: s.frontend, ResourceVersion: list.ResourceVersion})
	if err != nil {
		t.Fatal(err)
	}
	serving := map[string]bool{}
	for _, pod := range list.Items {
		if pod.DeletionTimestamp == nil && isReady(pod) {
			serving[pod.Name] = true
		}
	}
	var fewest atomic.Int64
	fewest.Store(int64(len(serving)))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for change := range changes.ResultChan() {
			pod, isPod := change.Object.(*corev1.Pod)
			if !isPod {
				continue
			}
			if change.Type != watch.Deleted && pod.DeletionTimestamp == nil && isReady(*pod) {
				serving[pod.Name] = true
			} else {
				delete(serving, pod.Name)
			}
			fewest.Store(min(fewest.Load(), int64(len(serving))))
		}
	}()
	return func() int {
		stop()
		changes.Stop()
		<-done
		return int(fewest.Load())
	}
}
