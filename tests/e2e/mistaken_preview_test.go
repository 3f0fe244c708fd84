package e2e

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"

	"wordpress-on-kubernetes/tests/stack"
)

// previewLimit is how long somebody waits to be told of mistakes.
const previewLimit = 5 * time.Second

// TestMistakesAreToldInSeconds previews a stack with six mistakes, one of them in the provider's own settings, under the real engine, without a cluster.
func TestMistakesAreToldInSeconds(t *testing.T) {
	project, err := stack.Open("prod", "")
	if err != nil {
		t.Fatal(err)
	}
	project.Placeholders, project.Variant = true, "-mistaken"
	project.Overrides = map[string]string{
		"wordpress:frontend.drainSecond":       "30",
		"wordpress:frontend.resources.memory":  "256m",
		"wordpress:frontend.maxRequestSeconds": "60",
		"wordpress:ingress.tls.domains[0]":     "*.example.org",
		"wordpress:storage.protect":            "false",
		"kubernetes:enableSecretMutable":       "",
	}
	if err := project.Build(t.Context()); err != nil {
		t.Fatal(err)
	}
	mistaken, err := deploymentOf(t.Context(), project)
	if err != nil {
		t.Fatal(err)
	}
	// What else the machine does can only add to the time, and the first preview may have to read programs from disk.
	fastest := time.Hour
	for range 3 {
		fastest = min(fastest, mistaken.previewMistakes(t))
	}
	t.Logf("six mistakes were told after %.1f s", fastest.Seconds())
	if fastest > previewLimit {
		t.Errorf("nobody was told within %s", previewLimit)
	}
}

// previewMistakes returns how long the preview took.
func (d *deployment) previewMistakes(t *testing.T) time.Duration {
	t.Helper()
	var output bytes.Buffer
	collected, stream := collect()
	began := time.Now()
	_, err := d.Preview(t.Context(), optpreview.ProgressStreams(&output), optpreview.ErrorProgressStreams(&output), optpreview.EventStreams(stream))
	took := time.Since(began)
	if changes := <-collected; err == nil || len(changes) > 1 {
		t.Errorf("the preview ended with the error %v and plans %v, want none but the stack itself", err, changes)
	}
	for _, message := range []string{
		`kubernetes:enableSecretMutable: Required value: must be "true"`,
		`wordpress:frontend.drainSecond: Forbidden: unknown key, did you mean "drainSeconds"?`,
		`wordpress:frontend.resources.memory: Invalid value: "256m": must be at least 160Mi`,
		`wordpress:frontend.terminationGracePeriodSeconds: Invalid value: 60: must be more than drainSeconds and maxRequestSeconds together, which is 80`,
		`wordpress:ingress.tls.domains: Invalid value: ["*.example.org"]: must cover site.host: add it, or the wildcard of its parent domain`,
		`wordpress:storage.protect: Invalid value: false: must be true in production: the data would go with the stack`,
	} {
		if !strings.Contains(output.String(), message) {
			t.Errorf("the preview does not say %q but\n%s", message, output.String())
		}
	}
	return took
}
