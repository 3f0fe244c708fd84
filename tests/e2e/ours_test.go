package e2e

import (
	"context"
	"fmt"
	"maps"
	"testing"

	"wordpress-on-kubernetes/tests/stack"
)

var ourPlace = place{
	name:             ours,
	namespace:        "wordpress-proof",
	host:             "proof.wordpress.localhost",
	frontend:         frontendSelector,
	database:         databaseSelector,
	databaseWorkload: "statefulset/" + statefulSetName,
	container:        "wordpress",
	content:          "/usr/src/wordpress/wp-content",
	port:             8080,
}

// The limits of log-ins, by configuration path.
const (
	loginRate  = "wordpress:ingress.loginLimit.requestsPerMinute"
	loginBurst = "wordpress:ingress.loginLimit.burst"
)

// program is this program under the real engine, with the tutorial's number of pods and processor time, so that the two can be
// compared. Memory, the autoscaler's target and the drain are its own.
type program struct {
	*deployment
	kubernetes *cluster
}

func newProgram(ctx context.Context, project *stack.Project, where place, image string) (*program, error) {
	project.Variant = "-" + beside("proof")
	project.Overrides = map[string]string{
		"wordpress:namespace":                  where.namespace,
		"wordpress:site.host":                  where.host,
		"wordpress:frontend.image":             image,
		"wordpress:frontend.resources.cpu":     "200m",
		"wordpress:frontend.drainSeconds":      pick("5", "20"),
		"wordpress:storage.protect":            "true",
		"wordpress:autoscaling.minReplicas":    "3",
		"wordpress:autoscaling.maxReplicas":    "6",
		"wordpress:storage.database.size":      "20Gi",
		"wordpress:storage.content.size":       "2Gi",
		"wordpress:database.resources.cpu":     "500m",
		"wordpress:ingress.redirectToHTTPS":    "true",
		"wordpress:frontend.maxUnavailable":    "0",
		"wordpress:frontend.maxSurge":          "1",
		"wordpress:frontend.maxUploadSize":     "32Mi",
		"wordpress:autoscaling.cpuUtilization": "60",
		// All visitors of the tests have one address. The proof of the limit itself takes the defaults.
		loginRate:  "6000",
		loginBurst: "1000",
	}
	if err := project.Build(ctx); err != nil {
		return nil, err
	}
	deployed, err := deploymentOf(ctx, project)
	if err != nil {
		return nil, err
	}
	client, err := connect(project.Kubeconfig(), where.namespace)
	return &program{deployment: deployed, kubernetes: client}, err
}

// newBeside is a site of this program beside those that the proofs share, with a namespace, a host and a state of its own. It is
// not up yet.
func newBeside(t *testing.T, name string, overrides map[string]string) *subject {
	t.Helper()
	begin(t)
	where := ourPlace
	where.namespace, where.host = beside("wordpress-"+name), beside(name)+".wordpress.localhost"
	project, err := stack.Open("dev", "")
	if err != nil {
		t.Fatal(err)
	}
	project.Variant = "-" + beside(name)
	project.Overrides = map[string]string{"wordpress:namespace": where.namespace, "wordpress:site.host": where.host}
	maps.Copy(project.Overrides, overrides)
	if err := project.Build(t.Context()); err != nil {
		t.Fatal(err)
	}
	deployed, err := deploymentOf(t.Context(), project)
	if err != nil {
		t.Fatal(err)
	}
	client, err := connect(project.Kubeconfig(), where.namespace)
	if err != nil {
		t.Fatal(err)
	}
	visitor, err := throughEdge(where.host, project)
	if err != nil {
		t.Fatal(err)
	}
	found := &subject{
		contender: &program{deployment: deployed, kubernetes: client}, place: where, project: project,
		kubernetes: client, visitor: visitor,
	}
	if _, hasNone := overrides["wordpress:site.admin"]; hasNone {
		return found
	}
	if found.admin, err = deployed.administrator(t.Context()); err != nil {
		t.Fatal(err)
	}
	return found
}

// deploy also removes what an earlier run may have left, when it was cut off.
func (p *program) deploy(t *testing.T) {
	t.Helper()
	// That there is a state says nothing: selecting a stack makes one.
	left, err := p.urns(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		// The lock of a run that was killed.
		if err := p.Cancel(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := p.giveUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.set(t, "wordpress:storage.protect", "true")
	}
	p.up(t)
}

// change overrides one field, as a user does, and returns when the rollout is complete.
func (p *program) change(t *testing.T, path, value string) {
	t.Helper()
	p.set(t, path, value)
	p.up(t)
	p.kubernetes.awaitRollout(t)
}

func (p *program) setImage(t *testing.T, image string) {
	t.Helper()
	p.change(t, "wordpress:frontend.image", image)
}

func (p *program) setSetting(t *testing.T, round int) {
	t.Helper()
	p.change(t, "wordpress:frontend.maxUploadSize", fmt.Sprintf("%dMi", 33+round))
}

func (p *program) remove(ctx context.Context) error { return p.giveUp(ctx) }

func (p *program) output() []byte { return p.deployment.output.Bytes() }
