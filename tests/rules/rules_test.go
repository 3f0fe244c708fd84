package rules

import (
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"wordpress-on-kubernetes/tests/mocks"
)

// valid are objects that break no rule, a new copy each time.
func valid(t *testing.T) []mocks.Object {
	t.Helper()
	text, err := os.ReadFile("testdata/valid.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var objects []mocks.Object
	if err := yaml.UnmarshalStrict(text, &objects); err != nil {
		t.Fatal(err)
	}
	return objects
}

// set changes one field of one object, such as "Deployment web" and "spec/template/spec/volumes/0/name"; nil
// removes it. In a name, a slash is written ~1, as in a JSON pointer.
func set(t *testing.T, objects []mocks.Object, object, path string, value any) {
	t.Helper()
	i := slices.IndexFunc(objects, func(o mocks.Object) bool { return o.Kind()+" "+o.Name() == object })
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

func TestValidObjectsBreakNoRule(t *testing.T) {
	for _, violation := range Check(valid(t)) {
		t.Error(violation)
	}
}

const (
	podSpec   = "spec/template/spec/"
	container = podSpec + "containers/0/"
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
	{"labels", "ConfigMap files", "metadata/labels/app.kubernetes.io~1instance", nil},
	{"labels", "ConfigMap files", "metadata/labels/app.kubernetes.io~1managed-by", "Helm"},
	{"labels", "Deployment web", "spec/template/metadata/labels/app.kubernetes.io~1component", nil},
	{"namespace", "CephFilesystem files", "metadata/namespace", nil},
	{"namespace", "StorageClass shared", "metadata/namespace", "site"},
	{"secret-value", "ConfigMap files", "data/site.conf", "GracefulShutdownTimeout 30\n# a-very-secret-value"},
	{"secret-value", "Ingress web", "metadata/annotations", map[string]any{"note": "a-very-secret-value"}},
	{"immutable-config", "ConfigMap files", "immutable", nil},
	{"immutable-config", "ConfigMap files", "immutable", false},

	{"workload-selector", "Deployment web", "spec/selector/matchLabels/role", "website"},
	{"workload-selector", "Deployment web", "spec/selector/matchLabels", map[string]any{"app.kubernetes.io/name": "web"}},
	{"service-selector", "Service web", "spec/selector/role", "website"},
	{"service-selector", "Service web", "spec/selector", map[string]any{"app.kubernetes.io/name": "web"}},
	{"service-selector", "Service web", "spec/ports/0/targetPort", "https"},
	{"service-selector", "Service web", "spec/ports/0/targetPort", 8081},
	{"governing-service", "StatefulSet data", "spec/serviceName", "database"},
	{"governing-service", "Service data", "spec/clusterIP", nil},
	{"disruption-budget", "PodDisruptionBudget web", "spec/selector/matchLabels/role", "website"},
	{"disruption-budget", "PodDisruptionBudget web", "spec/selector/matchLabels", map[string]any{"app.kubernetes.io/name": "web"}},
	{"disruption-budget", "PodDisruptionBudget data", "spec/selector/matchLabels/role", "web"},
	{"autoscaler", "HorizontalPodAutoscaler web", "spec/scaleTargetRef/name", "website"},
	{"autoscaler", "HorizontalPodAutoscaler web", "spec/scaleTargetRef/apiVersion", "extensions/v1beta1"},
	{"autoscaler", "Deployment web", "spec/replicas", 3},
	{"autoscaler", "StatefulSet data", "spec/replicas", nil},

	{"secret-reference", "Deployment web", podSpec + "volumes/2/projected/sources/0/secret/name", "passwords"},
	{"secret-reference", "Deployment web", podSpec + "volumes/2/projected/sources/0/secret/items/0/key", "dbpwd"},
	{"secret-reference", "Deployment web", podSpec + "volumes/2", map[string]any{"name": "secrets", "secret": map[string]any{"secretName": "passwords"}}},
	{"secret-reference", "Ingress web", "spec/tls/0/secretName", "certificate"},
	{"secret-reference", "IngressRoute web", "spec/tls/secretName", "certificate"},
	{"config-reference", "Deployment web", podSpec + "containers/0/volumeMounts/1/subPath", "ports.conf"},
	{"claim-reference", "Deployment web", podSpec + "volumes/0/persistentVolumeClaim/claimName", "uploads"},
	{"volume-mount", "Deployment web", container + "volumeMounts/0/name", "uploads"},
	{"backend", "Ingress web", "spec/rules/0/http/paths/0/backend/service/name", "website"},
	{"backend", "Ingress web", "spec/rules/0/http/paths/0/backend/service/port/name", "https"},
	{"backend", "IngressRoute web", "spec/routes/0/services/0/name", "website"},
	{"backend", "IngressRoute web", "spec/routes/0/services/0/port", "https"},
	{"middleware", "IngressRoute web", "spec/routes/0/middlewares/0/name", "compress"},
	{"servers-transport", "IngressRoute web", "spec/routes/0/services/0/serversTransport", "patient"},
	{"tls-option", "IngressRoute web", "spec/tls/options/name", "modern"},

	{"network-policy", "NetworkPolicy all", "spec/policyTypes", []any{"Ingress"}},
	{"network-policy", "NetworkPolicy all", "spec/ingress", []any{map[string]any{}}},
	{"network-policy", "NetworkPolicy web", "spec/podSelector/matchLabels/role", "website"},
	{"network-policy", "NetworkPolicy web", "spec/podSelector/matchLabels", map[string]any{"app.kubernetes.io/name": "web"}},
	{"network-policy", "NetworkPolicy web", "spec/ingress/0/ports/0/port", 80},
	{"network-policy", "NetworkPolicy web", "spec/ingress/0/ports", nil},
	{"network-policy", "NetworkPolicy web", "spec/ingress/0/from", nil},
	{"network-policy", "NetworkPolicy web", "spec/egress/0/to", []any{}},
	{"network-policy", "NetworkPolicy web", "spec/egress/0/to/0/podSelector/matchLabels/role", "database"},
	{"network-policy", "NetworkPolicy web", "spec/egress/0/ports/0/port", 3307},

	{"image", "Deployment web", container + "image", "localhost/web"},
	{"image", "Deployment web", container + "image", "localhost/web:latest"},
	{"image", "Deployment web", podSpec + "initContainers/0/image", "localhost:5000/web"},
	{"image", "Deployment web", container + "image", "Not An Image"},
	{"resources", "Deployment web", container + "resources/limits/memory", "128Mi"},
	{"resources", "Deployment web", podSpec + "initContainers/0/resources/requests/cpu", nil},
	{"resources", "StatefulSet data", container + "resources/limits/ephemeral-storage", nil},
	{"resources", "StatefulSet data", container + "resources", nil},
	{"security-context", "Deployment web", podSpec + "securityContext", nil},
	{"security-context", "Deployment web", podSpec + "securityContext/runAsUser", 33},
	{"security-context", "Deployment web", podSpec + "securityContext/runAsGroup", nil},
	{"security-context", "Deployment web", podSpec + "securityContext/seccompProfile/type", "Unconfined"},
	{"security-context", "Deployment web", podSpec + "initContainers/0/securityContext", nil},
	{"security-context", "Deployment web", container + "securityContext/runAsUser", 0},
	{"security-context", "Deployment web", container + "securityContext/privileged", true},
	{"security-context", "Deployment web", container + "securityContext/readOnlyRootFilesystem", false},
	{"security-context", "Deployment web", container + "securityContext/allowPrivilegeEscalation", nil},
	{"security-context", "Deployment web", container + "securityContext/capabilities/add", []any{"NET_BIND_SERVICE"}},
	{"security-context", "StatefulSet data", container + "securityContext/capabilities/drop", []any{"KILL"}},
	{"host-access", "Deployment web", podSpec + "hostNetwork", true},
	{"host-access", "StatefulSet data", podSpec + "hostPID", true},
	{"host-access", "Deployment web", container + "ports/0/hostPort", 80},
	{"host-access", "Deployment web", podSpec + "volumes/0", map[string]any{"name": "content", "hostPath": map[string]any{"path": "/srv"}}},
	{"service-account-token", "StatefulSet data", podSpec + "automountServiceAccountToken", nil},
	{"service-account-token", "Deployment web", podSpec + "automountServiceAccountToken", true},
	{"service-links", "Deployment web", podSpec + "enableServiceLinks", nil},
	{"environment-secret", "Deployment web", container + "env/0", map[string]any{
		"name": "PASSWORD", "valueFrom": map[string]any{"secretKeyRef": map[string]any{"name": "password", "key": "password"}},
	}},
	{"environment-secret", "Deployment web", container + "envFrom", []any{
		map[string]any{"secretRef": map[string]any{"name": "password"}},
	}},
	{"probes", "Deployment web", container + "readinessProbe", nil},
	{"probes", "StatefulSet data", container + "startupProbe", nil},
	{"probes", "Deployment web", container + "readinessProbe/httpGet/port", "probe"},
	{"drain", "Deployment web", container + "lifecycle", nil},
	{"drain", "Deployment web", container + "lifecycle/preStop/sleep/seconds", 30},
	{"drain", "Deployment web", podSpec + "terminationGracePeriodSeconds", 50},
	{"drain", "ConfigMap files", "data/site.conf", "GracefulShutdownTimeout 40\n"},
}

func TestEveryBreakageIsFoundByItsRuleAlone(t *testing.T) {
	for _, b := range breakages {
		t.Run(b.rule+": "+b.object+" "+b.path, func(t *testing.T) {
			objects := valid(t)
			set(t, objects, b.object, b.path, b.value)
			violations := Check(objects)
			broken := map[string]bool{}
			for _, violation := range violations {
				broken[violation.Rule] = true
			}
			if got := slices.Sorted(maps.Keys(broken)); !slices.Equal(got, []string{b.rule}) {
				t.Errorf("broke the rules %q, want %q alone: %v", got, b.rule, violations)
			}
		})
	}
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
		{"Deployment web", "service-selector"},
	} {
		t.Run(row.missing, func(t *testing.T) {
			objects := slices.DeleteFunc(valid(t), func(o mocks.Object) bool { return o.Kind()+" "+o.Name() == row.missing })
			found := slices.ContainsFunc(Check(objects), func(v Violation) bool { return v.Rule == row.rule })
			if !found {
				t.Errorf("the rule %q does not miss %s", row.rule, row.missing)
			}
		})
	}
}

func TestExistingSecretNeedNotBeInTheStack(t *testing.T) {
	objects := valid(t)
	set(t, objects, "Deployment web", podSpec+"volumes/2/projected/sources/0/secret/name", "from-the-vault")
	for _, violation := range Check(objects, "from-the-vault") {
		t.Error(violation)
	}
}
