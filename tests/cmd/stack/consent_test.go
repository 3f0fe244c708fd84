package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wordpress-on-kubernetes/tests/stack"
)

// fakeEngine is an installed pulumi that does nothing but to note its commands, one a line.
func fakeEngine(t *testing.T) (commands func() string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "commands")
	script := "#!/bin/sh\necho \"$@\" >>" + file + "\n"
	if err := os.WriteFile(filepath.Join(dir, "pulumi"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return func() string {
		text, err := os.ReadFile(file)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		_ = os.Remove(file)
		return string(text)
	}
}

// deployedTo is a checkout whose stack was deployed to a context of the user's, and needs no secrets of its own.
func deployedTo(t *testing.T, name string) *stack.Project {
	t.Helper()
	checkout := copyOfCheckout(t)
	for path, text := range map[string]string{
		"go.mod":         "module program\n\ngo 1.26\n",
		"main.go":        "package main\n\nfunc main() {}\n",
		"kubeconfig":     "apiVersion: v1\nkind: Config\ncontexts:\n- name: mine\n",
		".local/.notice": "",
	} {
		write(t, filepath.Join(checkout, path), text)
	}
	t.Setenv("KUBECONFIG", filepath.Join(checkout, "kubeconfig"))
	file := filepath.Join(checkout, "Pulumi."+name+".yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	existing := strings.NewReplacer(
		"mode: standalone", "mode: standalone\n    existingSecret: a",
		"resources: {cpu: 500m, memory: 768Mi", "existingSecret: b\n    resources: {cpu: 500m, memory: 768Mi",
		"admin: {", "admin: {existingSecret: c, ",
		"    repository:", "    existingSecret: d\n    repository:",
	)
	write(t, file, existing.Replace(string(text)))
	t.Chdir(checkout)
	project, err := stack.Open(name, "mine")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(project.Dir(), "state", ".pulumi", "stacks", "wordpress", name+".json"), "{}")
	return project
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// changes are the commands that change what is deployed.
var changes = map[string]func(context.Context, request) error{"up": up, "destroy": destroy}

func TestProductionIsShownAndAskedFor(t *testing.T) {
	commands := fakeEngine(t)
	project := deployedTo(t, "prod")
	const shownUp, doneUp = "preview --stack prod", "up --yes --skip-preview --stack prod"
	const shownDown, doneDown = "destroy --preview-only --exclude-protected --stack prod", "destroy --yes --skip-preview --exclude-protected --stack prod"
	for _, row := range []struct {
		what, confirm, answer string
		isAsked               bool
		shown, done           bool
		wantError             string
	}{
		{what: "the name", isAsked: true, answer: "prod\n", shown: true, done: true},
		{what: "a yes", isAsked: true, answer: "yes\n", shown: true, wantError: `the answer was not "prod"`},
		{what: "another stack", isAsked: true, answer: "dev\n", shown: true, wantError: `the answer was not "prod"`},
		{what: "silence", isAsked: true, shown: true, wantError: "no answer"},
		{what: "told, no terminal", confirm: "prod", shown: true, done: true},
		{what: "told, and a terminal", confirm: "prod", isAsked: true, answer: "no\n", shown: true, done: true},
		{what: "told of another", confirm: "dev", isAsked: true, answer: "prod\n", wantError: `CONFIRM is "dev"`},
		{what: "no terminal", wantError: "CONFIRM=prod"},
	} {
		t.Run(row.what, func(t *testing.T) {
			for name, want := range map[string][2]string{"up": {shownUp, doneUp}, "destroy": {shownDown, doneDown}} {
				r := request{Project: project, confirm: row.confirm}
				if row.isAsked {
					r.answers = strings.NewReader(row.answer)
				}
				err := changes[name](t.Context(), r)
				if (err != nil) != (row.wantError != "") || err != nil && !strings.Contains(err.Error(), row.wantError) {
					t.Errorf("%s: got the error %v, want %q", name, err, row.wantError)
				}
				ran := commands()
				if shown := strings.Contains(ran, want[0]+"\n"); shown != row.shown {
					t.Errorf("%s: shown %t, want %t, of\n%s", name, shown, row.shown, ran)
				}
				if done := strings.Contains(ran, want[1]+"\n"); done != row.done {
					t.Errorf("%s: done %t, want %t, of\n%s", name, done, row.done, ran)
				}
			}
		})
	}
}

// A stack that was deployed as production stays one until it is gone, whatever its file says by now; development and the local cluster are
// as they were.
func TestOnlyProductionElsewhereIsAskedFor(t *testing.T) {
	commands := fakeEngine(t)
	project := deployedTo(t, "dev")
	r := request{Project: project}
	if err := destroy(t.Context(), r); err != nil {
		t.Errorf("development: %v", err)
	}
	if ran := commands(); strings.Contains(ran, "--preview-only") || !strings.Contains(ran, "destroy --yes") {
		t.Errorf("development: ran\n%s", ran)
	}
	derived := filepath.Join(project.Dir(), "Pulumi.dev.yaml")
	text, err := os.ReadFile(derived)
	if err != nil {
		t.Fatal(err)
	}
	write(t, derived, strings.Replace(string(text), "profile: development", "profile: production", 1))
	if err := destroy(t.Context(), r); err == nil || !strings.Contains(err.Error(), "CONFIRM=dev") {
		t.Errorf("deployed as production: got the error %v", err)
	}
	if ran := commands(); ran != "" {
		t.Errorf("deployed as production: ran\n%s", ran)
	}
	local := request{Project: &stack.Project{Repo: project.Repo, Stack: "prod"}}
	if isShown, err := local.mayChange(); isShown || err != nil {
		t.Errorf("the local cluster: shown %t, error %v", isShown, err)
	}
}
