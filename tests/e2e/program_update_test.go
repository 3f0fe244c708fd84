package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"k8s.io/apimachinery/pkg/util/rand"

	"wordpress-on-kubernetes/components/backup"
	"wordpress-on-kubernetes/tests/e2e/evidence"
	"wordpress-on-kubernetes/tests/stack"
)

// earlierCommit is the state of the program that sites are updated from: the last one before what CHANGELOG.md lists as unreleased.
const earlierCommit = "95b6a70"

// programUpdate is the promise that the table tells of.
const programUpdate = "an update of this program fails no request"

// TestUpdateOfTheProgramFailsNoRequest lets an earlier state of the program deploy a site with data, and this one update it under the
// load of visitors, with backups turned on. Nothing that holds data may be replaced. MySQL starts anew when the other changes are done, as
// CHANGELOG.md says. The site can be saved then, by an account that MySQL did not have.
func TestUpdateOfTheProgramFailsNoRequest(t *testing.T) {
	needNodes(t)
	s := newBeside(t, "update", map[string]string{
		"wordpress:autoscaling.minReplicas": "3", "wordpress:storage.protect": "true",
		loginRate: "6000", loginBurst: "1000",
	})
	s.deployEarlier(t)
	s.installByVisitor(t)
	s.fill(t)
	before, err := s.kubernetes.dataObjects(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	servers := s.started(t, s.database)
	s.turnBackupsOn(t)

	visits := s.visit(t)
	visits.Phase("the update")
	changes := s.contender.(*program).up(t)
	s.kubernetes.awaitRollout(t)
	s.awaitGone(t)
	visits.Phase("after the update")
	report, problem := s.settled(t, visits)

	after, err := s.kubernetes.dataObjects(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	replaced := replacedObjects(before, after)
	if len(replaced) > 0 {
		problem = errors.Join(problem, fmt.Errorf("replaced: %s", strings.Join(replaced, ", ")))
	}
	if slices.Equal(servers, s.started(t, s.database)) {
		problem = errors.Join(problem, errors.New("MySQL did not start anew, though what it runs with has changed"))
	}
	problem = errors.Join(problem, s.visitor.reads(t.Context(), s.article))
	for _, cronJob := range []string{backup.Name, backup.DrillName} {
		if _, err := s.tryJob(t, cronJob, nil); err != nil {
			problem = errors.Join(problem, err)
		}
	}
	s.keep(t, proof{promise: 18, title: programUpdate, rounds: 1,
		tried: "a site with data that commit " + earlierCommit + " deployed is updated under the load of visitors, and has backups from then on" + s.drain(t),
		figure: fmt.Sprintf("%s, %s; %d of %d data objects replaced; MySQL started anew, for which pages waited up to %.1f s; %d objects changed",
			failures(report), slowest(report), len(replaced), len(before), slowestPage(report), len(changes)),
		requests: report.Requests, failed: report.Failed,
		figures: evidence.Figures{"replacedDataObjects": float64(len(replaced)), "changedObjects": float64(len(changes))},
		details: map[string]any{"load": report, "changes": names(changes)}}, problem)
}

// turnBackupsOn has the next update do that.
func (s *subject) turnBackupsOn(t *testing.T) {
	t.Helper()
	storage, p := startStorage(t), s.contender.(*program)
	for path, value := range storage.settings(t, "update") {
		p.set(t, path, value)
	}
	storage.open(t, p)
	if err := p.SetConfig(t.Context(), "wordpress:backupPassword", auto.ConfigValue{Value: rand.String(24), Secret: true}); err != nil {
		t.Fatal(err)
	}
}

// installByVisitor is how a site of the earlier program is installed.
func (s *subject) installByVisitor(t *testing.T) {
	t.Helper()
	await(t, "the installer", func(ctx context.Context) error {
		response, err := s.visitor.get(ctx, "/wp-admin/install.php")
		if err == nil && response.status != http.StatusOK {
			err = fmt.Errorf("status %d: %s", response.status, excerpt(response.body))
		}
		return err
	})
	if err := s.visitor.install(t.Context(), "Evidence", s.admin); err != nil {
		t.Fatal(err)
	}
}

// replacedObjects are those that have gone or are others under the same name.
func replacedObjects(before, after map[string]dataObject) []string {
	var replaced []string
	for name, object := range before {
		if after[name].identity != object.identity {
			replaced = append(replaced, name)
		}
	}
	slices.Sort(replaced)
	return replaced
}

// started says of each pod of a tier which one it is and how often its containers have started.
func (s *subject) started(t *testing.T, selector string) []string {
	t.Helper()
	pods, err := s.livePods(t.Context(), selector)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, pod := range pods {
		restarts := int32(0)
		for _, container := range pod.Status.ContainerStatuses {
			restarts += container.RestartCount
		}
		list = append(list, fmt.Sprintf("%s %s started %d times", pod.Name, pod.UID, restarts+1))
	}
	slices.Sort(list)
	return list
}

// deployEarlier has the earlier program bring the site up, with the state and the secrets that this one then finds.
func (s *subject) deployEarlier(t *testing.T) {
	t.Helper()
	current := s.contender.(*program)
	earlier := *current.project
	earlier.Repo = earlierCheckout(t, current.project)
	// What the local cluster needs besides, and the earlier program does not know.
	earlier.Overrides = maps.Clone(earlier.Overrides)
	earlier.Overrides["wordpress:cache.image"], earlier.Overrides["wordpress:backup"] = "", ""
	if err := earlier.Build(t.Context()); err != nil {
		t.Fatal(err)
	}
	deployed, err := deploymentOf(t.Context(), &earlier)
	if err != nil {
		t.Fatal(err)
	}
	(&program{deployment: deployed, kubernetes: s.kubernetes}).deploy(t)
	t.Cleanup(func() {
		if err := s.remove(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("remove the site: %v", err)
		}
	})
	s.kubernetes.awaitRollout(t)
	// The derived project leads to this program again, and keeps what the earlier one was given.
	if current.deployment, err = deploymentOf(t.Context(), current.project); err != nil {
		t.Fatal(err)
	}
}

// earlierCheckout is the earlier state of the program in a folder of its own. It runs with this checkout's tools, cluster and secrets.
func earlierCheckout(t *testing.T, project *stack.Project) string {
	t.Helper()
	git := func(args ...string) []byte {
		command := exec.CommandContext(t.Context(), "git", args...)
		command.Dir = project.Repo
		text, err := command.Output()
		if err != nil {
			t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, bytes.TrimSpace(standardError(err)))
		}
		return text
	}
	if strings.TrimSpace(string(git("rev-parse", "--is-shallow-repository"))) == "true" {
		t.Skip("the clone has no history: run `git fetch --unshallow` first")
	}
	folder := filepath.Join(project.Local(), "earlier", earlierCommit)
	if err := os.MkdirAll(filepath.Join(folder, ".local", "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	unpack := exec.CommandContext(t.Context(), "tar", "-x", "-C", folder)
	unpack.Stdin = bytes.NewReader(git("archive", earlierCommit))
	if text, err := unpack.CombinedOutput(); err != nil {
		t.Fatalf("unpack %s: %v: %s", earlierCommit, err, text)
	}
	shared := []string{"cluster", "kubeconfig", "ca.crt", "passphrase", "noderoot"}
	for _, tool := range []string{"pulumi", "pulumi-language-go", "pulumi-resource-kubernetes"} {
		shared = append(shared, filepath.Join("bin", tool))
	}
	for _, name := range shared {
		err := os.Symlink(filepath.Join(project.Local(), name), filepath.Join(folder, ".local", name))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			t.Fatal(err)
		}
	}
	return folder
}

// standardError is what a command said of its failure.
func standardError(err error) []byte {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.Stderr
	}
	return nil
}
