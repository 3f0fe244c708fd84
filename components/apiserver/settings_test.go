package apiserver_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wordpress-on-kubernetes/components/apiserver"
)

const kubeconfig = `apiVersion: v1
kind: Config
clusters:
- {name: one, cluster: {server: "https://one.example.com"}}
- {name: two, cluster: {server: "https://two.example.com"}}
contexts:
- {name: first, context: {cluster: one, user: somebody}}
- {name: second, context: {cluster: two, user: somebody}}
current-context: first
users:
- {name: somebody, user: {token: a-token}}
`

// The settings lead where those of the provider lead, also to a context that is not the current one.
func TestSettingsAreThoseOfTheProvider(t *testing.T) {
	home := t.TempDir()
	path := filepath.Join(home, "of-the-stack")
	other := filepath.Join(home, "of-the-environment")
	for file, text := range map[string]string{path: kubeconfig, other: strings.ReplaceAll(kubeconfig, "example.com", "example.org")} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("HOME", home)
	t.Setenv("KUBECONFIG", other)
	cases := map[string]struct {
		values map[string]string
		want   string
	}{
		"the environment's":     {nil, "https://one.example.org"},
		"a context of it":       {map[string]string{"kubernetes:context": "second"}, "https://two.example.org"},
		"a cluster of it":       {map[string]string{"kubernetes:cluster": "two"}, "https://two.example.org"},
		"a path":                {map[string]string{"kubernetes:kubeconfig": path}, "https://one.example.com"},
		"a path at home":        {map[string]string{"kubernetes:kubeconfig": "~/of-the-stack"}, "https://one.example.com"},
		"the text itself":       {map[string]string{"kubernetes:kubeconfig": kubeconfig}, "https://one.example.com"},
		"a context of the text": {map[string]string{"kubernetes:kubeconfig": kubeconfig, "kubernetes:context": "second"}, "https://two.example.com"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			settings, err := apiserver.SettingsOf(c.values).ClientConfig()
			if err != nil {
				t.Fatal(err)
			}
			if settings.Host != c.want || settings.BearerToken != "a-token" {
				t.Errorf("leads to %s, want %s", settings.Host, c.want)
			}
		})
	}
}
