package evidence_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

// history is a repository that files are committed to.
type history struct {
	folder string
}

func (h history) git(t *testing.T, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=nobody", "-c", "user.email=nobody@example.com"}, args...)...)
	command.Dir = h.folder
	command.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v: %s", args[0], err, output)
	}
	return strings.TrimSpace(string(output))
}

// commit changes a file and returns the commit's short name.
func (h history) commit(t *testing.T, path string) string {
	t.Helper()
	path = filepath.Join(h.folder, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, time.Now().String())
	h.git(t, "add", "--all")
	h.git(t, "commit", "--quiet", "--message", "change "+filepath.Base(path))
	return h.git(t, "rev-parse", "--short=7", "HEAD")
}

func TestFreshnessCountsWhatTouchedTheProgram(t *testing.T) {
	h := history{t.TempDir()}
	h.git(t, "init", "--quiet")
	rows := []evidence.Result{}
	row := func(promise int, contender, commit string) {
		result := held()
		result.Promise, result.Contender, result.Commit, result.Part = promise, contender, commit, ""
		result.At = result.At.Add(time.Duration(len(rows)) * time.Hour)
		rows = append(rows, result)
	}
	first := h.commit(t, "main.go")
	row(1, evidence.Ours, first)
	for _, path := range []string{
		"docs/evidence.md", "main_test.go", "tests/e2e/load_test.go", "components/frontend/frontend_test.go", "tests/testdata/urns.golden",
		"components/rules/testdata/list.golden", "README.md", "tests/stack/project.go",
	} {
		h.commit(t, path)
	}
	untouched := h.commit(t, "CHANGELOG.md")
	for _, path := range []string{
		"arguments.go", "components/frontend/pods.go", "components/database/files/start.sh", "config/types.go", "go.mod", "Pulumi.yaml",
		"Pulumi.prod.yaml", "tests/images/wordpress/entrypoint.sh",
	} {
		h.commit(t, path)
	}
	row(2, evidence.Ours, untouched)
	row(3, evidence.Ours, "fffffff")
	row(4, evidence.Ours, "")
	row(5, evidence.Ours, untouched+evidence.Dirty)
	row(6, evidence.Tutorial, first)
	row(6, evidence.Ours, h.commit(t, "components/namespace/namespace.go"))
	table, err := evidence.Freshness(t.Context(), h.folder, rows)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(table), "\n")[1:]
	for i, want := range [][]string{
		{first, " 9"}, {untouched, " 9"}, {"the commit is not in this clone"}, {"the row has no commit"},
		{untouched + "-dirty", " 9, and changes"}, {first, " 9"},
	} {
		for _, text := range want {
			if len(lines) != 6 || !strings.Contains(lines[i], text) {
				t.Errorf("row %d of\n%s\nwant %q", i+1, table, text)
			}
		}
	}
}
