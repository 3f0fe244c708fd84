package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"wordpress-on-kubernetes/tests/e2e/evidence"
	"wordpress-on-kubernetes/tests/stack"
)

var (
	publish = flag.Bool("publish", false, "put what was found in its place in docs/evidence.json and docs/evidence.md; `make verify` sets it")
	// promises is empty for all.
	promises = flag.String("promises", "", "numbers of promises and names of rows: only the tests that keep these run; `make verify` sets it")
)

// chooseTests has only the tests run that keep the rows that are asked for.
func chooseTests() error {
	if *promises == "" {
		return nil
	}
	if flag.Lookup("test.run").Value.String() != "" {
		return errors.New("-promises and -run cannot both choose the tests")
	}
	var err error
	if chosen, err = evidence.Select(*promises); err != nil {
		return err
	}
	return flag.Set("test.run", evidence.Pattern(chosen))
}

// chosen are the rows that are asked for. Nil: all.
var chosen []evidence.Proof

// isChosen tells whether the part of a promise is asked for, which a test that takes minutes for each asks.
func isChosen(promise int, part string) bool {
	return chosen == nil || slices.ContainsFunc(chosen, func(one evidence.Proof) bool { return one.Promise == promise && one.Part == part })
}

// writeEvidence puts what this run has kept in its place in docs/evidence.json, and writes docs/evidence.md from all that is there then.
// A run of everything is all there is then.
func writeEvidence(ctx context.Context, project *stack.Project, everything bool) error {
	run, err := evidence.Load(evidenceDir(project))
	if err != nil {
		return err
	}
	docs := filepath.Join(project.Repo, "docs")
	var published []evidence.Result
	if !everything {
		if published, err = evidence.ReadPublished(filepath.Join(docs, "evidence.json")); err != nil {
			return err
		}
	}
	all := evidence.Update(published, run)
	about := evidence.About{Machine: machine()}
	if about.Versions, err = versionsOf(ctx, project); err != nil {
		return err
	}
	if err := evidence.WritePublished(filepath.Join(docs, "evidence.json"), all); err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(docs, "evidence.md"), []byte(evidence.Markdown(all, about)), 0o644), evidence.TooLong(run))
}

// commitOf is what is checked out, with a mark where it was changed since. A copy without its history has none.
func commitOf(ctx context.Context, project *stack.Project) (string, error) {
	if _, err := os.Stat(filepath.Join(project.Repo, ".git")); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	git := func(args ...string) (string, error) {
		command := exec.CommandContext(ctx, "git", args...)
		command.Dir = project.Repo
		output, err := command.Output()
		if err != nil {
			return "", fmt.Errorf("git %s: %w", args[0], err)
		}
		return strings.TrimSpace(string(output)), nil
	}
	commit, err := git("rev-parse", "--short=7", "HEAD")
	if err != nil {
		return "", err
	}
	// What an earlier run published is no change of what is tried.
	changed, err := git("status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude)docs/evidence.json", ":(exclude)docs/evidence.md",
		":(exclude)docs/benchmarks.json", ":(exclude)docs/benchmarks")
	if changed != "" {
		commit += evidence.Dirty
	}
	return commit, err
}

func evidenceDir(project *stack.Project) string { return filepath.Join(project.Local(), "evidence") }

// versionsOf asks the engine and the cluster what they are.
func versionsOf(ctx context.Context, project *stack.Project) ([]evidence.Version, error) {
	engine, err := project.FindEngine()
	if err != nil {
		return nil, err
	}
	pulumi, err := exec.CommandContext(ctx, engine.Command, "version").Output()
	if err != nil {
		return nil, fmt.Errorf("pulumi version: %w", err)
	}
	module := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", "github.com/pulumi/pulumi-kubernetes/sdk/v4")
	module.Dir = project.Repo
	provider, err := module.Output()
	if err != nil {
		return nil, fmt.Errorf("version of the provider's SDK: %w", err)
	}
	client, err := connect(project.Kubeconfig(), corev1.NamespaceAll)
	if err != nil {
		return nil, err
	}
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil || len(nodes.Items) == 0 {
		return nil, fmt.Errorf("%d nodes: %w", len(nodes.Items), err)
	}
	node := nodes.Items[0].Status.NodeInfo
	found := []evidence.Version{
		{Name: "Pulumi", Version: strings.TrimPrefix(strings.TrimSpace(string(pulumi)), "v")},
		{Name: "pulumi-kubernetes", Version: strings.TrimPrefix(strings.TrimSpace(string(provider)), "v")},
		{Name: "Kubernetes", Version: fmt.Sprintf("%s on %d nodes", strings.TrimPrefix(node.KubeletVersion, "v"), len(nodes.Items))},
		{Name: "container runtime", Version: node.ContainerRuntimeVersion},
		{Name: "Linux", Version: node.KernelVersion},
	}
	images, err := client.images(ctx)
	return append(found, images...), err
}

// images that run, by name and tag.
func (c *cluster) images(ctx context.Context) ([]evidence.Version, error) {
	pods, err := c.CoreV1().Pods(corev1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	var found []evidence.Version
	seen := map[string]bool{}
	for _, pod := range pods.Items {
		for _, container := range pod.Spec.Containers {
			if !seen[container.Image] {
				seen[container.Image] = true
				name, tag, _ := strings.Cut(filepath.Base(container.Image), ":")
				found = append(found, evidence.Version{Name: name, Version: tag})
			}
		}
	}
	return found, nil
}
