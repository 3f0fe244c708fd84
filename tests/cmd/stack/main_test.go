package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCommandsAreRefusedBeforeAnythingIsBuilt runs commands as `make` does, where nothing was built or deployed.
func TestCommandsAreRefusedBeforeAnythingIsBuilt(t *testing.T) {
	checkout := copyOfCheckout(t)
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	t.Setenv("KUBECONFIG", kubeconfig)
	t.Chdir(checkout)
	for line, want := range map[string]string{
		"":                                 "usage: stack ",
		"deploy":                           "usage: stack ",
		"up now":                           `the arguments are ["now"]: usage: stack `,
		"pulumi":                           "the arguments are []: usage: stack ",
		"pulumi -stack dev -- stack":       "stack \"dev\" is not deployed from here: run `make up` first",
		"check -stack dve":                 "copy Pulumi.prod.yaml to Pulumi.dve.yaml to add it",
		"check -stack prod":                "name a cluster with CONTEXT=",
		"destroy -stack dev -context mein": `stack "dev" is not deployed to context "mein" from here: nothing is destroyed`,
		"check -stack dev -context mien":   `CONTEXT "mien": there are no contexts in ` + kubeconfig,
		"check -stack prod -context mien":  `CONTEXT "mien": there are no contexts in ` + kubeconfig,
	} {
		if err := run(strings.Fields(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("stack %s: got the error %v, want %s", line, err, want)
		}
	}
	if err := run([]string{"check", "-stack", "dev"}); err != nil {
		t.Errorf("stack check -stack dev: %v", err)
	}
	left, err := os.ReadDir(filepath.Join(checkout, ".local"))
	if err != nil {
		t.Fatal(err)
	}
	// A checkout makes its passphrase once, whatever it is needed for first.
	if len(left) != 1 || left[0].Name() != "passphrase" {
		t.Errorf("%v were left in .local, want the passphrase alone", left)
	}
}

// copyOfCheckout has the files of the checkout that the commands read, and nothing that was built.
func copyOfCheckout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "..", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestPlainSettingsAreLeftToTheFile(t *testing.T) {
	for line, want := range map[string]bool{
		"config set --path wordpress:autoscaling.maxReplicas 10": true, "config rm wordpress:site": true, "--logtostderr config set a b": true,
		"config set --secret wordpress:databasePassword": false, "config get wordpress:adminPassword": false, "config": false, "stack output": false,
	} {
		if got := setsPlainly(strings.Fields(line)); got != want {
			t.Errorf("pulumi %s is refused: %v", line, got)
		}
	}
}
