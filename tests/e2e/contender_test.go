package e2e

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"

	"wordpress-on-kubernetes/tests/stack"
)

// long asks for the long form of every proof, on both contenders.
var long = flag.Bool("long", false, "the long form of every proof, beside the tutorial's manifests; `make verify` sets it")

// siteSuffix keeps several runs on one cluster apart.
var siteSuffix = flag.String("site", "", "suffix of the sites' names, for several runs on one cluster at a time")

// beside appends the suffix to a name.
func beside(name string) string {
	if *siteSuffix == "" {
		return name
	}
	return name + "-" + *siteSuffix
}

// pick is the long form's amount or the short one's.
func pick[T any](short, lengthy T) T {
	if *long {
		return lengthy
	}
	return short
}

// contender is one way to run the site: this program, or the tutorial's manifests. The same proofs are tried on both.
type contender interface {
	// deploy brings the site up as the contender has it, or back to that; it returns when the contender says so.
	deploy(t *testing.T)
	// setImage and setSetting each roll the pods, as the contender does it, and return when that is complete.
	setImage(t *testing.T, image string)
	setSetting(t *testing.T, round int)
	// remove takes everything away, data included.
	remove(ctx context.Context) error
	// output is what the contender's tools printed.
	output() []byte
}

// place says where a contender's objects are and what they are called.
type place struct {
	// name of the contender: tutorial or ours.
	name            string
	namespace, host string
	// frontend and database are label selectors; container is the one that serves.
	frontend, database string
	// databaseWorkload is what runs the database's pod, for kubectl.
	databaseWorkload string
	container        string
	// content is the path of wp-content in a frontend pod, and port is where the pod listens.
	content string
	port    int
}

// subject is a contender's running site and what is needed to try a promise on it.
type subject struct {
	contender
	place
	project    *stack.Project
	kubernetes *cluster
	visitor    *site
	admin      account
	article    article
	// guestbook is the article that visitors comment on: thousands of comments would make the page slow that they read.
	guestbook article
	// filled says that the site came up with all that the proofs need.
	filled bool
}

// subjects are the sites that are up, by the contender's name. Bringing one up takes most of a minute, so the proofs
// share them; each starts from a site at rest and leaves one, and whoever has its turn with one may change its entry.
var subjects = map[string]*subject{}

// contenders to try a promise on: both in the long form, this program alone in the short one.
func contenders() []string {
	return pick([]string{ours}, []string{tutorial, ours})
}

// The names of the contenders, which are also the columns of docs/evidence.md.
const (
	tutorial = "tutorial"
	ours     = "ours"
)

// each tries a promise on every contender.
func each(t *testing.T, try func(*testing.T, *subject)) {
	t.Helper()
	for _, name := range contenders() {
		t.Run(name, func(t *testing.T) { try(t, subjectOf(t, name)) })
	}
}

// subjectOf is the contender's site, brought up if it is not, with WordPress installed, one article published, and every
// pod ready.
func subjectOf(t *testing.T, name string) *subject {
	t.Helper()
	takeTurn(t, name)
	begin(t)
	found, known := subjects[name]
	if !known {
		found = freshSubject(t, name, newImage)
	}
	if !found.filled {
		t.Fatalf("the %s site did not come up: the first test that needed it tells why", name)
	}
	t.Cleanup(func() {
		if t.Failed() {
			keepArtifacts(context.Background(), t, found.kubernetes, found.project)
			keepArtifact(t, found.project, name+"-engine.log", found.output())
		}
	})
	found.awaitRest(t)
	return found
}

// freshSubject brings the contender's site up anew, with a given image.
func freshSubject(t *testing.T, name, image string) *subject {
	t.Helper()
	takeTurn(t, name)
	begin(t)
	if earlier, up := subjects[name]; up {
		if err := earlier.remove(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	found := newSubject(t, name, image)
	subjects[name] = found
	found.deploy(t)
	found.fill(t)
	found.filled = true
	return found
}

func newSubject(t *testing.T, name, image string) *subject {
	t.Helper()
	begin(t)
	project, err := stack.Open("dev", "")
	if err != nil {
		t.Fatal(err)
	}
	s := &subject{project: project, admin: account{user: "admin", password: rand.String(24)}}
	switch name {
	case ours:
		s.place = ourPlace
		s.namespace, s.host = beside(s.namespace), beside("proof")+".wordpress.localhost"
		var program *program
		if program, err = newProgram(t.Context(), project, s.place, image); err == nil {
			s.contender = program
			s.admin, err = program.administrator(t.Context())
		}
	case tutorial:
		s.place = tutorialPlace
		s.contender, err = newManifests(project, s.place, image)
	default:
		err = fmt.Errorf("no contender is called %q", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	if s.kubernetes, err = connect(project.Kubeconfig(), s.namespace); err != nil {
		t.Fatal(err)
	}
	if s.visitor, err = throughEdge(s.host, project); err != nil {
		t.Fatal(err)
	}
	return s
}

//go:embed testdata/proof.php
var proofPlugin string

// fill adds the plugin that the proofs need, and articles.
func (s *subject) fill(t *testing.T) {
	t.Helper()
	await(t, "the site serves", s.serves)
	if err := s.install(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.installPlugin(t)
	if err := s.visitor.login(t.Context(), s.admin); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.article, err = s.visitor.publish(t.Context(), "A post that must stay"); err != nil {
		t.Fatal(err)
	}
	if s.guestbook, err = s.visitor.publish(t.Context(), "A post with many comments"); err != nil {
		t.Fatal(err)
	}
}

// serves reports a site that does not show its first page: this program's own, or the installer of the tutorial's.
func (s *subject) serves(ctx context.Context) error {
	path := "/"
	if s.name == tutorial {
		path = "/wp-admin/install.php"
	}
	response, err := s.visitor.get(ctx, path)
	if err == nil && response.status != http.StatusOK {
		err = fmt.Errorf("status %d: %s", response.status, excerpt(response.body))
	}
	return err
}

// install is left to the visitor by the tutorial. This program has done it.
func (s *subject) install(ctx context.Context) error {
	if s.name == ours {
		return nil
	}
	return s.visitor.install(ctx, "Evidence", s.admin)
}

func (s *subject) installPlugin(t *testing.T) {
	t.Helper()
	folder := path.Join(s.content, "mu-plugins")
	s.exec(t, s.somePod(t), proofPlugin, fmt.Sprintf("mkdir -p %s && cat >%s/proof.php", folder, folder))
}

// somePod is a frontend pod that serves.
func (s *subject) somePod(t *testing.T) string {
	t.Helper()
	pods, err := s.kubernetes.readyPods(t.Context(), s.frontend)
	if err != nil || len(pods) == 0 {
		t.Fatalf("%d frontend pods are ready: %v", len(pods), err)
	}
	return pods[0].Name
}

// exec runs a shell line in a frontend pod and returns what it printed.
func (s *subject) exec(t *testing.T, pod, input, line string) string {
	t.Helper()
	return kubectl(t, s.project, input,
		"exec", "-i", "-n", s.namespace, pod, "-c", s.container, "--", "sh", "-c", line)
}

// awaitRest waits until nothing about the site is changing any more and it serves.
func (s *subject) awaitRest(t *testing.T) {
	t.Helper()
	s.kubernetes.awaitRollout(t)
	await(t, "the "+s.name+" site is at rest", func(ctx context.Context) error {
		scaler, err := s.kubernetes.scaler(ctx)
		if err != nil {
			return err
		}
		now, err := s.kubernetes.deployment(ctx)
		if err != nil {
			return err
		}
		if *now.Spec.Replicas < *scaler.Spec.MinReplicas {
			return fmt.Errorf("%d replicas, the minimum is %d", *now.Spec.Replicas, *scaler.Spec.MinReplicas)
		}
		if err := rolledOut(now); err != nil {
			return err
		}
		return s.visitor.reads(ctx, s.article)
	})
}

// pods of a tier that are not about to go.
func (s *subject) livePods(ctx context.Context, selector string) ([]corev1.Pod, error) {
	list, err := s.kubernetes.CoreV1().Pods(s.namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list.Items, func(pod corev1.Pod) bool { return pod.DeletionTimestamp != nil }), nil
}

// eachPod visits every ready frontend pod by itself and joins what is wrong.
func (s *subject) eachPod(ctx context.Context, visit func(*site) error) error {
	found, err := s.project.Endpoints()
	if err != nil {
		return err
	}
	pods, err := s.kubernetes.readyPods(ctx, s.frontend)
	if err != nil {
		return err
	}
	if len(pods) < 2 {
		return fmt.Errorf("%d pods are ready, want at least 2", len(pods))
	}
	for _, pod := range pods {
		visitor, visitErr := straightTo(pod.Status.PodIP, s.port, s.host, found.Proxy)
		if visitErr == nil {
			visitErr = visit(visitor)
		}
		if visitErr != nil {
			err = errors.Join(err, fmt.Errorf("pod %s on %s: %w", pod.Name, pod.Spec.NodeName, visitErr))
		}
	}
	return err
}

// removeSubjects takes all sites away; the cluster may live on.
func removeSubjects(ctx context.Context) error {
	var problems error
	for name, found := range subjects {
		if err := found.remove(ctx); err != nil && !errors.Is(err, fs.ErrNotExist) {
			problems = errors.Join(problems, fmt.Errorf("remove the %s site: %w", name, err))
		}
		delete(subjects, name)
	}
	return problems
}

// needLong skips a part of a promise that the short form has no time for.
func needLong(t *testing.T) {
	t.Helper()
	if !*long {
		t.Skip("only in the long form, `make verify`")
	}
}

// needNodes skips a proof that one machine cannot show.
func needNodes(t *testing.T) {
	t.Helper()
	project, err := stack.Open("dev", "")
	if err != nil {
		t.Fatal(err)
	}
	found, err := project.Endpoints()
	if err != nil {
		t.Fatal(err)
	}
	if found.Nodes < proofNodes {
		t.Skipf("the running cluster has %d nodes, and this needs %d: run `make down` first, and the tests start one that has",
			found.Nodes, proofNodes)
	}
}
