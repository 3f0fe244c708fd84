// Package tools builds the programs of the local cluster and of the deployment engine from their Go modules.
//
// Each tool is pinned by the go.mod and go.sum of a small module below tests/cluster/tools.
package tools

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Tool is one program.
type Tool struct {
	// Name is the file's name in the folder of built tools.
	Name string
	// Module is the folder below tests/cluster/tools.
	Module string
	// Package is what is built.
	Package string
	// LinkFlags set the version that the program reports, where it reports one.
	LinkFlags string
	// Generate says that the module's `go generate` makes files that the build needs.
	Generate bool
	// Engine says that it belongs to the deployment engine, not to the cluster.
	Engine bool
	// Proof says that proofs alone need it, which have it built when they begin.
	Proof bool
}

const kubernetesVersion = "-X k8s.io/component-base/version.gitVersion=v1.34.3" +
	" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=34"

// All lists every tool, in the order in which they are built.
var All = []Tool{
	kubernetes("kube-apiserver"),
	kubernetes("kubelet"),
	kubernetes("kube-controller-manager"),
	kubernetes("kube-scheduler"),
	kubernetes("kube-proxy"),
	kubernetes("kubectl"),
	{Name: "etcd", Module: "etcd", Package: "go.etcd.io/etcd/server/v3"},
	{Name: "coredns", Module: "coredns", Package: "github.com/coredns/coredns"},
	{Name: "traefik", Module: "traefik", Package: "github.com/traefik/traefik/v3/cmd/traefik",
		LinkFlags: "-X github.com/traefik/traefik/v3/pkg/version.Version=3.6.0"},
	{Name: "metrics-server", Module: "metrics-server", Package: "sigs.k8s.io/metrics-server/cmd/metrics-server"},
	{Name: "versitygw", Module: "versitygw", Package: "github.com/versity/versitygw/cmd/versitygw", Proof: true},
	{Name: "pulumi", Module: "pulumi", Package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", Engine: true,
		LinkFlags: "-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v3.250.0"},
	{Name: "pulumi-language-go", Module: "pulumi-language-go", Engine: true,
		Package: "github.com/pulumi/pulumi/sdk/v3/go/pulumi-language-go"},
	{Name: "pulumi-resource-kubernetes", Module: "pulumi-resource-kubernetes", Package: ".", Generate: true, Engine: true},
}

func kubernetes(command string) Tool {
	return Tool{Name: command, Module: "kubernetes", Package: "k8s.io/kubernetes/cmd/" + command, LinkFlags: kubernetesVersion}
}

// Groups are names that stand for several tools.
const (
	GroupCluster = "cluster"
	GroupEngine  = "engine"
)

// Select returns the tools with the given names, in building order. GroupCluster and GroupEngine stand for all of
// theirs; no name at all stands for both groups.
func Select(names []string) ([]Tool, error) {
	if err := checkNames(names); err != nil {
		return nil, err
	}
	if len(names) == 0 {
		names = []string{GroupCluster, GroupEngine}
	}
	var selected []Tool
	for _, tool := range All {
		if slices.Contains(names, tool.Name) || slices.Contains(names, tool.group()) {
			selected = append(selected, tool)
		}
	}
	return selected, nil
}

// group that the tool is one of. Empty: none.
func (t Tool) group() string {
	switch {
	case t.Proof:
		return ""
	case t.Engine:
		return GroupEngine
	}
	return GroupCluster
}

func checkNames(names []string) error {
	known := []string{GroupCluster, GroupEngine}
	for _, tool := range All {
		known = append(known, tool.Name)
	}
	var unknown []string
	for _, name := range names {
		if !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		return fmt.Errorf("unknown tools %q: choose from %s", unknown, strings.Join(known, ", "))
	}
	return nil
}

// Builder builds tools.
type Builder struct {
	// Modules is the folder tests/cluster/tools.
	Modules string
	// Bin is the folder for the programs and their digests.
	Bin string
	// GoVersion is the compiler's, as runtime.Version says it. It is part of the digest.
	GoVersion string
	Progress  func(string)
}

// Missing returns those of tools that are not built or whose inputs have changed.
func (b Builder) Missing(tools []Tool) ([]Tool, error) {
	var missing []Tool
	for _, tool := range tools {
		digest, err := b.digest(tool)
		if err != nil {
			return nil, fmt.Errorf("tool %s: %w", tool.Name, err)
		}
		if !b.upToDate(tool, digest) {
			missing = append(missing, tool)
		}
	}
	return missing, nil
}

// Build builds those of tools that are missing or changed, one after the other: each uses all processors.
func (b Builder) Build(ctx context.Context, tools []Tool) error {
	missing, err := b.Missing(tools)
	if err != nil {
		return err
	}
	if len(missing) == 0 {
		b.Progress(fmt.Sprintf("tools: all %d are up to date", len(tools)))
		return nil
	}
	if err := os.MkdirAll(b.Bin, 0o755); err != nil {
		return err
	}
	for i, tool := range missing {
		b.Progress(fmt.Sprintf("tool %s: building (%d of %d)", tool.Name, i+1, len(missing)))
		started := time.Now()
		if err := b.build(ctx, tool); err != nil {
			return fmt.Errorf("build tool %s: %w", tool.Name, err)
		}
		b.Progress(fmt.Sprintf("tool %s: built in %s", tool.Name, time.Since(started).Round(time.Second)))
	}
	return nil
}

func (b Builder) build(ctx context.Context, tool Tool) error {
	digest, err := b.digest(tool)
	if err != nil {
		return err
	}
	if tool.Generate {
		if err := b.goCommand(ctx, tool, "generate", "."); err != nil {
			return err
		}
	}
	// A build that is cut short leaves the old program, or none, under the real name.
	partial := b.path(tool) + ".partial"
	args := append([]string{"build", "-o", partial}, flags(tool)...)
	if err := b.goCommand(ctx, tool, append(args, tool.Package)...); err != nil {
		return err
	}
	if err := os.Rename(partial, b.path(tool)); err != nil {
		return err
	}
	return os.WriteFile(b.digestPath(tool), []byte(digest+"\n"), 0o644)
}

func flags(tool Tool) []string {
	return []string{"-trimpath", "-buildvcs=false", "-ldflags", strings.TrimSpace("-s -w " + tool.LinkFlags)}
}

func (b Builder) goCommand(ctx context.Context, tool Tool, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = filepath.Join(b.Modules, tool.Module)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go %s in %s: %w\n%s", args[0], cmd.Dir, err, output.Bytes())
	}
	return nil
}

// Digest is over everything that decides what is built: the module's own files, the flags and the compiler.
func (b Builder) digest(tool Tool) (string, error) {
	hash := sha256.New()
	_, _ = fmt.Fprintln(hash, b.GoVersion, runtime.GOOS, runtime.GOARCH, tool.Package, flags(tool))
	dir := filepath.Join(b.Modules, tool.Module)
	sources, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return "", err
	}
	for _, path := range append(sources, filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum")) {
		if err := addFile(hash, path); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func addFile(to io.Writer, path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(to, "%s %d\n%s", filepath.Base(path), len(content), content)
	return err
}

func (b Builder) upToDate(tool Tool, digest string) bool {
	if _, err := os.Stat(b.path(tool)); err != nil {
		return false
	}
	built, err := os.ReadFile(b.digestPath(tool))
	return err == nil && strings.TrimSpace(string(built)) == digest
}

func (b Builder) path(tool Tool) string       { return filepath.Join(b.Bin, tool.Name) }
func (b Builder) digestPath(tool Tool) string { return filepath.Join(b.Bin, "."+tool.Name+".digest") }
