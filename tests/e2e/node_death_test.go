package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

// capacityLimit is how soon after a node's death the frontend must have all its replicas again. Most of it is the cluster's
// own time until it notices, which is longer on a busy machine: the short form, which must not depend on that, allows twice
// as long.
const capacityLimit = time.Minute

// sentLimit is how long after a node's death a request may still be sent that fails: later ones go to other pods. It has room for the
// command that ends the node.
const sentLimit = 5 * time.Second

// failureLimit is how long after a node's death requests may fail: nobody closes the connections of those that its pods had begun, so
// that they end with the edge's limit, which is that of the pods (frontend.maxRequestSeconds by default).
const failureLimit = 30*time.Second + sentLimit

// entryNode is the one through which the local cluster leads its visitors to the edge, as a load balancer would.
const entryNode = "node1"

// TestDeadNodeOfTheFrontendIsReplaced ends a node's kubelet, containerd and pods without notice, under load.
func TestDeadNodeOfTheFrontendIsReplaced(t *testing.T) {
	needNodes(t)
	each(t, func(t *testing.T, s *subject) {
		found, problem := s.frontendNodeDies(t)
		s.keep(t, proof{promise: 4, part: "frontend", title: "a node of the frontend dies", rounds: 1,
			tried: "as in a power cut, a node loses its network and then its kubelet, containerd and pods, without notice, under the load of " +
				"visitors; neither the edge nor DNS runs there, nor does the visitors' way to the edge lead through it",
			figure: found.String(), figures: found.figures(), requests: found.requests, failed: found.failed}, problem)
	})
}

// death is what the end of a node did to the frontend.
type death struct {
	// died are the replicas that were on the node.
	died, replicas    int
	noticed, capacity time.Duration
	// sent is how long after the death the last request was sent that failed, and window when the last one failed.
	sent, window     time.Duration
	failed, requests int64
}

func (d death) String() string {
	return fmt.Sprintf("%d of %d replicas died; noticed by the cluster after %s, full capacity after %s; %d of %d requests failed, "+
		"the last of them sent %s after the death and given up %s after it",
		d.died, d.replicas, d.noticed.Round(time.Second), d.capacity.Round(time.Second), d.failed, d.requests,
		d.sent.Round(100*time.Millisecond), d.window.Round(100*time.Millisecond))
}

func (d death) figures() evidence.Figures {
	return evidence.Figures{
		"diedReplicas": float64(d.died), "replicas": float64(d.replicas), "noticedSeconds": d.noticed.Seconds(),
		"fullCapacitySeconds": d.capacity.Seconds(), "lastFailedSentSeconds": d.sent.Seconds(), "lastFailedSeconds": d.window.Seconds(),
	}
}

// frontendNodeDies kills a node that the frontend alone depends on, and gives it back when all has recovered.
func (s *subject) frontendNodeDies(t *testing.T) (death, error) {
	t.Helper()
	defer s.holdReplicas(t)()
	s.spreadOut(t)
	victim := s.nodeOfFrontendAlone(t)
	s.moveAddonsAway(t, victim)
	died := s.placed(t)[victim]
	visits := s.visit(t)
	visits.Phase("before")
	awaitRequests(t, visits)
	visits.Phase("the node is dead")
	killed := time.Now()
	s.node(t, "kill", victim)
	defer s.nodeComesBack(t, victim)
	limit := pick(2*capacityLimit, capacityLimit)
	found := death{died: died, replicas: fewReplicas}
	awaitWithin(t, patience, "the cluster notices", func(ctx context.Context) error {
		node, err := s.kubernetes.CoreV1().Nodes().Get(ctx, victim, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if nodeReady(node) {
			return errors.New("the node still counts as ready")
		}
		return nil
	})
	found.noticed = time.Since(killed)
	awaitWithin(t, 8*time.Minute, "full capacity", func(ctx context.Context) error {
		pods, err := s.kubernetes.readyPods(ctx, s.frontend)
		if err != nil {
			return err
		}
		alive := 0
		for _, pod := range pods {
			if pod.Spec.NodeName != victim {
				alive++
			}
		}
		if alive < fewReplicas {
			return fmt.Errorf("%d of %d replicas are ready", alive, fewReplicas)
		}
		return nil
	})
	found.capacity = time.Since(killed)
	visits.Phase("after")
	after := visits.Failed()
	awaitRequests(t, visits)
	lasting := visits.Failed() - after
	report, _ := s.settled(t, visits)
	found.failed, found.requests = report.Failed, report.Requests
	sent, ended := visits.LastFailed()
	found.sent, found.window = max(0, sent.Sub(killed)), max(0, ended.Sub(killed))
	lost, err := s.lost(t.Context(), visits.acknowledged)
	switch {
	case err != nil:
		return found, err
	case len(lost) > 0:
		return found, fmt.Errorf("%d acknowledged comments are lost: %s", len(lost), lost[0])
	case lasting > 0:
		return found, fmt.Errorf("%d requests failed after the replicas were back", lasting)
	case found.window > failureLimit:
		return found, fmt.Errorf("requests failed for %s, want at most %s", found.window, failureLimit)
	case found.sent > sentLimit:
		return found, fmt.Errorf("a request that was sent %s after the death failed, want none after %s", found.sent, sentLimit)
	case found.capacity > limit:
		return found, fmt.Errorf("full capacity after %s, want %s", found.capacity.Round(time.Second), limit)
	}
	return found, nil
}

// TestDeadNodeOfTheDatabaseIsReplaced ends the database's node without notice. A cluster must not start the database
// elsewhere while the dead node may still write: somebody has to say that it does not, which is called fencing.
func TestDeadNodeOfTheDatabaseIsReplaced(t *testing.T) {
	needLong(t)
	needNodes(t)
	each(t, func(t *testing.T, s *subject) {
		pods, err := s.kubernetes.readyPods(t.Context(), s.database)
		if err != nil || len(pods) != 1 {
			t.Fatalf("%d database pods are ready: %v", len(pods), err)
		}
		victim := pods[0].Spec.NodeName
		s.moveAddonsAway(t, victim)
		visits := s.visit(t)
		visits.Phase("before")
		awaitRequests(t, visits)
		visits.Phase("the node is dead")
		s.node(t, "kill", victim)
		defer s.nodeComesBack(t, victim)
		fenced := time.Now()
		kubectl(t, s.project, "", "taint", "node", victim, "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute")
		defer kubectl(t, s.project, "", "taint", "node", victim, "node.kubernetes.io/out-of-service-")
		awaitWithin(t, 8*time.Minute, "the database serves again", func(ctx context.Context) error {
			return s.visitor.reads(ctx, s.article)
		})
		recovered := time.Since(fenced)
		visits.Phase("after")
		awaitRequests(t, visits)
		report := visits.Stop()
		lost, problem := s.lost(t.Context(), visits.acknowledged)
		if problem == nil && len(lost) > 0 {
			problem = fmt.Errorf("%d acknowledged comments are lost: %s", len(lost), lost[0])
		}
		if problem == nil && recovered > fencingLimit {
			problem = fmt.Errorf("the site came back %s after the node was fenced, want %s", recovered, fencingLimit)
		}
		s.keep(t, proof{promise: 4, part: "database", title: "the database's node dies", rounds: 1,
			tried: "as in a power cut, the node loses its network and then all its processes, without notice; it is fenced (taint " +
				"out-of-service) at once, under the load of visitors",
			figure: fmt.Sprintf("the site reads again %s after fencing, %d of %d acknowledged comments lost",
				recovered.Round(time.Second), len(lost), visits.acknowledged.count()),
			figures: evidence.Figures{"recoverySeconds": recovered.Seconds(), "lostComments": float64(len(lost)),
				"acknowledgedComments": float64(visits.acknowledged.count())},
			requests: report.Requests, failed: report.Failed, details: report}, problem)
	})
}

// fencingLimit is the bound of docs/operations.md for the time from fencing a dead node until the site reads again: the
// cluster has to notice the node's death (most of a minute), and MySQL to recover.
const fencingLimit = 3 * time.Minute

// node runs the local cluster's command for a node, by its name.
func (s *subject) node(t *testing.T, command, name string) {
	t.Helper()
	if err := clusterCommand(s.project, "node", command, strings.TrimPrefix(name, "node")); err != nil {
		t.Fatal(err)
	}
}

// nodeComesBack starts a node again and waits until it has, and everything is where it was.
func (s *subject) nodeComesBack(t *testing.T, name string) {
	t.Helper()
	s.node(t, "start", name)
	await(t, name+" is back", func(ctx context.Context) error {
		node, err := s.kubernetes.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if !nodeReady(node) {
			return errors.New("the node is not ready")
		}
		return nil
	})
}

func nodeReady(node *corev1.Node) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// nodeOfFrontendAlone is a node where the frontend runs and the database does not, if possible one that visitors do not come through.
func (s *subject) nodeOfFrontendAlone(t *testing.T) string {
	t.Helper()
	database, err := s.kubernetes.readyPods(t.Context(), s.database)
	if err != nil || len(database) != 1 {
		t.Fatalf("%d database pods are ready: %v", len(database), err)
	}
	pods, err := s.kubernetes.readyPods(t.Context(), s.frontend)
	if err != nil {
		t.Fatal(err)
	}
	found := ""
	for _, pod := range pods {
		if node := pod.Spec.NodeName; node != database[0].Spec.NodeName && (found == "" || found == entryNode) {
			found = node
		}
	}
	if found == "" {
		t.Fatal("all frontend pods are on the database's node")
	}
	if found == entryNode {
		t.Logf("the visitors' way leads through %s: what is under way there is lost too", found)
	}
	return found
}

// spreadOut takes pods away from nodes that hold several, until each is alone or no better place is found: nobody moves pods back to
// a node that has returned.
func (s *subject) spreadOut(t *testing.T) {
	t.Helper()
	err := eventually(t.Context(), time.Minute, "one replica a node", func(ctx context.Context) error {
		pods, err := s.kubernetes.readyPods(ctx, s.frontend)
		if err != nil {
			return err
		}
		if len(pods) != fewReplicas {
			return fmt.Errorf("%d of %d replicas are ready", len(pods), fewReplicas)
		}
		taken := map[string]bool{}
		for _, pod := range pods {
			if taken[pod.Spec.NodeName] {
				return errors.Join(fmt.Errorf("two are on %s", pod.Spec.NodeName),
					s.kubernetes.CoreV1().Pods(s.namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{}))
			}
			taken[pod.Spec.NodeName] = true
		}
		return nil
	})
	if err != nil {
		t.Logf("%v", err)
		s.awaitReplicas(t, fewReplicas)
	}
	s.awaitGone(t)
}

// moveAddonsAway moves the edge and the cluster's own services to other nodes, so that a node's death is only that of
// what the proof is about.
func (s *subject) moveAddonsAway(t *testing.T, name string) {
	t.Helper()
	kubectl(t, s.project, "", "cordon", name)
	defer kubectl(t, s.project, "", "uncordon", name)
	for _, namespace := range []string{"kube-system", "traefik"} {
		err := s.kubernetes.CoreV1().Pods(namespace).DeleteCollection(t.Context(), metav1.DeleteOptions{},
			metav1.ListOptions{FieldSelector: "spec.nodeName=" + name})
		if err != nil {
			t.Fatal(err)
		}
		await(t, "the addons run elsewhere", func(ctx context.Context) error {
			pods, err := s.kubernetes.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
			if err != nil {
				return err
			}
			for _, pod := range pods.Items {
				if pod.DeletionTimestamp != nil || pod.Spec.NodeName == name || !isReady(pod) {
					return fmt.Errorf("%s/%s on %s", namespace, pod.Name, pod.Spec.NodeName)
				}
			}
			return nil
		})
	}
	await(t, "the edge serves", func(ctx context.Context) error { return s.visitor.reads(ctx, s.article) })
}

// awaitRequests waits for more requests, enough for all kinds of them.
func awaitRequests(t *testing.T, visits *visits) {
	t.Helper()
	const more = 500
	wanted := visits.Requests() + more
	await(t, fmt.Sprintf("%d more requests", more), func(context.Context) error {
		if done := visits.Requests(); done < wanted {
			return fmt.Errorf("%d of %d", done, wanted)
		}
		return nil
	})
}
