package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"wordpress-on-kubernetes/tests/e2e/evidence"
	"wordpress-on-kubernetes/tests/stack"
)

var publish = flag.Bool("publish", false, "write docs/evidence.md from all results that are kept; `make verify` sets it")

// writeEvidence writes docs/evidence.md, and the raw results beside it, from all results that are kept.
func writeEvidence(ctx context.Context, project *stack.Project) error {
	results, err := evidence.Load(evidenceDir(project))
	if err != nil {
		return err
	}
	about := evidence.About{Machine: machine()}
	if about.Versions, err = versionsOf(ctx, project); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(results, "", " ")
	if err != nil {
		return err
	}
	docs := filepath.Join(project.Repo, "docs")
	if err := os.WriteFile(filepath.Join(docs, "evidence.json"), append(raw, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(docs, "evidence.md"), []byte(evidence.Markdown(results, about)), 0o644)
}

// commitOf is what is checked out, with a mark where it was changed since. A copy without its history has none.
func commitOf(ctx context.Context, project *stack.Project) (string, error) {
	if _, err := os.Stat(filepath.Join(project.Repo, ".git")); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	command := exec.CommandContext(ctx, "git", "describe", "--always", "--abbrev=7", "--dirty", "--exclude=*")
	command.Dir = project.Repo
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("git describe: %w", err)
	}
	return strings.TrimSpace(string(output)), nil
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
