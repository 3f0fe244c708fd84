package rules

import (
	"strings"

	"wordpress-on-kubernetes/tests/mocks"
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
	"PodDisruptionBudget":     "policy/v1",
	"HorizontalPodAutoscaler": "autoscaling/v2",
	"StorageClass":            "storage.k8s.io/v1",
	"NetworkPolicy":           "networking.k8s.io/v1",
	"Ingress":                 "networking.k8s.io/v1",
	"IngressRoute":            "traefik.io/v1alpha1",
	"Middleware":              "traefik.io/v1alpha1",
	"ServersTransport":        "traefik.io/v1alpha1",
	"TLSOption":               "traefik.io/v1alpha1",
	"Certificate":             "cert-manager.io/v1",
	"CephFilesystem":          "ceph.rook.io/v1",
}

func apiVersion(p *plan, report report) {
	for _, object := range p.objects {
		if want, known := apiVersions[object.Kind()]; !known || object["apiVersion"] != want {
			report(object, "apiVersion %v: want %q; add a new kind to the rules", object["apiVersion"], want)
		}
	}
}

// schema reports fields that the API server does not know, which it would drop or refuse.
func schema(p *plan, report report) {
	for _, m := range p.malformed {
		report(m.object, "%v", m.err)
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

func labelled(p *plan, report report) {
	for _, object := range p.objects {
		metadata, _ := object["metadata"].(map[string]any)
		set, _ := metadata["labels"].(map[string]any)
		reportLabels(report, object, "metadata.labels", set)
	}
	for _, w := range p.workloads {
		set := make(map[string]any, len(w.template.Labels))
		for key, value := range w.template.Labels {
			set[key] = value
		}
		reportLabels(report, w.object, "spec.template.metadata.labels", set)
	}
}

func reportLabels(report report, object mocks.Object, path string, set map[string]any) {
	for key, want := range labelValues {
		got, _ := set[key].(string)
		if got == "" || (want != "" && got != want) {
			report(object, "%s: %s is %q, want %q", path, key, got, want)
		}
	}
}

// clusterWide kinds have no namespace.
var clusterWide = map[string]bool{"Namespace": true, "StorageClass": true}

// namespaced objects say where they go: otherwise the context of whoever deploys decides.
func namespaced(p *plan, report report) {
	for _, object := range p.objects {
		_, known := apiVersions[object.Kind()]
		if known && clusterWide[object.Kind()] != (object.Namespace() == "") {
			report(object, "metadata.namespace is %q", object.Namespace())
		}
	}
}

func secretValue(p *plan, report report) {
	values := map[string]string{}
	for _, secret := range p.secrets {
		for key, value := range secret.typed.StringData {
			values[value] = secret.object.Name() + "." + key
		}
		for key, value := range secret.typed.Data {
			values[string(value)] = secret.object.Name() + "." + key
		}
	}
	for _, object := range p.objects {
		if object.Kind() == "Secret" {
			continue
		}
		forEachText(map[string]any(object), func(text string) {
			for value, where := range values {
				if value != "" && strings.Contains(text, value) {
					report(object, "holds the value of %s", where)
				}
			}
		})
	}
}

// immutableConfig wants no ConfigMap to change under the pods that hold it: one that starts again in an update that
// fails would mix its old template with the new files.
func immutableConfig(p *plan, report report) {
	for _, configMap := range p.configMaps {
		if immutable := configMap.typed.Immutable; immutable == nil || !*immutable {
			report(configMap.object, "immutable is not true")
		}
	}
}

// forEachText visits every string of a value, keys included.
func forEachText(value any, visit func(string)) {
	switch value := value.(type) {
	case string:
		visit(value)
	case []any:
		for _, element := range value {
			forEachText(element, visit)
		}
	case map[string]any:
		for key, element := range value {
			visit(key)
			forEachText(element, visit)
		}
	}
}
