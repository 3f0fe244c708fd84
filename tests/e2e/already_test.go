package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

const (
	notTaken = "what is there already is not taken over"
	keptSite = "a kept site comes back by names alone"
)

// intrusion is a stack that means to live where something is already.
type intrusion struct {
	name string
	// stack is the stack's name.
	stack    string
	settings map[string]string
	// refusal is in the engine's output: what is there, whose it is and the way out.
	refusal []string
	// absent is a namespace that must not come into being.
	absent string
}

// TestWhatIsThereIsNotTakenOver deploys stacks where other stacks and strangers are: each is refused at preview and at an update that
// skips it, changes nothing, and its destroy deletes nothing.
func TestWhatIsThereIsNotTakenOver(t *testing.T) {
	needLong(t)
	s := subjectOf(t, ours)
	stranger, tenant := s.neighbour(t, "stranger"), s.neighbour(t, "tenant")
	intruder := newBeside(t, "intruder", map[string]string{"wordpress:storage.protect": "false", "wordpress:autoscaling.enabled": "false"})
	p := intruder.contender.(*program)
	t.Cleanup(func() { p.forget(t) })

	var refused []string
	var problem error
	for _, one := range intrusions(s.place, stranger, tenant, intruder.namespace) {
		err := p.intrude(t, one, []string{s.namespace, stranger, tenant})
		problem = errors.Join(problem, err)
		if err == nil {
			refused = append(refused, one.name)
		}
		t.Logf("%s: refused and without effect: %t", one.name, err == nil)
	}
	s.keep(t, proof{promise: 19, title: notTaken, rounds: len(intrusions(s.place, stranger, tenant, intruder.namespace)),
		tried: "stacks are deployed to where another stack, a namesake from another state, or strangers have a namespace, a claim, a Secret or a " +
			"StorageClass of that name: by preview and by `up --skip-preview`; then destroyed",
		figure:  fmt.Sprintf("%d refused before anything changed, nothing deleted: %s", len(refused), strings.Join(refused, "; ")),
		figures: evidence.Figures{"refused": float64(len(refused))}, details: refused}, problem)

	figure, taken := p.intrudeUnguarded(t, stranger)
	s.caught(t, 19, notTaken, "the program looks at nothing before it creates", figure, taken)
}

// intrusions by what stands in the way. A strangers' namespace has a pod, a Secret and a claim, see neighbour.
func intrusions(other place, stranger, tenant, free string) []intrusion {
	at := func(namespace string, more map[string]string) map[string]string {
		settings := map[string]string{"wordpress:namespace": namespace, "wordpress:createNamespace": "true", "wordpress:storage.cephfs.create": "false"}
		for path, value := range more {
			settings[path] = value
		}
		return settings
	}
	const byName = "wordpress:createNamespace: false"
	return []intrusion{
		{name: "another stack's namespace", stack: "other", settings: at(other.namespace, nil),
			refusal: []string{"Namespace " + other.namespace + ", made by stack dev of project wordpress", byName}},
		{name: "a namesake's from another state", stack: "dev", settings: at(other.namespace, nil),
			refusal: []string{"Namespace " + other.namespace + ", made by a stack of the same name from another state", byName}},
		{name: "a namesake's, named as there already", stack: "dev",
			settings: at(other.namespace, map[string]string{"wordpress:createNamespace": "false"}),
			refusal:  []string{"PersistentVolumeClaim " + other.namespace + "/wordpress-content", "from another state", "storage.content.existingClaim"}},
		{name: "a stranger's namespace", stack: "dev", settings: at(stranger, nil),
			refusal: []string{"Namespace " + stranger + ", made by somebody who does not say so", byName}},
		{name: "a stranger's claim and Secret", stack: "dev", settings: at(tenant, map[string]string{"wordpress:createNamespace": "false"}),
			refusal: []string{"PersistentVolumeClaim " + tenant + "/wordpress-content, made by somebody", "Secret " + tenant + "/wordpress-auth, made by somebody"}},
		{name: "a StorageClass", stack: "dev", settings: at(free, map[string]string{"wordpress:storage.cephfs.create": "true"}), absent: free,
			refusal: []string{"StorageClass local-shared", "wordpress:storage.cephfs.create: false"}},
		{name: "a namespace that is not there after all", stack: "dev", absent: free,
			settings: at(free, map[string]string{"wordpress:createNamespace": "false"}),
			refusal:  []string{"Namespace " + free + ", named by wordpress:createNamespace: false, is not there"}},
	}
}

// intrude tries every way to deploy, and then to tidy up. The error says what was let through.
func (p *program) intrude(t *testing.T, one intrusion, bystanders []string) error {
	t.Helper()
	defer p.useStack(t, "dev")
	for path, value := range one.settings {
		p.set(t, path, value)
	}
	p.useStack(t, one.stack)
	before := p.objects(t, bystanders)
	var problem error
	for _, command := range [][]string{{"preview"}, append(slices.Clone(everydayUp), "--skip-preview")} {
		output, err := p.engine(t, command...)
		if err == nil {
			problem = errors.Join(problem, fmt.Errorf("%s: pulumi %s is not refused", one.name, strings.Join(command, " ")))
		}
		for _, text := range one.refusal {
			if !strings.Contains(output, text) {
				problem = errors.Join(problem, fmt.Errorf("%s: pulumi %s does not say %q:\n%s", one.name, strings.Join(command, " "), text, output))
			}
		}
	}
	if output, err := p.engine(t, everydayDestroy...); err != nil {
		problem = errors.Join(problem, fmt.Errorf("%s: destroy: %w\n%s", one.name, err, output))
	}
	if after := p.objects(t, bystanders); after != before {
		problem = errors.Join(problem, fmt.Errorf("%s changed what was there: before\n%s\nafter\n%s", one.name, before, after))
	}
	if one.absent != "" && kubectl(t, p.project, "", "get", "namespace", one.absent, "--ignore-not-found") != "" {
		problem = errors.Join(problem, fmt.Errorf("%s: namespace %s was created", one.name, one.absent))
	}
	return problem
}

// objects are all that a stack could take over, each with what changes when anybody writes to it.
func (p *program) objects(t *testing.T, namespaces []string) string {
	t.Helper()
	columns := func(version string) string {
		return "-ocustom-columns=:kind,:metadata.namespace,:metadata.name,:metadata.uid,:metadata." + version + ",:metadata.labels"
	}
	all := kubectl(t, p.project, "", append([]string{"get", "namespace", columns("resourceVersion")}, namespaces...)...) +
		kubectl(t, p.project, "", "get", "storageclass", columns("resourceVersion"))
	for _, namespace := range namespaces {
		all += kubectl(t, p.project, "", "get", "-n", namespace, columns("resourceVersion"),
			"persistentvolumeclaims,secrets,configmaps,services,networkpolicies,ingressroutes,middlewares") +
			// The cluster itself writes into the status of these.
			kubectl(t, p.project, "", "get", "-n", namespace, columns("generation"), "deployments,statefulsets,poddisruptionbudgets,pods")
	}
	return all
}

// useStack has the engine work on a stack of that name, with the settings of stack dev.
func (p *program) useStack(t *testing.T, name string) {
	t.Helper()
	p.project.Stack = name
	if name == "dev" {
		return
	}
	text, err := os.ReadFile(filepath.Join(p.project.Dir(), "Pulumi.dev.yaml"))
	if err == nil {
		err = os.WriteFile(filepath.Join(p.project.Dir(), "Pulumi."+name+".yaml"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if output, err := p.engine(t, "stack", "select", "--create"); err != nil {
		t.Fatalf("stack %s: %v\n%s", name, err, output)
	}
}

// forget removes the intruder's own project and states, which own nothing.
func (p *program) forget(t *testing.T) {
	p.project.Stack = "dev"
	if err := os.RemoveAll(p.project.Dir()); err != nil {
		t.Error(err)
	}
}

// neighbour makes a namespace as somebody else would: with a pod that asks for what Pod Security refuses, and with a claim and a Secret
// that are called as this program's are.
func (s *subject) neighbour(t *testing.T, name string) string {
	t.Helper()
	namespace := beside("wordpress-" + name)
	theirs, err := connect(s.project.Kubeconfig(), namespace)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(theirs.removeNamespace(t.Context()), s.makeNeighbour(t.Context(), namespace)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := theirs.removeNamespace(context.Background()); err != nil {
			t.Error(err)
		}
	})
	await(t, "the stranger's pod runs", func(ctx context.Context) error {
		pod, err := s.kubernetes.CoreV1().Pods(namespace).Get(ctx, "neighbour", metav1.GetOptions{})
		if err == nil && pod.Status.Phase != corev1.PodRunning {
			err = fmt.Errorf("it is %s", pod.Status.Phase)
		}
		return err
	})
	return namespace
}

func (s *subject) makeNeighbour(ctx context.Context, namespace string) error {
	deployment, err := s.kubernetes.deployment(ctx)
	if err != nil {
		return err
	}
	core, create := s.kubernetes.CoreV1(), metav1.CreateOptions{}
	if _, err := core.Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, create); err != nil {
		return err
	}
	_, err = core.Secrets(namespace).Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "wordpress-auth"}, StringData: map[string]string{"theirs": "for ever"},
	}, create)
	if err != nil {
		return err
	}
	_, err = core.PersistentVolumeClaims(namespace).Create(ctx, &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "wordpress-content"},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}, StorageClassName: new("local-shared"),
			Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{"storage": resource.MustParse("1Mi")}},
		},
	}, create)
	if err != nil {
		return err
	}
	_, err = core.Pods(namespace).Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "neighbour"},
		Spec: corev1.PodSpec{TerminationGracePeriodSeconds: new(int64(1)), Containers: []corev1.Container{{
			Name: "app", Image: deployment.Spec.Template.Spec.Containers[0].Image, Command: []string{"sleep", "infinity"},
		}}},
	}, create)
	return err
}

// intrudeUnguarded takes the look away and deploys the namespace alone to where strangers are, which must be noticed: first their
// namespace is changed, then it goes with the stack.
func (p *program) intrudeUnguarded(t *testing.T, stranger string) (figure string, taken bool) {
	t.Helper()
	p.set(t, "wordpress:namespace", stranger)
	p.set(t, "wordpress:createNamespace", "true")
	p.set(t, "wordpress:storage.cephfs.create", "false")
	p.useBlindProgram(t)
	before := p.objects(t, []string{stranger})
	output, err := p.engine(t, namespaceAlone...)
	if err != nil {
		return "up: " + output, false
	}
	changed := p.objects(t, []string{stranger}) != before
	if output, err = p.engine(t, everydayDestroy...); err != nil {
		return "destroy: " + output, changed
	}
	gone := kubectl(t, p.project, "", "get", "namespace", stranger, "--ignore-not-found") == ""
	return fmt.Sprintf("a stranger's namespace was changed: %t, and deleted by the destroy with the pod in it: %t", changed, gone), changed && gone
}

// useBlindProgram has the engine run a program whose look-up finds nothing, as before there was one.
func (p *program) useBlindProgram(t *testing.T) {
	t.Helper()
	folder := t.TempDir()
	lookup := filepath.Join(p.project.Repo, "components", "apiserver", "lookup.go")
	blind, overlay, binary := filepath.Join(folder, "lookup.go"), filepath.Join(folder, "overlay.json"), filepath.Join(folder, "blind")
	source := "package apiserver\n\nimport \"wordpress-on-kubernetes/components/guard\"\n\n" +
		"func (c *Client) Lookup(guard.Object) (*guard.Found, error) { return nil, nil }\n"
	replaced, err := json.Marshal(map[string]map[string]string{"Replace": {lookup: blind}})
	if err == nil {
		err = errors.Join(os.WriteFile(blind, []byte(source), 0o600), os.WriteFile(overlay, replaced, 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-overlay", overlay, "-o", binary, ".")
	build.Dir = p.project.Repo
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("blind program: %v\n%s", err, output)
	}
	// The language host that is built here has the program's name in its arguments; an installed one takes it from the project.
	host := fmt.Sprintf("#!/bin/sh\nexec '%s' -binary '%s' \"$@\"\n", filepath.Join(p.project.Local(), "bin", "pulumi-language-go"), binary)
	if err := os.WriteFile(filepath.Join(folder, "pulumi-language-go"), []byte(host), 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(p.project.Dir(), "Pulumi.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer(p.project.Binary(), binary, filepath.Join(p.project.Local(), "pulumi", "hosts"), folder).Replace(string(text))
	if changed == string(text) {
		t.Fatalf("%s does not name %s", path, p.project.Binary())
	}
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

// namespaceAlone is an update of the namespace and of the state's mark.
var namespaceAlone = []string{"up", "--yes", "--skip-preview", "--target", "**namespace", "--target", "**namespace-owner"}

// TestUpdateThatWasCutOffKnowsItsOwn has the state forget what was created, as when the engine is killed before it can write it down: with
// its mark the state takes it up again, and without it, it is a stranger's.
func TestUpdateThatWasCutOffKnowsItsOwn(t *testing.T) {
	s := newBeside(t, "cutoff", nil)
	p := s.contender.(*program)
	t.Cleanup(func() {
		if err := errors.Join(p.kubernetes.removeNamespace(context.Background()), os.RemoveAll(p.project.Dir())); err != nil {
			t.Error(err)
		}
	})
	if output, err := p.engine(t, namespaceAlone...); err != nil {
		t.Fatalf("up: %v\n%s", err, output)
	}
	p.forgetResource(t, ":Namespace::namespace", "kubernetes:core/v1:Namespace")
	if output, err := p.engine(t, namespaceAlone...); err != nil {
		t.Errorf("what the update had made is not taken up: %v\n%s", err, output)
	}
	p.forgetResource(t, ":Namespace::namespace", "kubernetes:core/v1:Namespace")
	p.forgetResource(t, "::namespace-owner", "pulumi:index:Stash")
	output, err := p.engine(t, namespaceAlone...)
	if err == nil {
		t.Error("without its mark, it is taken up as well")
	}
	if err := wantTexts(output, "Namespace "+s.namespace+", made by a stack of the same name from another state"); err != nil {
		t.Error(err)
	}
}

// forgetResource takes one resource out of the state, by its type and the ending of its URN.
func (p *program) forgetResource(t *testing.T, ending, kind string) {
	t.Helper()
	exported, err := p.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var state map[string]any
	if err := json.Unmarshal(exported.Deployment, &state); err != nil {
		t.Fatal(err)
	}
	resources, _ := state["resources"].([]any)
	left := slices.DeleteFunc(slices.Clone(resources), func(one any) bool {
		fields, _ := one.(map[string]any)
		urn, _ := fields["urn"].(string)
		return fields["type"] == kind && strings.HasSuffix(urn, ending)
	})
	if len(left) != len(resources)-1 {
		t.Fatalf("%d of %d resources are %s%s, want one", len(resources)-len(left), len(resources), kind, ending)
	}
	state["resources"] = left
	if exported.Deployment, err = json.Marshal(state); err != nil {
		t.Fatal(err)
	}
	if err := p.Import(t.Context(), exported); err != nil {
		t.Fatal(err)
	}
}

// TestKeptSiteComesBack gives a protected site up with its data kept, and brings it back in a stack that never knew it: refused until
// the configuration names what is there, and then with every file and every article. What is named survives the next destroy as well.
func TestKeptSiteComesBack(t *testing.T) {
	needLong(t)
	s := newBeside(t, "kept", map[string]string{
		"wordpress:frontend.replicas": "1", "wordpress:frontend.drainSeconds": "2", "wordpress:autoscaling.enabled": "false",
		"wordpress:storage.protect": "true",
	})
	p := s.contender.(*program)
	t.Cleanup(func() { s.removeKept(t, p) })
	s.deploy(t)
	s.fill(t)
	kept := s.giveUpKeeping(t, p)

	back := fmt.Errorf("the kept namespace was taken over by itself")
	if output, err := p.engine(t, everydayUp...); err != nil {
		back = wantTexts(output, "Namespace "+s.namespace, "one that was destroyed and kept its data", "wordpress:createNamespace: false")
	}
	p.set(t, "wordpress:createNamespace", "false")
	p.set(t, "wordpress:storage.content.existingClaim", "wordpress-content")
	p.set(t, "wordpress:storage.database.existingClaim", "wordpress-mysql-data")
	p.up(t)
	p.kubernetes.awaitRollout(t)
	back = errors.Join(back, s.visitor.reads(t.Context(), s.article), s.visitor.login(t.Context(), s.admin))
	p.expectNoChanges(t)
	again := s.giveUpKeeping(t, p)
	lostOnes := append(gone(kept, p.kubernetes.data(t)), gone(again, kept)...)
	if len(lostOnes) > 0 {
		back = errors.Join(back, fmt.Errorf("gone on the way: %q", lostOnes))
	}
	s.keep(t, proof{promise: 19, part: "kept site", title: keptSite, rounds: 1,
		tried: "a protected site is unprotected and destroyed, deployed again, refused, and brought back by createNamespace: false and both " +
			"existingClaim; then destroyed again",
		figure:  fmt.Sprintf("the article is read and the administrator logs in; %d of %d kept objects lost", len(lostOnes), len(kept)),
		figures: evidence.Figures{"lost": float64(len(lostOnes))}, details: lostOnes}, back)
}

// giveUpKeeping destroys the stack as operations.md says, and returns what of the data is still there.
func (s *subject) giveUpKeeping(t *testing.T, p *program) map[string]dataObject {
	t.Helper()
	for _, command := range [][]string{{"state", "unprotect", "--all", "--yes"}, everydayDestroy} {
		if output, err := p.engine(t, command...); err != nil {
			t.Fatalf("pulumi %s: %v\n%s", strings.Join(command, " "), err, output)
		}
	}
	kept := p.kubernetes.data(t)
	for _, want := range []string{"Namespace " + s.namespace, "PersistentVolumeClaim wordpress-content", "PersistentVolumeClaim wordpress-mysql-data"} {
		if _, there := kept[want]; !there {
			t.Errorf("%s is gone; there are %v", want, kept)
		}
	}
	return kept
}

func (s *subject) removeKept(t *testing.T, p *program) {
	ctx := context.Background()
	if t.Failed() {
		keepArtifacts(ctx, t, s.kubernetes, s.project)
		keepArtifact(t, s.project, s.namespace+"-engine.log", s.output())
	}
	if err := errors.Join(p.kubernetes.removeNamespace(ctx), p.kubernetes.removeRetained(ctx), os.RemoveAll(p.project.Dir())); err != nil {
		t.Errorf("clean up: %v", err)
	}
}

func wantTexts(output string, texts ...string) error {
	for _, text := range texts {
		if !strings.Contains(output, text) {
			return fmt.Errorf("the engine does not say %q:\n%s", text, output)
		}
	}
	return nil
}
