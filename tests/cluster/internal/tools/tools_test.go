package tools

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fixture is a module without dependencies, and a builder for it.
func fixture(t *testing.T) (Builder, Tool, *[]string) {
	t.Helper()
	root := t.TempDir()
	write(t, filepath.Join(root, "hello", "go.mod"), "module hello\n\ngo 1.26.0\n")
	write(t, filepath.Join(root, "hello", "go.sum"), "")
	write(t, filepath.Join(root, "hello", "main.go"), "package main\n\nvar version string\n\nfunc main() { println(version) }\n")
	var lines []string
	builder := Builder{
		Modules: root, Bin: filepath.Join(root, "bin"), GoVersion: "go1.26.0",
		Progress: func(line string) { lines = append(lines, line) },
	}
	return builder, Tool{Name: "hello", Module: "hello", Package: ".", LinkFlags: "-X main.version=1"}, &lines
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func isMissing(t *testing.T, b Builder, tool Tool) bool {
	t.Helper()
	missing, err := b.Missing([]Tool{tool})
	if err != nil {
		t.Fatal(err)
	}
	return len(missing) == 1
}

func TestASecondBuildRebuildsNothingAndSaysSoInOneLine(t *testing.T) {
	builder, tool, lines := fixture(t)
	if err := builder.Build(t.Context(), []Tool{tool}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(builder.path(tool))
	if err != nil {
		t.Fatal(err)
	}
	*lines = nil
	if err := builder.Build(t.Context(), []Tool{tool}); err != nil {
		t.Fatal(err)
	}
	again, err := os.Stat(builder.path(tool))
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(info, again) {
		t.Error("the program was built again")
	}
	if len(*lines) != 1 || !strings.Contains((*lines)[0], "up to date") {
		t.Errorf("progress: %q", *lines)
	}
}

func TestAToolIsRebuiltWhenAnInputChanges(t *testing.T) {
	changes := map[string]func(t *testing.T, b *Builder, tool *Tool){
		"source": func(t *testing.T, b *Builder, _ *Tool) {
			write(t, filepath.Join(b.Modules, "hello", "main.go"), "package main\n\nfunc main() {}\n")
		},
		"go.mod": func(t *testing.T, b *Builder, _ *Tool) {
			write(t, filepath.Join(b.Modules, "hello", "go.mod"), "module hello\n\ngo 1.26.1\n")
		},
		"go.sum": func(t *testing.T, b *Builder, _ *Tool) {
			write(t, filepath.Join(b.Modules, "hello", "go.sum"), "\n")
		},
		"flags":    func(_ *testing.T, _ *Builder, tool *Tool) { tool.LinkFlags = "-X main.version=2" },
		"compiler": func(_ *testing.T, b *Builder, _ *Tool) { b.GoVersion = "go1.26.1" },
		"program deleted": func(t *testing.T, b *Builder, tool *Tool) {
			if err := os.Remove(b.path(*tool)); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			builder, tool, _ := fixture(t)
			if err := builder.Build(t.Context(), []Tool{tool}); err != nil {
				t.Fatal(err)
			}
			if isMissing(t, builder, tool) {
				t.Fatal("missing right after being built")
			}
			change(t, &builder, &tool)
			if !isMissing(t, builder, tool) {
				t.Error("still up to date")
			}
		})
	}
}

func TestAFailedBuildKeepsTheOldProgramAndShowsTheCompilersWords(t *testing.T) {
	builder, tool, _ := fixture(t)
	if err := builder.Build(t.Context(), []Tool{tool}); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(builder.Modules, "hello", "main.go"), "package main\n\nfunc main() { undefinedName() }\n")
	err := builder.Build(t.Context(), []Tool{tool})
	if err == nil || !strings.Contains(err.Error(), "undefinedName") {
		t.Errorf("got %v, want the compiler's message", err)
	}
	if _, err := os.Stat(builder.path(tool)); err != nil {
		t.Error(err)
	}
	if !isMissing(t, builder, tool) {
		t.Error("the failed build counts as done")
	}
}

func TestSelect(t *testing.T) {
	cluster, err := Select([]string{GroupCluster})
	if err != nil {
		t.Fatal(err)
	}
	engine, err := Select([]string{GroupEngine, "pulumi"})
	if err != nil {
		t.Fatal(err)
	}
	// Proofs have the others built that they need, by their names.
	proofs, err := Select([]string{"versitygw"})
	if err != nil {
		t.Fatal(err)
	}
	if len(cluster)+len(engine)+len(proofs) != len(All) || len(engine) != 3 || len(proofs) != 1 {
		t.Errorf("%d tools of the cluster, %d of the engine and %d of proofs, of %d", len(cluster), len(engine), len(proofs), len(All))
	}
	if _, err := Select([]string{"kubelet", "kubectrl"}); err == nil || !strings.Contains(err.Error(), `"kubectrl"`) || !strings.Contains(err.Error(), "kubectl") {
		t.Errorf("got %v, want an error that names the unknown tool and the known ones", err)
	}
}

// TestEveryToolIsPinned compares the list with the modules: a package that its module does not pin would not build.
func TestEveryToolIsPinned(t *testing.T) {
	for _, tool := range All {
		goMod, err := os.ReadFile(filepath.Join("..", "..", "tools", tool.Module, "go.mod"))
		if err != nil {
			t.Errorf("tool %s: %v", tool.Name, err)
			continue
		}
		if tool.Package != "." && !strings.Contains(string(goMod), tool.Package+"\n") {
			t.Errorf("tool %s: %s is no tool of its go.mod", tool.Name, tool.Package)
		}
	}
}
