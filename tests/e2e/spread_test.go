package e2e

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

// TestReplicasSpreadOverNodes rolls the pods and counts how often three replicas come to lie on three nodes.
func TestReplicasSpreadOverNodes(t *testing.T) {
	needNodes(t)
	each(t, func(t *testing.T, s *subject) {
		defer s.holdReplicas(t)()
		rounds := pick(1, 5)
		spread := 0
		for round := range rounds {
			s.setSetting(t, round)
			s.awaitRest(t)
			nodes, zones, pods := s.placement(t)
			if nodes == min(pods, proofNodes) && zones == min(pods, proofNodes) {
				spread++
			}
			t.Logf("round %d: %d pods on %d nodes in %d zones", round+1, pods, nodes, zones)
		}
		var problem error
		if spread < rounds {
			problem = fmt.Errorf("%d of %d rounds left a node or a zone without a replica", rounds-spread, rounds)
		}
		s.keep(t, proof{promise: 1, title: "replicas spread over nodes and zones",
			tried: "three replicas on three nodes, each a zone; every round rolls all pods", rounds: rounds,
			figure:  fmt.Sprintf("one replica a node and zone after %d of %d rollouts", spread, rounds),
			figures: evidence.Figures{"spreadRounds": float64(spread)}}, problem)
	})
}

// placement counts the nodes and zones that the frontend's pods lie on.
func (s *subject) placement(t *testing.T) (nodes, zones, pods int) {
	t.Helper()
	live, err := s.livePods(t.Context(), s.frontend)
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.kubernetes.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	zoneOf := map[string]string{}
	for _, node := range list.Items {
		zoneOf[node.Name] = node.Labels[corev1.LabelTopologyZone]
	}
	onNode, inZone := map[string]bool{}, map[string]bool{}
	for _, pod := range live {
		onNode[pod.Spec.NodeName], inZone[zoneOf[pod.Spec.NodeName]] = true, true
	}
	return len(onNode), len(inZone), len(live)
}

// TestRequiredSpreadLeavesTheFourthPending asks for a fourth replica where each must have a node of its own.
func TestRequiredSpreadLeavesTheFourthPending(t *testing.T) {
	needLong(t)
	needNodes(t)
	s := subjectOf(t, ours)
	p := s.contender.(*program)
	defer func() {
		p.set(t, "wordpress:autoscaling.minReplicas", "3")
		p.set(t, "wordpress:frontend.spread", "preferred")
		p.up(t)
		p.kubernetes.awaitRollout(t)
	}()
	p.set(t, "wordpress:frontend.nodes", "6") // more than there are: the program takes the word for it
	p.change(t, "wordpress:frontend.spread", "required")
	p.set(t, "wordpress:autoscaling.minReplicas", "4")
	p.up(t)
	var reason string
	await(t, "the fourth pod is pending and says why", func(ctx context.Context) error {
		pods, err := s.livePods(ctx, s.frontend)
		if err != nil {
			return err
		}
		pending := 0
		for _, pod := range pods {
			for _, condition := range pod.Status.Conditions {
				if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
					pending++
					reason = condition.Message
				}
			}
		}
		if pending != 1 || len(pods) != 4 {
			return fmt.Errorf("%d of %d pods are pending", pending, len(pods))
		}
		return nil
	})
	t.Logf("the fourth pod says: %s", reason)
	s.keep(t, proof{promise: 1, part: "required", title: "required spread",
		tried: "a fourth replica with `spread: required` on three nodes", rounds: 1,
		figure:  "three run, the fourth is pending: " + reason,
		figures: evidence.Figures{"pendingPods": 1}}, nil)
}
