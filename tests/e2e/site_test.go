// Package e2e tries the program for real: the real engine and provider, a real cluster, real WordPress and MySQL,
// real requests over HTTPS.
//
// A test that keeps a result of a promise has a row in evidence.Proofs, and its numbers in proof.figures. One that mostly waits begins
// with sideBySide; one that takes more than a minute, with needLong.
package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"wordpress-on-kubernetes/tests/stack"
)

const (
	oldImage = "localhost/wordpress:6.8"
	newImage = "localhost/wordpress:7.1"
)

// suite is what the steps of TestSite share. The steps build on one another, as a site's life does.
type suite struct {
	project    *stack.Project
	namespace  string
	host       string
	endpoints  stack.Endpoints
	kubernetes *cluster
	deployment *deployment
	visitor    *site
	admin      account
	article    article
}

func TestSite(t *testing.T) {
	sideBySide(t)
	s := newSuite(t)
	steps := []struct {
		promise string
		try     func(*suite, *testing.T)
	}{
		{"up can be interrupted", (*suite).interrupted},
		{"up run again returns when the site serves over HTTPS", (*suite).upServes},
		{"WordPress is installed, and a post with a picture is published", (*suite).publishes},
		{"the autoscaler brings the pods up to the minimum", (*suite).minimumReached},
		{"every pod serves the post and the picture", (*suite).everyPodServes},
		{"preview expects no changes", (*suite).noChanges},
		{"one overridden field changes one object", (*suite).overrideChangesOneObject},
		{"deleting all pods loses nothing", (*suite).deletingPodsLosesNothing},
	}
	for _, step := range steps {
		if !t.Run(step.promise, func(t *testing.T) { step.try(s, t) }) {
			t.FailNow()
		}
	}
}

func newSuite(t *testing.T) *suite {
	project, err := stack.Open("dev", "")
	if err != nil {
		t.Fatal(err)
	}
	// Beside the dev stack, whose file is used.
	name := beside("e2e")
	namespace, host := "wordpress-"+name, name+".wordpress.localhost"
	project.Variant = "-" + name
	project.Overrides = map[string]string{
		"wordpress:namespace":             namespace,
		"wordpress:site.host":             host,
		"wordpress:frontend.image":        oldImage,
		"wordpress:frontend.drainSeconds": "2",
		"wordpress:storage.protect":       "true",
	}
	found, err := project.Endpoints()
	if err != nil {
		t.Fatal(err)
	}
	kubernetes, err := connect(project.Kubeconfig(), namespace)
	if err != nil {
		t.Fatal(err)
	}
	if err := project.Build(t.Context()); err != nil {
		t.Fatal(err)
	}
	deployed, err := deploymentOf(t.Context(), project)
	if err != nil {
		t.Fatal(err)
	}
	visitor, err := throughEdge(host, project)
	if err != nil {
		t.Fatal(err)
	}
	admin, err := deployed.administrator(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := &suite{
		project: project, namespace: namespace, host: host, endpoints: found, kubernetes: kubernetes, deployment: deployed, visitor: visitor,
		admin: admin,
	}
	t.Cleanup(func() { s.cleanUp(t) })
	return s
}

// interrupted stops the engine, as Ctrl-C does, while it waits for the database and for WordPress, which a new site starts at the same time.
func (s *suite) interrupted(t *testing.T) {
	engine, err := s.project.FindEngine()
	if err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	command := s.project.Command(ctx, engine, "up", "--yes", "--skip-preview")
	command.Stdout, command.Stderr = &s.deployment.output, &s.deployment.output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "the database and WordPress are under way", func(ctx context.Context) error {
		_, noDatabase := s.kubernetes.AppsV1().StatefulSets(s.namespace).Get(ctx, statefulSetName, metav1.GetOptions{})
		_, noWordPress := s.kubernetes.deployment(ctx)
		return errors.Join(noDatabase, noWordPress)
	})
	interrupt()
	if err := command.Wait(); err == nil {
		t.Fatal("up came to its end before it was interrupted")
	}
}

// upServes waits for nothing but up itself.
func (s *suite) upServes(t *testing.T) {
	s.deployment.up(t)
	front, err := s.visitor.get(t.Context(), "/")
	if err != nil || front.status != http.StatusOK {
		t.Fatalf("front page: status %d, location %q, %v", front.status, front.location, err)
	}
}

func (s *suite) publishes(t *testing.T) {
	ctx := t.Context()
	if err := s.visitor.login(ctx, s.admin); err != nil {
		t.Fatal(err)
	}
	published, err := s.visitor.publish(ctx, "A post that must stay")
	if err != nil {
		t.Fatal(err)
	}
	s.article = published
	if err := s.visitor.reads(ctx, published); err != nil {
		t.Fatal(err)
	}
}

func (s *suite) autoscaler(t *testing.T) *autoscalingv2.HorizontalPodAutoscaler {
	t.Helper()
	found, err := s.kubernetes.scaler(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// minimumReached waits for the autoscaler, which starts from the one pod of a Deployment that states no number.
func (s *suite) minimumReached(t *testing.T) {
	least := int(*s.autoscaler(t).Spec.MinReplicas)
	await(t, "the minimum of pods", func(ctx context.Context) error {
		pods, err := s.kubernetes.readyPods(ctx, frontendSelector)
		if err != nil {
			return err
		}
		if len(pods) < least {
			return fmt.Errorf("%d of %d pods are ready", len(pods), least)
		}
		// Pods count as available some seconds after they are ready, and until then a refresh takes the Deployment for unhealthy.
		deployment, err := s.kubernetes.deployment(ctx)
		if err != nil {
			return err
		}
		return rolledOut(deployment)
	})
}

// eachPod visits every ready frontend pod by itself.
func (s *suite) eachPod(t *testing.T, visit func(*site) error) {
	t.Helper()
	pods, err := s.kubernetes.readyPods(t.Context(), frontendSelector)
	if err != nil {
		t.Fatal(err)
	}
	if len(pods) < 2 {
		t.Fatalf("%d pods are ready, want at least 2", len(pods))
	}
	for _, pod := range pods {
		visitor, err := straightTo(pod.Status.PodIP, ourPlace.port, s.host, s.endpoints.Proxy)
		if err == nil {
			err = visit(visitor)
		}
		if err != nil {
			t.Errorf("pod %s: %v", pod.Name, err)
		}
	}
}

func (s *suite) everyPodServes(t *testing.T) {
	s.eachPod(t, func(visitor *site) error { return visitor.reads(t.Context(), s.article) })
}

func (s *suite) noChanges(t *testing.T) { s.deployment.expectNoChanges(t) }

func (s *suite) overrideChangesOneObject(t *testing.T) {
	s.deployment.set(t, "wordpress:autoscaling.cpuUtilization", "50")
	changes := s.deployment.up(t)
	want := []string{"update kubernetes:autoscaling/v2:HorizontalPodAutoscaler::autoscaling"}
	if got := names(changes); !slices.Equal(got, want) {
		t.Fatalf("changes %q, want %q", got, want)
	}
	if got := *s.autoscaler(t).Spec.Metrics[0].Resource.Target.AverageUtilization; got != 50 {
		t.Errorf("target utilization %d, want 50", got)
	}
}

func (s *suite) deletingPodsLosesNothing(t *testing.T) {
	s.kubernetes.deletePods(t, databaseSelector)
	s.kubernetes.deletePods(t, frontendSelector)
	s.minimumReached(t)
	await(t, "the edge serves the new pods", func(ctx context.Context) error { return s.visitor.reads(ctx, s.article) })
	s.everyPodServes(t)
	if err := s.visitor.loggedIn(t.Context()); err != nil {
		t.Errorf("the login from before: %v", err)
	}
}

func (s *suite) cleanUp(t *testing.T) {
	ctx := context.Background()
	if t.Failed() {
		keepArtifacts(ctx, t, s.kubernetes, s.project)
		keepArtifact(t, s.project, s.namespace+"-engine.log", s.deployment.output.Bytes())
	}
	if err := s.deployment.giveUp(ctx); err != nil {
		t.Errorf("clean up: %v", err)
	}
}
