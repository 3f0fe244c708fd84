package judges

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	// OldestKubernetes is the oldest version that the program supports.
	OldestKubernetes = "1.31"
	// builtInKubernetes is the newest version whose schemas kubectl-validate carries. No field of a stable API is ever
	// removed, so what it knows is known to every supported version.
	builtInKubernetes = "1.30"
)

// schemas validates strictly, unknown and duplicate fields included, against the newest schemas that kubectl-validate
// carries and against those of the Kubernetes that the local cluster is built from.
func (t Tools) schemas(ctx context.Context, manifests string) ([]Finding, error) {
	var findings []Finding
	for _, source := range [][2]string{{"-version", builtInKubernetes}, {"-schemas", t.Schemas}} {
		command := exec.CommandContext(ctx, filepath.Join(t.Bin, "kubectl-validate"), source[0], source[1], "-crds", t.CRDs)
		command.Stdin = strings.NewReader(manifests)
		var report, messages bytes.Buffer
		command.Stdout, command.Stderr = &report, &messages
		if err := command.Run(); err != nil {
			return nil, fmt.Errorf("kubectl-validate %s: %w\n%s", source, err, &messages)
		}
		var found []Finding
		if err := json.Unmarshal(report.Bytes(), &found); err != nil {
			return nil, fmt.Errorf("kubectl-validate's report: %w", err)
		}
		for _, finding := range found {
			finding.Criterion, finding.Message = Schema, strings.Join(source[:], " ")+": "+finding.Message
			findings = append(findings, finding)
		}
	}
	return findings, nil
}

// modules with schemas, each pinned by the go.mod of a folder of the checkout.
var modules = struct{ kubernetes, traefik, certManager module }{
	module{"tests/cluster/tools/kubernetes", "k8s.io/kubernetes"},
	module{"tests/cluster/tools/traefik", "github.com/traefik/traefik/v3"},
	module{"tests/judges/tools/cert-manager", "github.com/cert-manager/cert-manager"},
}

// definitions are the files of CustomResourceDefinitions in the modules, by the name that they get.
var definitions = map[string]struct {
	module module
	path   string
}{
	"traefik.yaml":     {modules.traefik, "docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml"},
	"certificate.yaml": {modules.certManager, "deploy/crds/cert-manager.io_certificates.yaml"},
}

type module struct{ folder, path string }

// dir is the folder of the module's files, which are downloaded where they are missing.
func (m module) dir(ctx context.Context, repo string) (string, error) {
	command := exec.CommandContext(ctx, "go", "mod", "download", "-json", m.path)
	command.Dir = filepath.Join(repo, m.folder)
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("go mod download %s: %w\n%s", m.path, err, output)
	}
	var downloaded struct{ Dir string }
	return downloaded.Dir, json.Unmarshal(output, &downloaded)
}

// Collect brings the schemas together from the modules that they are published in.
func (t Tools) Collect(ctx context.Context, repo string) error {
	for name, definition := range definitions {
		dir, err := definition.module.dir(ctx, repo)
		if err != nil {
			return err
		}
		if err := copyFile(filepath.Join(t.CRDs, name), filepath.Join(dir, definition.path)); err != nil {
			return err
		}
	}
	dir, err := modules.kubernetes.dir(ctx, repo)
	if err != nil {
		return err
	}
	return t.collectNative(filepath.Join(dir, "api", "openapi-spec", "v3"))
}

// collectNative copies the OpenAPI documents of the native kinds, where one file is one version of a group.
func (t Tools) collectNative(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		path, found := documentPath(file.Name())
		if !found {
			continue
		}
		if err := copyFile(filepath.Join(t.Schemas, path), filepath.Join(dir, file.Name())); err != nil {
			return err
		}
	}
	return nil
}

// documentPath is where kubectl-validate looks for the document that Kubernetes keeps as apis__apps__v1_openapi.json.
// Those that describe no version of a group are not found.
func documentPath(name string) (string, bool) {
	path, isDocument := strings.CutSuffix(name, "_openapi.json")
	parts := strings.Split(path, "__")
	isCore := parts[0] == "api" && len(parts) == 2
	isGroup := parts[0] == "apis" && len(parts) == 3
	return filepath.Join(parts...) + ".json", isDocument && (isCore || isGroup)
}

func copyFile(to, from string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, fs.FileMode(0o644))
}
