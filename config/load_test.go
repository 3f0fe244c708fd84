package config

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the golden files and docs/configuration.md anew")

// The secrets of minimal. No error may ever hold one of them.
const (
	testPassword     = "correct-horse-battery"
	testRootPassword = "staple-of-the-server"
	testAuthSecret   = "0123456789abcdef0123456789abcdefSALT"
)

// minimal is a short valid stack, also with any kind of ingress and type of Service put in.
const minimal = `
kubernetes:enableSecretMutable: "true"
wordpress:profile: development
wordpress:site: {host: www.example.com}
wordpress:ingress: {tls: {existingSecret: www-tls}, clientAddress: connection}
wordpress:network: {edge: {namespace: edge, cidrs: [192.0.2.0/24]}}
wordpress:storage: {content: {storageClass: shared}}
wordpress:backup: {enabled: false}
wordpress:databasePassword: {secure: ` + testPassword + `}
wordpress:databaseRootPassword: {secure: ` + testRootPassword + `}
wordpress:authSecret: {secure: ` + testAuthSecret + `}
`

// production is the same in production.
var production = strings.Replace(minimal, string(Development), string(Production), 1)

// rawConfig is what the engine hands to the program for a stack.
type rawConfig struct {
	values     map[string]string
	secretKeys []string
}

// parse reads the config part of a stack file the way Pulumi does: {secure: x} is an encrypted scalar, text
// is handed over as it is, and all else as JSON. A later document replaces an earlier one's keys; null removes.
func parse(t testing.TB, documents ...string) rawConfig {
	t.Helper()
	merged := map[string]any{}
	for _, document := range documents {
		var keys map[string]any
		if err := yaml.UnmarshalStrict([]byte(document), &keys); err != nil {
			t.Fatalf("test configuration: %v", err)
		}
		maps.Copy(merged, keys)
	}
	raw := rawConfig{values: map[string]string{}}
	for key, value := range merged {
		if value != nil {
			raw.add(t, key, value)
		}
	}
	return raw
}

func (r *rawConfig) add(t testing.TB, key string, value any) {
	if object, ok := value.(map[string]any); ok && len(object) == 1 && object["secure"] != nil {
		r.secretKeys = append(r.secretKeys, key)
		value = object["secure"]
	}
	if text, ok := value.(string); ok {
		r.values[key] = text
		return
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	r.values[key] = string(encoded)
}

func (r rawConfig) load() (*Stack, error) { return Load(r.values, r.secretKeys) }

func mustLoad(t testing.TB, documents ...string) *Stack {
	t.Helper()
	stack, err := parse(t, documents...).load()
	if err != nil {
		t.Fatal(err)
	}
	return stack
}

// problemsOf loads an invalid configuration and returns its problems, a line each.
func problemsOf(t testing.TB, documents ...string) []string {
	t.Helper()
	_, err := parse(t, documents...).load()
	if err == nil {
		return nil
	}
	var invalid *InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("error is a %T, want an *InvalidError: %v", err, err)
	}
	var lines []string
	for _, problem := range invalid.Problems {
		lines = append(lines, strings.TrimPrefix(problem.Error(), keyPrefix))
	}
	return lines
}

func TestLoadKeepsWhatIsGiven(t *testing.T) {
	stack := mustLoad(t, minimal, `
wordpress:namespace: blog
wordpress:frontend: {workers: 4, maxSurge: 25%, maxUnavailable: 1, resources: {cpu: 1}, livenessProbe: true}
wordpress:autoscaling: {enabled: false, scaleDownStabilizationSeconds: 0}
wordpress:storage: {cephfs: {namespace: ceph}}
wordpress:ingress: {kind: ingress, annotations: {example.com/limit: ""}, tls: {clusterIssuer: letsencrypt}}
`)
	for _, check := range []struct{ what, got, want string }{
		{"namespace", stack.Namespace, "blog"},
		{"workers", fmt.Sprint(*stack.Frontend.Workers), "4"},
		{"maxSurge", string(stack.Frontend.MaxSurge), "25%"},
		{"maxUnavailable written as a number", string(stack.Frontend.MaxUnavailable), "1"},
		{"cpu written as a number", stack.Frontend.Resources.CPU.String(), "1"},
		{"memory beside a given cpu", stack.Frontend.Resources.Memory.String(), DefaultFrontendMemory},
		{"memory of a request", stack.Frontend.RequestMemory.String(), MaxDefaultRequestMemory},
		{"operator of a given cluster", stack.Storage.CephFS.OperatorNamespace, "ceph"},
		{"liveness", fmt.Sprint(stack.Frontend.LivenessProbe), "true"},
		{"a zero that means something", fmt.Sprint(*stack.Autoscaling.ScaleDownStabilizationSeconds), "0"},
		{"replicas without autoscaling", fmt.Sprint(*stack.Frontend.Replicas), fmt.Sprint(DefaultReplicas)},
		{"annotations", fmt.Sprint(stack.Ingress.Annotations), "map[example.com/limit:]"},
		{"redirect of kind ingress", fmt.Sprint(*stack.Ingress.RedirectToHTTPS), "false"},
		{"password", string(stack.DatabasePassword), testPassword},
	} {
		if check.got != check.want {
			t.Errorf("%s: got %q, want %q", check.what, check.got, check.want)
		}
	}
}

func TestLoadIgnoresOtherNamespaces(t *testing.T) {
	mustLoad(t, minimal, `{kubernetes:context: production, wordpressish:frontend: "no"}`)
}

// A value in a section may be secret; Pulumi then marks the section.
func TestLoadAcceptsSecretSection(t *testing.T) {
	raw := parse(t, minimal)
	raw.secretKeys = append(raw.secretKeys, "wordpress:site")
	if _, err := raw.load(); err != nil {
		t.Fatal(err)
	}
}

func TestExternalDatabaseNeedsNoServer(t *testing.T) {
	stack := mustLoad(t, minimal, `{wordpress:databaseRootPassword: null, wordpress:database: {mode: external, host: 192.0.2.7}}`)
	if stack.Database.Port != DefaultDatabasePort || stack.Database.MaxConnections != nil {
		t.Errorf("got port %d and maxConnections %v, want %d and nil",
			stack.Database.Port, stack.Database.MaxConnections, DefaultDatabasePort)
	}
}

func TestExistingSecretsReplaceConfiguredOnes(t *testing.T) {
	mustLoad(t, minimal, `
wordpress:frontend: {existingSecret: wordpress-keys}
wordpress:database: {existingSecret: wordpress-db-pwd}
wordpress:databasePassword: null
wordpress:databaseRootPassword: null
wordpress:authSecret: null
`)
}

// The committed stacks hold no secrets; with them, they are valid.
func TestCommittedStacksLoad(t *testing.T) {
	files, err := filepath.Glob("../Pulumi.*.yaml")
	if err != nil || len(files) < 2 {
		t.Fatalf("found the stack files %v, want those of two stacks at least (%v)", files, err)
	}
	examples, err := filepath.Glob("../docs/examples/*.yaml")
	if err != nil || len(examples) == 0 {
		t.Fatalf("found no examples (%v)", err)
	}
	for _, file := range slices.Concat(files, examples) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var stack struct {
			Config json.RawMessage `json:"config"`
		}
		if err := yaml.Unmarshal(content, &stack); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if problems := problemsOf(t, minimal, string(stack.Config), spareSecrets(t, stack.Config)); problems != nil {
			t.Errorf("%s:\n%s", file, strings.Join(problems, "\n"))
		}
	}
}

// spareSecrets takes back those of minimal that a stack has no use for, and would be refused with, and gives the one that it
// lacks.
func spareSecrets(t *testing.T, stack []byte) string {
	t.Helper()
	var values struct {
		Site struct {
			Admin *struct {
				ExistingSecret string `json:"existingSecret"`
			} `json:"admin"`
		} `json:"wordpress:site"`
		Database struct {
			Mode           DatabaseMode `json:"mode"`
			ExistingSecret string       `json:"existingSecret"`
		} `json:"wordpress:database"`
		Frontend struct {
			ExistingSecret string `json:"existingSecret"`
		} `json:"wordpress:frontend"`
		Backup struct {
			Enabled        bool   `json:"enabled"`
			ExistingSecret string `json:"existingSecret"`
			Bootstrap      struct {
				Snapshot string `json:"snapshot"`
			} `json:"bootstrap"`
		} `json:"wordpress:backup"`
	}
	if err := yaml.Unmarshal(stack, &values); err != nil {
		t.Fatal(err)
	}
	spare := map[string]any{}
	if values.Database.ExistingSecret != "" {
		spare["wordpress:databasePassword"] = nil
	}
	if values.Database.ExistingSecret != "" || values.Database.Mode == External {
		spare["wordpress:databaseRootPassword"] = nil
	}
	if values.Frontend.ExistingSecret != "" {
		spare["wordpress:authSecret"] = nil
	}
	if admin := values.Site.Admin; admin != nil && admin.ExistingSecret == "" {
		spare["wordpress:adminPassword"] = map[string]string{"secure": testPassword}
	}
	if (values.Backup.Enabled || values.Backup.Bootstrap.Snapshot != "") && values.Backup.ExistingSecret == "" {
		for _, key := range []string{"backupPassword", "backupAccessKey", "backupSecretKey"} {
			spare["wordpress:"+key] = map[string]string{"secure": testPassword + key}
		}
	}
	text, err := yaml.Marshal(spare)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Whoever adds a stack adds one of these, and it is looked at by the same test.
func TestStacksOfOtherSecretsLoad(t *testing.T) {
	for _, stack := range []string{
		`wordpress:database: {mode: external, host: 192.0.2.7}`,
		`{wordpress:database: {existingSecret: vault}, wordpress:frontend: {existingSecret: vault}}`,
		`{wordpress:site: {host: a.example.com, admin: {user: a, email: a@example.com, existingSecret: vault}}}`,
	} {
		if problems := problemsOf(t, minimal, stack, spareSecrets(t, []byte(stack))); problems != nil {
			t.Errorf("%s:\n%s", stack, strings.Join(problems, "\n"))
		}
	}
}

func TestErrorIsOneLineAProblem(t *testing.T) {
	_, err := parse(t, minimal, "{wordpress:profile: staging, wordpress:frontned: {host: a}}").load()
	const want = `the stack's configuration has 2 problems:
  wordpress:frontned: Forbidden: unknown key, did you mean "frontend"?
  wordpress:profile: Unsupported value: "staging": supported values: "production", "development"`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestEmptyConfigurationTellsAllThatIsRequired(t *testing.T) {
	_, err := Load(nil, nil)
	for _, key := range []string{"profile", "site.host", "databasePassword", "databaseRootPassword", "authSecret"} {
		if err == nil || !strings.Contains(err.Error(), "\n  wordpress:"+key+": Required value") {
			t.Errorf("no line about %s in\n%v", key, err)
		}
	}
}

// Maps have no order; the list of problems does.
func TestProblemsAreInOrder(t *testing.T) {
	bad := `
wordpress:frontend: {zzz: 1, drainSeconds: -1, image: "", aaa: 1}
wordpress:autoscaling: {minReplicas: 0, maxReplicas: 0}
wordpress:aaa: 1
wordpress:zzz: 1
`
	first := problemsOf(t, minimal, bad)
	if !slices.IsSortedFunc(first, func(a, b string) int {
		return strings.Compare(strings.SplitN(a, ": ", 2)[0], strings.SplitN(b, ": ", 2)[0])
	}) || len(first) != 8 {
		t.Errorf("got %d problems, want 8 sorted by path:\n%s", len(first), strings.Join(first, "\n"))
	}
	for range 20 {
		if again := problemsOf(t, minimal, bad); !slices.Equal(first, again) {
			t.Fatalf("got\n%s\nand then\n%s", strings.Join(first, "\n"), strings.Join(again, "\n"))
		}
	}
}
