package rules

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	strictjson "sigs.k8s.io/json"

	"wordpress-on-kubernetes/components/plan"
)

// apiVersions are the current ones of every kind that a stack may hold.
var apiVersions = map[string]string{
	"Namespace":               "v1",
	"Secret":                  "v1",
	"ConfigMap":               "v1",
	"Service":                 "v1",
	"PersistentVolumeClaim":   "v1",
	"Deployment":              "apps/v1",
	"StatefulSet":             "apps/v1",
	"CronJob":                 "batch/v1",
	"Job":                     "batch/v1",
	"PodDisruptionBudget":     "policy/v1",
	"HorizontalPodAutoscaler": "autoscaling/v2",
	"StorageClass":            "storage.k8s.io/v1",
	"Ingress":                 "networking.k8s.io/v1",
	"NetworkPolicy":           "networking.k8s.io/v1",
	"IngressRoute":            "traefik.io/v1alpha1",
	"Middleware":              "traefik.io/v1alpha1",
	"ServersTransport":        "traefik.io/v1alpha1",
	"TLSOption":               "traefik.io/v1alpha1",
	"Certificate":             "cert-manager.io/v1",
	"CephFilesystem":          "ceph.rook.io/v1",
}

// apiVersion wants kinds that the rules know, in the version that clusters serve: no other can be judged.
func apiVersion(s *stack, report report) {
	for _, object := range s.objects {
		want, known := apiVersions[object.Kind()]
		switch {
		case !known:
			report(object, field.Invalid(field.NewPath("kind"), object.Kind(),
				"must be a kind that the rules know: add it to components/rules, with the rules that it needs"))
		case object["apiVersion"] != want:
			report(object, field.Invalid(field.NewPath("apiVersion"), object["apiVersion"], fmt.Sprintf("must be %q", want)))
		}
	}
}

// schema wants no field that the API server does not know: it would drop or refuse it.
func schema(s *stack, report report) {
	for _, m := range s.malformed {
		var unknown strictjson.FieldError
		var mistyped *json.UnmarshalTypeError
		switch {
		case errors.As(m.err, &unknown):
			report(m.object, field.Forbidden(field.NewPath(unknown.FieldPath()),
				fmt.Sprintf("is no field of a %s: remove it, or correct its name", m.object.Kind())))
		case errors.As(m.err, &mistyped):
			report(m.object, field.Invalid(field.NewPath(mistyped.Field), mistyped.Value, fmt.Sprintf("must be a %s", mistyped.Type)))
		default:
			report(m.object, field.Invalid(field.NewPath("kind"), m.object.Kind(), fmt.Sprintf("must decode as such: %v", m.err)))
		}
	}
}

// unique wants every object to have a name of its own: the second of two would overwrite the first.
func unique(s *stack, report report) {
	seen := map[string]bool{}
	for _, object := range s.objects {
		if id := identity(object); seen[id] {
			report(object, field.Invalid(field.NewPath("metadata", "name"), object.Name(), "must not be that of another object: choose another name"))
		} else {
			seen[id] = true
		}
	}
}

// labelValues are the recommended labels; an empty value means any.
var labelValues = map[string]string{
	"app.kubernetes.io/name":       "",
	"app.kubernetes.io/instance":   "",
	"app.kubernetes.io/component":  "",
	"app.kubernetes.io/part-of":    "wordpress",
	"app.kubernetes.io/managed-by": "pulumi",
}

// labelled wants the recommended labels on every object and every pod: people and tools find by them what belongs together.
func labelled(s *stack, report report) {
	for _, object := range s.objects {
		metadata, _ := object["metadata"].(map[string]any)
		set, _ := metadata["labels"].(map[string]any)
		reportLabels(report, object, field.NewPath("metadata", "labels"), set)
	}
	for _, w := range s.workloads {
		set := make(map[string]any, len(w.template.Labels))
		for key, value := range w.template.Labels {
			set[key] = value
		}
		reportLabels(report, w.object, podLabels, set)
	}
}

func reportLabels(report report, object plan.Object, path *field.Path, set map[string]any) {
	for key, want := range labelValues {
		got, _ := set[key].(string)
		switch {
		case got == "":
			report(object, field.Required(path.Key(key), "set it as components/labels does"))
		case len(validation.IsValidLabelValue(got)) > 0:
			report(object, field.Invalid(path.Key(key), got,
				"must be a label's value: at most 63 letters, digits, -, _ and ., with a letter or digit at either end"))
		case want != "" && got != want:
			report(object, field.Invalid(path.Key(key), got, fmt.Sprintf("must be %q", want)))
		}
	}
}

// clusterWide kinds have no namespace.
var clusterWide = map[string]bool{"Namespace": true, "StorageClass": true}

// namespaced wants objects to say where they go: otherwise the context of whoever deploys decides.
func namespaced(s *stack, report report) {
	path := field.NewPath("metadata", "namespace")
	for _, object := range s.objects {
		_, known := apiVersions[object.Kind()]
		switch {
		case !known:
		case clusterWide[object.Kind()] && object.Namespace() != "":
			report(object, field.Forbidden(path, fmt.Sprintf("a %s belongs to the whole cluster: remove it", object.Kind())))
		case !clusterWide[object.Kind()] && object.Namespace() == "":
			report(object, field.Required(path, "otherwise the kubeconfig of whoever deploys decides: give the stack's namespace"))
		}
	}
}

// secretValue wants secrets in Secrets alone: all else is stored, shown and logged as plain text.
func secretValue(s *stack, report report) {
	for _, object := range s.objects {
		content := object
		if object.Kind() == "Secret" {
			content = maps.Clone(object)
			delete(content, "data")
			delete(content, "stringData")
		}
		forEachText(nil, map[string]any(content), func(path *field.Path, text string) {
			contains := func(secret namedSecret) bool { return strings.Contains(text, secret.value) }
			if i := slices.IndexFunc(s.secretValues, contains); i >= 0 {
				report(object, field.Forbidden(path, fmt.Sprintf(
					"holds the value of %s: take it out, or choose a secret that is no public name", s.secretValues[i].name)))
			}
		})
	}
}

// namedSecret is a secret value and where it comes from.
type namedSecret struct{ name, value string }

// secretTexts are the values that must be nowhere but in Secrets, in each form, the longest first. A value that has several
// names goes by the first, those of the terms before those of Secrets.
func (s *stack) secretTexts() []namedSecret {
	var list []namedSecret
	seen := map[string]bool{}
	add := func(name, value string) {
		for _, form := range forms(value) {
			if !seen[form] {
				seen[form] = true
				list = append(list, namedSecret{name, form})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.terms.Secrets)) {
		add(name, s.terms.Secrets[name])
	}
	for _, secret := range s.secrets {
		for _, key := range slices.Sorted(maps.Keys(secret.typed.StringData)) {
			add("Secret "+secret.object.Name()+", key "+key, secret.typed.StringData[key])
		}
		for _, key := range slices.Sorted(maps.Keys(secret.typed.Data)) {
			add("Secret "+secret.object.Name()+", key "+key, string(secret.typed.Data[key]))
		}
	}
	slices.SortStableFunc(list, func(a, b namedSecret) int { return cmp.Compare(len(b.value), len(a.value)) })
	return list
}

// forms are the texts that show a value: itself, as the API server stores it, and as it is quoted in JSON and in messages.
func forms(value string) []string {
	if value == "" {
		return nil
	}
	quoted := strconv.Quote(value)
	all := []string{value, base64.StdEncoding.EncodeToString([]byte(value)), quoted[1 : len(quoted)-1]}
	if text, err := json.Marshal(value); err == nil {
		all = append(all, string(text[1:len(text)-1]))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// hidden are pairs of what must not be printed and what stands for it.
func (s *stack) hidden() []string {
	pairs := make([]string, 0, 2*len(s.secretValues))
	for _, secret := range s.secretValues {
		pairs = append(pairs, secret.value, plan.HiddenSecret)
	}
	return pairs
}

// immutableConfig wants no ConfigMap to change under the pods that hold it: one that starts again in an update that
// fails would mix its old template with the new files.
func immutableConfig(s *stack, report report) {
	for _, configMap := range s.configMaps {
		if !is(configMap.typed.Immutable, true) {
			report(configMap.object, field.Invalid(field.NewPath("immutable"), configMap.typed.Immutable,
				"must be true: a changed file belongs in a new ConfigMap, with the hash of its content in the name"))
		}
	}
}

// forEachText visits every string of a value, keys included, and says where it is.
func forEachText(path *field.Path, value any, visit func(*field.Path, string)) {
	switch value := value.(type) {
	case string:
		visit(path, value)
	case []any:
		for i, element := range value {
			forEachText(path.Index(i), element, visit)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			visit(member(path, key), key)
			forEachText(member(path, key), value[key], visit)
		}
	}
}

// member is the path of a key, which may itself hold dots and slashes.
func member(path *field.Path, key string) *field.Path {
	switch {
	case path == nil:
		return field.NewPath(key)
	case strings.ContainsAny(key, "./"):
		return path.Key(key)
	}
	return path.Child(key)
}
