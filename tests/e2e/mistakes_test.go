package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

// What the table says of the promise and of a mistake that nobody refuses, and what a renamed namespace ends with.
const (
	survives      = "data survives mistakes"
	renamed       = "-renamed"
	nothing       = "refused by nothing"
	triedMistakes = "each mistake made as people make it; the API server's data objects compared before and after"
)

// attempt is what came of one mistake.
type attempt struct {
	Mistake string `json:"mistake"`
	// Stopped says what refused the mistake and when, or that nothing did.
	Stopped string `json:"stopped"`
	// Gone are the data objects that were there before, and afterwards were not or were others.
	Gone []string `json:"gone,omitempty"`
	// Lost are those that taking the mistake back did not bring back as they were.
	Lost []string `json:"lost,omitempty"`
}

// attempts are told in one line for the table.
type attempts []attempt

// lost counts the data objects that are gone for good, and names them.
func (a attempts) lost() (count int, problem error) {
	for _, one := range a {
		if len(one.Lost) > 0 {
			count += len(one.Lost)
			problem = errors.Join(problem, fmt.Errorf("%s: %s lost", one.Mistake, strings.Join(one.Lost, ", ")))
		}
	}
	return count, problem
}

// unrefused are the mistakes that nothing refused, or that failed for a reason which may be chance.
func (a attempts) unrefused() (problem error) {
	for _, one := range a {
		if !strings.HasPrefix(one.Stopped, "refused by ") || one.Stopped == nothing {
			problem = errors.Join(problem, fmt.Errorf("%s: %s", one.Mistake, one.Stopped))
		}
	}
	return problem
}

// String counts what was refused in time and names the mistakes that went further.
func (a attempts) String() string {
	named, refused := map[string][]string{}, map[string]int{}
	for _, one := range a {
		if one.Stopped != nothing && len(one.Gone) == 0 {
			refused[one.Stopped]++
			continue
		}
		outcome := one.Stopped
		if back := len(one.Gone) - len(one.Lost); back > 0 {
			outcome += fmt.Sprintf(", %d Secrets and servers gone and as they were after `up`", back)
		}
		if len(one.Lost) > 0 {
			outcome += fmt.Sprintf(", %d lost", len(one.Lost))
		}
		named[outcome] = append(named[outcome], one.Mistake)
	}
	var parts []string
	for _, outcome := range slices.Sorted(maps.Keys(refused)) {
		parts = append(parts, fmt.Sprintf("%d %s", refused[outcome], outcome))
	}
	for _, outcome := range slices.Sorted(maps.Keys(named)) {
		parts = append(parts, strings.Join(named[outcome], ", ")+": "+outcome)
	}
	return strings.Join(parts, "; ")
}

// TestDataSurvivesMistakes makes the mistakes that cost people their data, as the contender's tools let people make them,
// and compares what the API server has before and after each.
func TestDataSurvivesMistakes(t *testing.T) {
	sideBySide(t)
	for _, name := range contenders() {
		t.Run(name, func(t *testing.T) {
			if name == ours {
				programSurvives(t)
			} else {
				manifestsSurvive(t)
			}
		})
	}
}

// dataObject is an object that holds data or leads to it.
type dataObject struct {
	// identity makes it the same object.
	identity string
	// content makes another object as good as this one. Empty where nothing does, because the data goes with the object.
	content string
}

// dataObjects are the data objects of a namespace by kind and name.
func (c *cluster) dataObjects(ctx context.Context) (map[string]dataObject, error) {
	found := map[string]dataObject{}
	keep := func(kind string, object metav1.ObjectMeta, content string) {
		// What is being deleted is gone: nothing brings it back.
		if object.DeletionTimestamp == nil {
			found[kind+" "+object.Name] = dataObject{identity: string(object.UID), content: content}
		}
	}
	all := metav1.ListOptions{}
	own := metav1.ListOptions{FieldSelector: "metadata.name=" + c.namespace}
	spaces, err := c.CoreV1().Namespaces().List(ctx, own)
	if err != nil {
		return nil, err
	}
	for _, space := range spaces.Items {
		keep("Namespace", space.ObjectMeta, "")
	}
	claims, err := c.CoreV1().PersistentVolumeClaims(c.namespace).List(ctx, all)
	if err != nil {
		return nil, err
	}
	for _, claim := range claims.Items {
		keep("PersistentVolumeClaim", claim.ObjectMeta, "")
	}
	volumes, err := c.CoreV1().PersistentVolumes().List(ctx, all)
	if err != nil {
		return nil, err
	}
	for _, volume := range volumes.Items {
		if volume.Spec.ClaimRef != nil && volume.Spec.ClaimRef.Namespace == c.namespace {
			keep("PersistentVolume", volume.ObjectMeta, "")
		}
	}
	secrets, err := c.CoreV1().Secrets(c.namespace).List(ctx, all)
	if err != nil {
		return nil, err
	}
	for _, secret := range secrets.Items {
		text, err := json.Marshal(secret.Data) // sorted by key
		if err != nil {
			return nil, err
		}
		keep("Secret", secret.ObjectMeta, fmt.Sprintf("%x", sha256.Sum256(text)))
	}
	servers, err := c.AppsV1().StatefulSets(c.namespace).List(ctx, all)
	if err != nil {
		return nil, err
	}
	for _, server := range servers.Items {
		keep("StatefulSet", server.ObjectMeta, "a server without data of its own")
	}
	return found, nil
}

// data are the data objects, or the end of the test.
func (c *cluster) data(t *testing.T) map[string]dataObject {
	t.Helper()
	found, err := c.dataObjects(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// gone are the objects of before that are no longer there, or are there as others.
func gone(before, after map[string]dataObject) []string {
	return missing(before, func(name string, object dataObject) bool { return after[name] == object })
}

// lost are the objects of before that are not there, nor any other as good.
func lost(before, after map[string]dataObject) []string {
	return missing(before, func(name string, object dataObject) bool {
		now := after[name]
		return now.content == object.content && (now.identity == object.identity || object.content != "")
	})
}

func missing(before map[string]dataObject, still func(string, dataObject) bool) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if !still(name, before[name]) {
			names = append(names, name)
		}
	}
	return names
}

// mistake is something that people do to a stack with data.
type mistake struct {
	name string
	// settings by configuration path, for a mistake in the stack file. An empty value removes the setting.
	settings map[string]string
	// command that it is made with.
	command []string
	// blind is without the preview that would refuse it; then what holds no data may go until the next up.
	blind bool
}

// everyday commands show a preview first and stop when it fails.
var (
	everydayUp      = []string{"up", "--yes"}
	everydayDestroy = []string{"destroy", "--yes"}
)

// insisted is the same mistake made by somebody who does not look.
func (m mistake) insisted() mistake {
	m.name += " without a preview"
	m.blind = true
	m.command = append(slices.Clone(m.command), "--skip-preview")
	return m
}

// stackMistakes are made in the stack file.
func stackMistakes(where place) []mistake {
	external := map[string]string{
		"wordpress:database.mode": "external",
		// The very same server under another name: nothing but the protection can stop the engine.
		"wordpress:database.host": statefulSetName + "." + where.namespace + ".svc",
		// Its certificate is for no name, and pods that refuse it would end the update before it comes to the data.
		"wordpress:database.tls.mode": "unverified",
		// A name needs to be said where it leads to.
		"wordpress:network.database.namespace": where.namespace,
	}
	thorough := maps.Clone(external)
	for _, path := range []string{"database.image", "database.resources", "databaseRootPassword", "storage.database"} {
		thorough["wordpress:"+path] = ""
	}
	setting := func(name, path, value string) mistake {
		return mistake{name: name, settings: map[string]string{path: value}, command: everydayUp}
	}
	return []mistake{
		setting("the database's storage class changed", "wordpress:storage.database.storageClass", "local-shared"),
		setting("the content's storage class changed", "wordpress:storage.content.storageClass", "local-block"),
		setting("a smaller database volume", "wordpress:storage.database.size", "1Gi"),
		setting("a smaller content volume", "wordpress:storage.content.size", "100Mi"),
		setting("the namespace renamed", "wordpress:namespace", where.namespace+renamed),
		{name: "the database removed", settings: external, command: everydayUp},
		{name: "the database removed with all its settings", settings: thorough, command: everydayUp},
	}
}

// removals ask the engine for what the protection is there to refuse.
func (p *program) removals(t *testing.T) []mistake {
	t.Helper()
	claim := p.urn(t, "PersistentVolumeClaim::storage-database")
	destroyed := mistake{name: "the stack destroyed", command: everydayDestroy}
	return []mistake{
		{name: "one volume destroyed", command: append(slices.Clone(everydayDestroy), "--target-dependents", "--target", claim)},
		destroyed,
		destroyed.insisted(),
	}
}

// programSurvives makes the mistakes on a site of their own, so that none of them can meet another proof's.
func programSurvives(t *testing.T) {
	s, p := newMistaken(t)
	objects := len(p.kubernetes.data(t))
	all := stackMistakes(s.place)
	if *long {
		for _, one := range stackMistakes(s.place) {
			all = append(all, one.insisted())
		}
	}
	var tried attempts
	for _, one := range append(all, p.removals(t)...) {
		tried = append(tried, s.attempt(t, p, one))
	}
	s.keepAttempts(t, tried, objects, errors.Join(tried.unrefused(), s.visitor.reads(t.Context(), s.article)))
	s.unprotectedDataGoes(t, p)
}

// keepAttempts stores what the mistakes did to the data.
func (s *subject) keepAttempts(t *testing.T, tried attempts, objects int, problem error) {
	t.Helper()
	count, lost := tried.lost()
	s.keep(t, proof{promise: 11, title: survives, rounds: len(tried), tried: triedMistakes, details: tried,
		figure:  fmt.Sprintf("%d of %d data objects lost in %d mistakes; %s", count, objects, len(tried), tried),
		figures: evidence.Figures{"lostObjects": float64(count), "dataObjects": float64(objects), "mistakes": float64(len(tried))},
	}, errors.Join(lost, problem))
}

// attempt makes a mistake, compares, and takes it back.
func (s *subject) attempt(t *testing.T, p *program, made mistake) attempt {
	t.Helper()
	before := p.kubernetes.data(t)
	takeBack := p.misconfigure(t, made.settings)
	output, err := p.engine(t, made.command...)
	found := attempt{Mistake: made.name, Stopped: stoppedBy(output, err), Gone: gone(before, p.kubernetes.data(t))}
	takeBack()
	// What was refused before anything changed needs no repair; the long form makes sure.
	if len(found.Gone) > 0 || *long {
		p.up(t)
		found.Lost = found.Gone
		if made.blind {
			found.Lost = lost(before, p.kubernetes.data(t))
		}
		if err := s.visitor.reads(t.Context(), s.article); err != nil {
			t.Errorf("%s, taken back: %v", made.name, err)
		}
	}
	t.Logf("%s: %s, gone %q, lost %q", found.Mistake, found.Stopped, found.Gone, found.Lost)
	return found
}

// misconfigure changes the stack file; the whole file comes back at the end, as from version control.
func (p *program) misconfigure(t *testing.T, settings map[string]string) (takeBack func()) {
	t.Helper()
	path := filepath.Join(p.project.Dir(), "Pulumi."+p.project.Stack+".yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if settings[name] != "" {
			p.set(t, name, settings[name])
			continue
		}
		if err := p.RemoveConfigWithOptions(t.Context(), name, &auto.ConfigOptions{Path: true}); err != nil {
			t.Fatalf("pulumi config rm --path %s: %v", name, err)
		}
	}
	return func() {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// urn of the one resource in the stack whose name ends so.
func (p *program) urn(t *testing.T, ending string) string {
	t.Helper()
	urns, err := p.urns(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, urn := range urns {
		if strings.HasSuffix(urn, ending) {
			return urn
		}
	}
	t.Fatalf("the stack has no resource %s", ending)
	return ""
}

// urns are the names of all resources in the stack's state.
func (d *deployment) urns(ctx context.Context) ([]string, error) {
	exported, err := d.Export(ctx)
	if err != nil {
		return nil, err
	}
	var state struct {
		Resources []struct {
			URN string `json:"urn"`
		} `json:"resources"`
	}
	if err := json.Unmarshal(exported.Deployment, &state); err != nil {
		return nil, err
	}
	urns := make([]string, 0, len(state.Resources))
	for _, resource := range state.Resources {
		urns = append(urns, resource.URN)
	}
	return urns, nil
}

// newMistaken is a site for mistakes: small, because a frontend of one pod reads the data as well as three do.
func newMistaken(t *testing.T) (*subject, *program) {
	t.Helper()
	s := newBeside(t, "mistakes", map[string]string{
		"wordpress:frontend.replicas":     "1",
		"wordpress:frontend.drainSeconds": "2",
		"wordpress:autoscaling.enabled":   "false",
		"wordpress:storage.protect":       "true",
	})
	p := s.contender.(*program)
	t.Cleanup(func() { s.giveUpMistaken(t, p) })
	s.deploy(t)
	s.fill(t)
	return s, p
}

// giveUpMistaken removes the site unless the test itself already has.
func (s *subject) giveUpMistaken(t *testing.T, p *program) {
	ctx := context.Background()
	if t.Failed() {
		keepArtifacts(ctx, t, s.kubernetes, s.project)
		keepArtifact(t, s.project, s.namespace+"-engine.log", s.output())
	}
	if left, err := s.kubernetes.dataObjects(ctx); err == nil && len(left) == 0 {
		return
	}
	if err := p.project.Prepare(); err != nil {
		t.Error(err)
	}
	if err := s.remove(ctx); err != nil {
		t.Errorf("clean up: %v", err)
	}
}

// unprotectedDataGoes is the deliberate breakage: without the protection the very same comparison must notice a destroy.
func (s *subject) unprotectedDataGoes(t *testing.T, p *program) {
	t.Helper()
	p.set(t, "wordpress:storage.protect", "false")
	p.up(t)
	before := p.kubernetes.data(t)
	output, err := p.engine(t, everydayDestroy...)
	if err != nil {
		t.Errorf("destroy without the protection: %v", err)
	}
	taken := lost(before, p.kubernetes.data(t))
	noticed := slices.ContainsFunc(taken, func(object string) bool { return strings.HasPrefix(object, "PersistentVolumeClaim ") })
	s.caught(t, 11, survives, "`storage.protect: false`, then destroy",
		fmt.Sprintf("%s, %d of %d data objects lost", stoppedBy(output, err), len(taken), len(before)), noticed,
		evidence.Figures{"lostObjects": float64(len(taken)), "dataObjects": float64(len(before))})
}

// engine runs a command of the engine as a person does.
func (p *program) engine(t *testing.T, args ...string) (string, error) {
	t.Helper()
	engine, err := p.project.FindEngine()
	if err != nil {
		t.Fatal(err)
	}
	output, err := p.project.Command(t.Context(), engine, args...).CombinedOutput()
	p.deployment.output.Write(output)
	return string(output), err
}

// stoppedBy tells from the engine's output who refused a mistake, and when.
func stoppedBy(output string, err error) string {
	if err == nil {
		return nothing
	}
	stage := "at preview"
	if strings.Contains(output, "Updating (") || strings.Contains(output, "Destroying (") {
		stage = "at update"
	}
	for _, refusal := range []struct{ sign, by string }{
		{"the stack's configuration has", "the configuration"},
		{"marked for protection", "the protection"},
		{"it is protected", "the protection"},
		{"field can not be less than", "the API server"},
	} {
		if strings.Contains(output, refusal.sign) {
			return "refused by " + refusal.by + " " + stage
		}
	}
	return "failed " + stage
}

// manifestsSurvive makes the mistakes that kubectl lets people make, and leaves no site.
func manifestsSurvive(t *testing.T) {
	s := subjectOf(t, tutorial)
	// Other proofs bring the site up again.
	delete(subjects, tutorial)
	t.Cleanup(func() {
		second, err := connect(s.project.Kubeconfig(), s.namespace+renamed)
		if err == nil {
			err = second.removeNamespace(context.Background())
		}
		if err := errors.Join(err, s.remove(context.Background())); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	objects := len(s.kubernetes.data(t))
	var tried attempts
	for _, one := range s.manifestMistakes(t) {
		before := s.kubernetes.data(t)
		_, err := tryKubectl(t.Context(), s.project, "", one.command...)
		s.kubernetes.awaitReclaimed(t)
		found := attempt{Mistake: one.name, Stopped: stoppedByServer(err), Gone: gone(before, s.kubernetes.data(t))}
		// The manifests as they were bring back no volume, and no password, which is in none of them.
		found.Lost = found.Gone
		t.Logf("%s: %s, gone %q", found.Mistake, found.Stopped, found.Gone)
		tried = append(tried, found)
	}
	s.keepAttempts(t, tried, objects, s.visitor.reads(t.Context(), s.article))
}

// awaitReclaimed returns when no volume is left over from a claim that is gone, where its class deletes such volumes: that
// takes its own time.
func (c *cluster) awaitReclaimed(t *testing.T) {
	t.Helper()
	await(t, "volumes without a claim are deleted", func(ctx context.Context) error {
		claims, err := c.CoreV1().PersistentVolumeClaims(c.namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		claimed := map[string]bool{}
		for _, claim := range claims.Items {
			claimed[claim.Spec.VolumeName] = true
		}
		volumes, err := c.CoreV1().PersistentVolumes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, volume := range volumes.Items {
			claim := volume.Spec.ClaimRef
			retained := volume.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimRetain
			if claim != nil && claim.Namespace == c.namespace && !claimed[volume.Name] && !retained {
				return fmt.Errorf("%s of claim %s is still there", volume.Name, claim.Name)
			}
		}
		return nil
	})
}

// manifestMistakes are the same mistakes as those of the program: a manifest changed and applied, or deleted.
func (s *subject) manifestMistakes(t *testing.T) []mistake {
	t.Helper()
	apply := func(name, old, replacement string) mistake {
		return mistake{name: name, command: []string{"apply", "-f", s.changedManifests(t, old, replacement)}}
	}
	folder := s.manifestFolder()
	return []mistake{
		apply("the database's storage class changed", "storageClassName: local-block", "storageClassName: local-shared"),
		apply("the content's storage class changed", "storageClassName: local-shared-retain", "storageClassName: local-block"),
		apply("a smaller database volume", "storage: 20Gi", "storage: 1Gi"),
		apply("a smaller content volume", "storage: 2Gi", "storage: 100Mi"),
		apply("the namespace renamed", s.namespace, s.namespace+renamed),
		{name: "the database removed", command: []string{"apply", "-f", s.manifestsWithout(t, "20-mysql.yaml")}},
		{name: "the database deleted", command: []string{"delete", "--ignore-not-found", "-f", filepath.Join(folder, "20-mysql.yaml")}},
		{name: "everything deleted", command: []string{"delete", "--ignore-not-found", "-f", folder}},
	}
}

func (s *subject) manifestFolder() string { return filepath.Join(s.project.Repo, "tests", "baseline") }

// manifestsWithout is a copy of the manifests that lacks one.
func (s *subject) manifestsWithout(t *testing.T, name string) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(s.manifestFolder())); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(filepath.Join(folder, name)), os.Remove(filepath.Join(folder, "README.md"))); err != nil {
		t.Fatal(err)
	}
	return folder
}

// changedManifests is a copy of the manifests with a mistake in it.
func (s *subject) changedManifests(t *testing.T, old, replacement string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(s.manifestFolder(), "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	folder, changes := t.TempDir(), 0
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		changes += strings.Count(string(text), old)
		changed := strings.ReplaceAll(string(text), old, replacement)
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(path)), []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if changes == 0 {
		t.Fatalf("no manifest contains %q", old)
	}
	return folder
}

func stoppedByServer(err error) string {
	switch {
	case err == nil:
		return nothing
	case strings.Contains(err.Error(), "is invalid") || strings.Contains(err.Error(), "Forbidden"):
		return "refused by the API server"
	}
	return "failed"
}
