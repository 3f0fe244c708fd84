package rules

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"wordpress-on-kubernetes/components/plan"
)

var update = flag.Bool("update", false, "write the golden file anew")

// valid are objects that break no rule, a new copy each time.
func valid(t testing.TB) []plan.Object {
	t.Helper()
	text, err := os.ReadFile("testdata/valid.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var objects []plan.Object
	if err := yaml.UnmarshalStrict(text, &objects); err != nil {
		t.Fatal(err)
	}
	return objects
}

// set changes one field of one object, such as "Deployment web" and "spec/template/spec/volumes/0/name"; nil
// removes it. In a name, a slash is written ~1, as in a JSON pointer.
func set(t *testing.T, objects []plan.Object, object, path string, value any) {
	t.Helper()
	i := slices.IndexFunc(objects, func(o plan.Object) bool { return o.Kind()+" "+o.Name() == object })
	if i < 0 {
		t.Fatalf("there is no %s", object)
	}
	if !assign(map[string]any(objects[i]), strings.Split(path, "/"), value) {
		t.Fatalf("%s has no %s", object, path)
	}
}

// assign walks to the last name of the path and reports whether there is such a place.
func assign(parent any, path []string, value any) bool {
	name := strings.ReplaceAll(path[0], "~1", "/")
	switch parent := parent.(type) {
	case map[string]any:
		if len(path) > 1 {
			return assign(parent[name], path[1:], value)
		}
		return assignKey(parent, name, value)
	case []any:
		i, err := strconv.Atoi(name)
		if err != nil || i >= len(parent) {
			return false
		}
		if len(path) > 1 {
			return assign(parent[i], path[1:], value)
		}
		parent[i] = value
		return true
	default:
		return false
	}
}

func assignKey(parent map[string]any, name string, value any) bool {
	if value == nil {
		_, found := parent[name]
		delete(parent, name)
		return found
	}
	parent[name] = value
	return true
}

// violations of the rules by objects.
func violations(t *testing.T, objects []plan.Object, terms Terms) []Violation {
	t.Helper()
	err := Check(objects, terms)
	if err == nil {
		return nil
	}
	var broken *Error
	if !errors.As(err, &broken) {
		t.Fatalf("got the error %v, want violations", err)
	}
	return broken.Violations
}

func TestValidObjectsBreakNoRule(t *testing.T) {
	for _, violation := range violations(t, valid(t), Terms{}) {
		t.Error(violation)
	}
}

// Pods that the cluster gives a user bring none, and those of development may have one that a node has.
func TestUsersAreAdmittedByTheTerms(t *testing.T) {
	for name, c := range map[string]struct {
		terms   Terms
		context map[string]any
		admits  bool
	}{
		"from the cluster":          {Terms{UsersFromCluster: true}, map[string]any{}, true},
		"from the cluster, and own": {Terms{UsersFromCluster: true}, map[string]any{"fsGroup": 12000}, false},
		"none":                      {Terms{UsersOfNodes: true}, map[string]any{}, false},
		"of the node":               {Terms{UsersOfNodes: true}, map[string]any{"runAsUser": 1, "runAsGroup": 33}, true},
		"root's group":              {Terms{UsersOfNodes: true}, map[string]any{"runAsUser": 1, "runAsGroup": 0}, false},
		"of the node in production": {Terms{}, map[string]any{"runAsUser": 10000, "runAsGroup": 10001}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var pod corev1.PodSecurityContext
			text := encoded(t, c.context)
			if err := json.Unmarshal([]byte(text), &pod); err != nil {
				t.Fatal(err)
			}
			if admits := c.terms.admitUser(&pod); admits != c.admits {
				t.Errorf("%s is admitted: %t", text, admits)
			}
		})
	}
}

const (
	podSpec       = "spec/template/spec/"
	mainContainer = podSpec + "containers/0/"
)

// breakage changes one object in one place, which breaks one rule and no other.
type breakage struct {
	rule, object, path string
	value              any
}

var breakages = []breakage{
	{"api-version", "HorizontalPodAutoscaler web", "apiVersion", "autoscaling/v2beta2"},
	{"api-version", "Middleware redirect", "apiVersion", "traefik.containo.us/v1alpha1"},
	{"api-version", "StorageClass shared", "kind", "VolumeClass"},
	{"schema", "PersistentVolumeClaim content", "spec/acessModes", []any{"ReadWriteMany"}},
	{"schema", "StorageClass shared", "parameters", "text"},
	{"schema", "Deployment web", mainContainer + "resources/limits/memory", "1 GB"},
	{"identity", "NetworkPolicy solver", "metadata/name", "data"},
	{"labels", "ConfigMap files", "metadata/labels/app.kubernetes.io~1instance", nil},
	{"labels", "ConfigMap files", "metadata/labels/app.kubernetes.io~1managed-by", "Helm"},
	{"labels", "ConfigMap files", "metadata/labels/app.kubernetes.io~1instance", "a-branch_"},
	{"labels", "Deployment web", "spec/template/metadata/labels/app.kubernetes.io~1component", nil},
	{"namespace", "CephFilesystem files", "metadata/namespace", nil},
	{"namespace", "StorageClass shared", "metadata/namespace", "site"},
	{"secret-value", "ConfigMap files", "data/site.conf", "GracefulShutdownTimeout 30\n# a-very-secret-value"},
	{"secret-value", "Ingress web", "metadata/annotations", map[string]any{"note": "a-very-secret-value"}},
	{"secret-value", "Ingress web", "metadata/annotations", map[string]any{"note": "YS12ZXJ5LXNlY3JldC12YWx1ZQ=="}},
	{"secret-value", "Secret password", "metadata/annotations", map[string]any{"example.com/a-very-secret-value": ""}},
	{"immutable-config", "ConfigMap files", "immutable", nil},
	{"immutable-config", "ConfigMap files", "immutable", false},

	{"workload-selector", "Deployment web", "spec/selector/matchLabels/role", "website"},
	{"workload-selector", "Deployment web", "spec/selector/matchLabels", map[string]any{"app.kubernetes.io/name": "web"}},
	{"service-selector", "Service web", "spec/selector/role", "website"},
	{"service-selector", "Service web", "spec/selector", map[string]any{"app.kubernetes.io/name": "web"}},
	{"service-selector", "Service web", "spec/ports/0/targetPort", "https"},
	{"service-selector", "Service web", "spec/ports/0/targetPort", 8081},
	{"service-selector", "Service numbers", "spec", map[string]any{"selector": map[string]any{"role": "asking"}, "ports": []any{}}},
	{"governing-service", "StatefulSet data", "spec/serviceName", "database"},
	{"governing-service", "Service data", "spec/clusterIP", nil},
	{"disruption-budget", "PodDisruptionBudget web", "spec/selector/matchLabels/role", "website"},
	{"disruption-budget", "PodDisruptionBudget web", "spec/selector/matchLabels", map[string]any{"app.kubernetes.io/name": "web"}},
	{"disruption-budget", "PodDisruptionBudget data", "spec/selector/matchLabels/role", "web"},
	{"disruption-budget", "PodDisruptionBudget web", "spec/selector/matchLabels/role", "asking"},
	{"autoscaler", "HorizontalPodAutoscaler web", "spec/scaleTargetRef/name", "website"},
	{"autoscaler", "HorizontalPodAutoscaler web", "spec/scaleTargetRef/apiVersion", "extensions/v1beta1"},
	{"autoscaler", "Deployment web", "spec/replicas", 3},
	{"autoscaler", "StatefulSet data", "spec/replicas", nil},

	{"network-policy", "NetworkPolicy all", "metadata/namespace", "other"},
	{"network-policy", "NetworkPolicy all", "spec/policyTypes", []any{"Ingress"}},
	{"network-policy", "NetworkPolicy all", "spec/policyTypes", nil},
	{"network-policy", "NetworkPolicy all", "spec/egress", []any{map[string]any{
		"to": []any{map[string]any{"ipBlock": map[string]any{"cidr": "0.0.0.0/0"}}}, "ports": []any{map[string]any{"port": 443}},
	}}},
	{"network-policy", "NetworkPolicy web", "spec/podSelector/matchLabels/role", "website"},
	{"network-policy", "NetworkPolicy web", "spec/podSelector/matchLabels", map[string]any{"app.kubernetes.io/name": "web"}},
	{"network-policy", "NetworkPolicy solver", "spec/podSelector/matchLabels", map[string]any{"role": "solver"}},
	{"policy-port", "NetworkPolicy web", "spec/ingress/0/ports/0/port", 80},
	{"policy-port", "NetworkPolicy web", "spec/ingress/0/ports/0/port", "https"},
	{"policy-port", "NetworkPolicy web", "spec/ingress/0/ports", nil},
	{"policy-port", "NetworkPolicy web", "spec/ingress/0/ports/0/port", nil},
	{"policy-port", "NetworkPolicy web", "spec/ingress/0/ports/0/endPort", 65535},
	{"policy-port", "NetworkPolicy data", "spec/ingress/0/ports/0/endPort", 3307},
	{"policy-peer", "NetworkPolicy web", "spec/ingress/0/from/0/namespaceSelector/matchLabels", nil},
	{"policy-database", "NetworkPolicy data", "spec/ingress/0/from/0", map[string]any{"namespaceSelector": map[string]any{"matchLabels": map[string]any{"name": "edge"}}}},
	{"policy-database", "NetworkPolicy data", "spec/ingress/0/from/0", map[string]any{"ipBlock": map[string]any{"cidr": "0.0.0.0/0"}}},
	{"service-exposure", "Service data", "spec/type", "NodePort"},
	{"service-exposure", "Service web", "spec/type", "LoadBalancer"},
	{"service-exposure", "Service web", "spec/externalIPs", []any{"192.0.2.1"}},
	{"policy-peer", "NetworkPolicy web", "spec/ingress/0/from", nil},
	{"policy-peer", "NetworkPolicy web", "spec/egress/0/to", []any{}},
	{"policy-peer", "NetworkPolicy web", "spec/egress/0/ports", nil},
	{"policy-peer", "NetworkPolicy web", "spec/egress/0/to/0/podSelector/matchLabels/role", "database"},
	{"policy-peer", "NetworkPolicy web", "spec/egress/0/to/0/podSelector/matchLabels", map[string]any{"app.kubernetes.io/name": "web"}},
	{"policy-peer", "NetworkPolicy web", "spec/egress/0/ports/0/port", 3307},
	{"policy-peer", "NetworkPolicy data", "spec/ingress/0/from/0/podSelector/matchLabels/role", "website"},

	{"secret-reference", "Deployment web", podSpec + "volumes/2/projected/sources/0/secret/name", "passwords"},
	{"secret-reference", "Deployment web", podSpec + "volumes/2/projected/sources/0/secret/items/0/key", "dbpwd"},
	{"secret-reference", "Deployment web", podSpec + "volumes/2", map[string]any{"name": "secrets", "secret": map[string]any{"secretName": "passwords"}}},
	{"secret-reference", "Deployment web", podSpec + "imagePullSecrets", []any{map[string]any{"name": "registry"}}},
	{"secret-reference", "Ingress web", "spec/tls/0/secretName", "certificate"},
	{"secret-reference", "IngressRoute web", "spec/tls/secretName", "certificate"},
	{"config-reference", "Deployment web", podSpec + "containers/0/volumeMounts/1/subPath", "ports.conf"},
	{"config-reference", "Deployment web", podSpec + "volumes/2/projected/sources/0", map[string]any{"configMap": map[string]any{"name": "pages"}}},
	{"config-reference", "Deployment web", mainContainer + "env/0", map[string]any{
		"name": "PAGES", "valueFrom": map[string]any{"configMapKeyRef": map[string]any{"name": "files", "key": "pages"}},
	}},
	{"config-reference", "StatefulSet data", mainContainer + "envFrom", []any{
		map[string]any{"configMapRef": map[string]any{"name": "pages"}},
	}},
	{"claim-reference", "Deployment web", podSpec + "volumes/0/persistentVolumeClaim/claimName", "uploads"},
	{"volume-mount", "Deployment web", mainContainer + "volumeMounts/0/name", "uploads"},
	{"volume-mount", "StatefulSet data", podSpec + "volumes", []any{map[string]any{"name": "scratch", "emptyDir": map[string]any{}}}},
	{"database-host", "Deployment web", mainContainer + "env/1/value", "database:3306"},
	{"database-host", "Deployment web", mainContainer + "env/1/value", "data:3307"},
	{"database-host", "Deployment web", mainContainer + "env/1/value", "data"},
	{"backend", "Ingress web", "spec/rules/0/http/paths/0/backend/service/name", "website"},
	{"backend", "Ingress web", "spec/rules/0/http/paths/0/backend", map[string]any{}},
	{"backend", "Ingress web", "spec/defaultBackend", map[string]any{"service": map[string]any{"name": "website", "port": map[string]any{"name": "http"}}}},
	{"backend", "Ingress web", "spec/rules/0/http/paths/0/backend/service/port/name", "https"},
	{"backend", "IngressRoute web", "spec/routes/0/services/0/name", "website"},
	{"backend", "IngressRoute web", "spec/routes/0/services/0/port", "https"},
	{"middleware", "IngressRoute web", "spec/routes/0/middlewares/0/name", "compress"},
	{"servers-transport", "IngressRoute web", "spec/routes/0/services/0/serversTransport", "patient"},
	{"tls-option", "IngressRoute web", "spec/tls/options/name", "modern"},

	{"image", "Deployment web", mainContainer + "image", "localhost/web"},
	{"image", "Deployment web", mainContainer + "image", "localhost/web:latest"},
	{"image", "Deployment web", podSpec + "initContainers/0/image", "localhost:5000/web"},
	{"image", "Deployment web", mainContainer + "image", "Not An Image"},
	{"resources", "Deployment web", mainContainer + "resources/limits/memory", "128Mi"},
	{"resources", "Deployment web", mainContainer + "resources/limits/cpu", "64"},
	{"resources", "Deployment web", podSpec + "initContainers/0/resources/requests/cpu", nil},
	{"resources", "StatefulSet data", mainContainer + "resources/limits/ephemeral-storage", nil},
	{"resources", "StatefulSet data", mainContainer + "resources", nil},
	{"security-context", "Deployment web", podSpec + "securityContext", nil},
	{"security-context", "Deployment web", podSpec + "securityContext/runAsUser", 33},
	{"security-context", "Deployment web", podSpec + "securityContext/runAsGroup", nil},
	{"security-context", "Deployment web", podSpec + "securityContext/seccompProfile/type", "Unconfined"},
	{"security-context", "Deployment web", podSpec + "initContainers/0/securityContext", nil},
	{"security-context", "Deployment web", mainContainer + "securityContext/runAsUser", 0},
	{"security-context", "Deployment web", mainContainer + "securityContext/privileged", true},
	{"security-context", "Deployment web", mainContainer + "securityContext/readOnlyRootFilesystem", false},
	{"security-context", "Deployment web", mainContainer + "securityContext/allowPrivilegeEscalation", nil},
	{"security-context", "Deployment web", mainContainer + "securityContext/capabilities/add", []any{"NET_BIND_SERVICE"}},
	{"security-context", "StatefulSet data", mainContainer + "securityContext/capabilities/drop", []any{"KILL"}},
	{"host-access", "Deployment web", podSpec + "hostNetwork", true},
	{"host-access", "StatefulSet data", podSpec + "hostPID", true},
	{"host-access", "Deployment web", mainContainer + "ports/0/hostPort", 80},
	{"host-access", "Deployment web", podSpec + "volumes/0", map[string]any{"name": "content", "hostPath": map[string]any{"path": "/srv"}}},
	{"service-account-token", "Deployment web", podSpec + "volumes/0/projected", map[string]any{"sources": []any{
		map[string]any{"serviceAccountToken": map[string]any{"path": "token"}}}}},
	{"service-account-token", "StatefulSet data", podSpec + "automountServiceAccountToken", nil},
	{"service-account-token", "Deployment web", podSpec + "automountServiceAccountToken", true},
	{"service-links", "Deployment web", podSpec + "enableServiceLinks", nil},
	{"environment-secret", "Deployment web", mainContainer + "env/0", map[string]any{
		"name": "PASSWORD", "valueFrom": map[string]any{"secretKeyRef": map[string]any{"name": "password", "key": "password"}},
	}},
	{"environment-secret", "Deployment web", mainContainer + "envFrom", []any{
		map[string]any{"secretRef": map[string]any{"name": "password"}},
	}},
	{"probes", "Deployment web", mainContainer + "readinessProbe", nil},
	{"probes", "StatefulSet data", mainContainer + "startupProbe", nil},
	{"probes", "Deployment web", mainContainer + "readinessProbe/httpGet/port", "probe"},
	{"probes", "StatefulSet data", mainContainer + "readinessProbe", map[string]any{"tcpSocket": map[string]any{"port": 3307}}},
	{"drain", "Deployment web", mainContainer + "lifecycle", nil},
	{"drain", "ConfigMap files", "data/site.conf", "Timeout 30\n"},
	{"drain", "Deployment web", mainContainer + "lifecycle/preStop/sleep/seconds", 30},
	{"drain", "Deployment web", podSpec + "terminationGracePeriodSeconds", 50},
	{"drain", "ConfigMap files", "data/site.conf", "GracefulShutdownTimeout 40\n"},
}

func (b breakage) String() string { return b.rule + ": " + b.object + " " + b.path }

// violations are those that the breakage leads to.
func (b breakage) violations(t *testing.T) []Violation {
	t.Helper()
	objects := valid(t)
	set(t, objects, b.object, b.path, b.value)
	return violations(t, objects, Terms{})
}

func TestEveryBreakageIsFoundByItsRuleAlone(t *testing.T) {
	for _, b := range breakages {
		t.Run(b.String(), func(t *testing.T) {
			found := b.violations(t)
			broken := map[string]bool{}
			for _, violation := range found {
				broken[violation.Rule] = true
			}
			if got := slices.Sorted(maps.Keys(broken)); !slices.Equal(got, []string{b.rule}) {
				t.Errorf("broke the rules %q, want %q alone: %v", got, b.rule, found)
			}
		})
	}
}

// The file shows every message for review: each must name the place and the way out.
func TestMessagesAreAsRecorded(t *testing.T) {
	var messages strings.Builder
	for _, b := range breakages {
		fmt.Fprintf(&messages, "# %s = %s\n", b, encoded(t, b.value))
		for _, violation := range b.violations(t) {
			fmt.Fprintln(&messages, violation)
		}
	}
	compareGolden(t, "testdata/messages.golden", messages.String())
}

// compareGolden reports the first line that differs from a file, or writes the file anew.
func compareGolden(t *testing.T, path, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	recorded, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// The end of a file is an empty line that the other lacks.
	got, want := strings.Split(text+"\n", "\n"), strings.Split(string(recorded)+"\n", "\n")
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("%s:%d: got\n  %s\nwant\n  %s\nIf the change is meant, run `make golden` and review the difference.",
				path, i+1, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%s has %d lines, want %d: run `make golden` and review the difference", path, len(want), len(got))
	}
}

func encoded(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEveryRuleHasABreakage(t *testing.T) {
	for _, rule := range rules {
		if !slices.ContainsFunc(breakages, func(b breakage) bool { return b.rule == rule.name }) {
			t.Errorf("no breakage shows that the rule %q can fail", rule.name)
		}
	}
}

func TestMissingObjectIsMissedByWhatRefersToIt(t *testing.T) {
	for _, row := range []struct{ missing, rule string }{
		{"Secret password", "secret-reference"},
		{"Certificate web", "secret-reference"},
		{"ConfigMap files", "config-reference"},
		{"PersistentVolumeClaim content", "claim-reference"},
		{"Service web", "backend"},
		{"Service data", "governing-service"},
		{"Middleware redirect", "middleware"},
		{"ServersTransport web", "servers-transport"},
		{"TLSOption web", "tls-option"},
		{"PodDisruptionBudget data", "disruption-budget"},
		{"HorizontalPodAutoscaler web", "autoscaler"},
		{"NetworkPolicy all", "network-policy"},
		{"StatefulSet data", "policy-peer"},
		{"Service data", "database-host"},
		{"Deployment web", "service-selector"},
	} {
		t.Run(row.missing, func(t *testing.T) {
			objects := slices.DeleteFunc(valid(t), func(o plan.Object) bool { return o.Kind()+" "+o.Name() == row.missing })
			found := slices.ContainsFunc(violations(t, objects, Terms{}), func(v Violation) bool { return v.Rule == row.rule })
			if !found {
				t.Errorf("the rule %q does not miss %s", row.rule, row.missing)
			}
		})
	}
}

func TestExistingSecretNeedNotBeInTheStack(t *testing.T) {
	objects := valid(t)
	set(t, objects, "Deployment web", podSpec+"volumes/2/projected/sources/0/secret/name", "from-the-vault")
	for _, violation := range violations(t, objects, Terms{ExistingSecrets: []string{"from-the-vault"}}) {
		t.Error(violation)
	}
}

func TestExternalDatabaseNeedNotBeInTheStack(t *testing.T) {
	for host, address := range map[string]string{"mysql": "mysql:3306", "2001:db8::1": "2001:db8::1:3306"} {
		objects := valid(t)
		set(t, objects, "Deployment web", mainContainer+"env/1/value", address)
		for _, violation := range violations(t, objects, Terms{ExternalDatabase: host}) {
			t.Error(violation)
		}
	}
}

func TestUnversionedImagesCanBeAdmitted(t *testing.T) {
	objects := valid(t)
	set(t, objects, "Deployment web", mainContainer+"image", "localhost/web:latest")
	for _, violation := range violations(t, objects, Terms{UnversionedImages: true}) {
		t.Error(violation)
	}
	set(t, objects, "Deployment web", mainContainer+"image", "Not An Image")
	if len(violations(t, objects, Terms{UnversionedImages: true})) == 0 {
		t.Error("what is no image is admitted")
	}
}

func TestOpenNetworkCanBeAdmitted(t *testing.T) {
	objects := slices.DeleteFunc(valid(t), func(o plan.Object) bool { return o.Kind() == "NetworkPolicy" })
	for _, violation := range violations(t, objects, Terms{OpenNetwork: true}) {
		t.Error(violation)
	}
}

func TestGivenSecretMustBeNowhere(t *testing.T) {
	objects := valid(t)
	set(t, objects, "ConfigMap files", "metadata/annotations", map[string]any{"seed": "what the keys derive from"})
	found := violations(t, objects, Terms{Secrets: map[string]string{"wordpress:authSecret": "what the keys derive from", "unset": ""}})
	const want = "ConfigMap site/files: metadata.annotations.seed: Forbidden: holds the value of wordpress:authSecret: " +
		"take it out, or choose a secret that is no public name (rule secret-value)"
	if len(found) != 1 || found[0].String() != want {
		t.Errorf("got %q, want %q alone", found, want)
	}
}

// Rules quote what they find, wherever a secret has got to.
func TestNoMessageHoldsASecret(t *testing.T) {
	for _, secret := range []string{"a-very-secret-value", `quoted "and" <marked> \ 'value'`, "UPPER case\twith a tab"} {
		for _, b := range breakages {
			objects := valid(t)
			set(t, objects, "Secret password", "stringData/password", secret)
			if _, isText := b.value.(string); !isText {
				continue
			}
			set(t, objects, b.object, b.path, "x"+secret)
			for _, violation := range violations(t, objects, Terms{}) {
				for _, form := range forms(secret) {
					if strings.Contains(violation.String(), form) {
						t.Errorf("%s: the message holds the secret: %s", b, violation)
					}
				}
			}
		}
	}
}

// Objects that are not as the API has them must be reported and not end the program.
func TestMissingPartsAreNoPanic(t *testing.T) {
	for i, object := range valid(t) {
		for _, key := range slices.Sorted(maps.Keys(object)) {
			for _, value := range []any{nil, "text", []any{}, map[string]any{}} {
				objects := valid(t)
				objects[i][key] = value
				_ = Check(objects, Terms{})
			}
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	objects := valid(b)
	for b.Loop() {
		if err := Check(objects, Terms{}); err != nil {
			b.Fatal(err)
		}
	}
}
