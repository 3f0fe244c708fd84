package rules

import (
	"encoding/json"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"

	"wordpress-on-kubernetes/tests/mocks"
)

// plan is the objects of a stack, decoded.
type plan struct {
	objects []mocks.Object
	// existing are the names of Secrets that are not the stack's own.
	existing []string
	// malformed are the objects that do not decode, with the reason.
	malformed []malformed

	workloads   []workload
	services    []decoded[corev1.Service]
	secrets     []decoded[corev1.Secret]
	configMaps  []decoded[corev1.ConfigMap]
	claims      []decoded[corev1.PersistentVolumeClaim]
	budgets     []decoded[policyv1.PodDisruptionBudget]
	autoscalers []decoded[autoscalingv2.HorizontalPodAutoscaler]
	ingresses   []decoded[networkingv1.Ingress]
	policies    []decoded[networkingv1.NetworkPolicy]
	// Custom resources have no types of their own here beyond what the rules read.
	routes       []decoded[ingressRoute]
	middlewares  []decoded[metav1.PartialObjectMetadata]
	transports   []decoded[metav1.PartialObjectMetadata]
	tlsOptions   []decoded[metav1.PartialObjectMetadata]
	certificates []decoded[certificate]
}

// decoded is an object beside its typed form.
type decoded[T any] struct {
	object mocks.Object
	typed  T
}

type malformed struct {
	object mocks.Object
	err    error
}

// workload is what Deployments and StatefulSets have in common.
type workload struct {
	object   mocks.Object
	selector labels.Selector
	replicas *int32
	template corev1.PodTemplateSpec
	// service governs a StatefulSet.
	service string
}

// ingressRoute is what the rules read of Traefik's IngressRoute.
type ingressRoute struct {
	Spec struct {
		Routes []struct {
			Services []struct {
				Name             string `json:"name"`
				Port             any    `json:"port"`
				ServersTransport string `json:"serversTransport"`
			} `json:"services"`
			Middlewares []struct {
				Name string `json:"name"`
			} `json:"middlewares"`
		} `json:"routes"`
		TLS struct {
			SecretName string `json:"secretName"`
			Options    struct {
				Name string `json:"name"`
			} `json:"options"`
		} `json:"tls"`
	} `json:"spec"`
}

// certificate is what the rules read of cert-manager's Certificate.
type certificate struct {
	Spec struct {
		SecretName string `json:"secretName"`
	} `json:"spec"`
}

func newPlan(objects []mocks.Object, existing []string) *plan {
	p := &plan{
		objects:      objects,
		existing:     existing,
		routes:       lenient[ingressRoute](objects, "IngressRoute"),
		middlewares:  lenient[metav1.PartialObjectMetadata](objects, "Middleware"),
		transports:   lenient[metav1.PartialObjectMetadata](objects, "ServersTransport"),
		tlsOptions:   lenient[metav1.PartialObjectMetadata](objects, "TLSOption"),
		certificates: lenient[certificate](objects, "Certificate"),
	}
	p.services = strict[corev1.Service](p, "Service")
	p.secrets = strict[corev1.Secret](p, "Secret")
	p.configMaps = strict[corev1.ConfigMap](p, "ConfigMap")
	p.claims = strict[corev1.PersistentVolumeClaim](p, "PersistentVolumeClaim")
	p.budgets = strict[policyv1.PodDisruptionBudget](p, "PodDisruptionBudget")
	p.autoscalers = strict[autoscalingv2.HorizontalPodAutoscaler](p, "HorizontalPodAutoscaler")
	p.ingresses = strict[networkingv1.Ingress](p, "Ingress")
	p.policies = strict[networkingv1.NetworkPolicy](p, "NetworkPolicy")
	strict[corev1.Namespace](p, "Namespace")
	strict[storagev1.StorageClass](p, "StorageClass")
	for _, d := range strict[appsv1.Deployment](p, "Deployment") {
		spec := d.typed.Spec
		p.workloads = append(p.workloads, workload{d.object, selector(spec.Selector), spec.Replicas, spec.Template, ""})
	}
	for _, d := range strict[appsv1.StatefulSet](p, "StatefulSet") {
		spec := d.typed.Spec
		p.workloads = append(p.workloads,
			workload{d.object, selector(spec.Selector), spec.Replicas, spec.Template, spec.ServiceName})
	}
	return p
}

// strict decodes the objects of a kind and notes those that have fields which their type does not know.
func strict[T any](p *plan, kind string) []decoded[T] {
	var list []decoded[T]
	for _, object := range p.objects {
		if object.Kind() != kind {
			continue
		}
		typed, err := decode[T](object, yaml.DisallowUnknownFields)
		if err != nil {
			p.malformed = append(p.malformed, malformed{object, err})
		}
		list = append(list, decoded[T]{object, typed})
	}
	return list
}

// lenient decodes the objects of a kind as far as the type goes.
func lenient[T any](objects []mocks.Object, kind string) []decoded[T] {
	var list []decoded[T]
	for _, object := range objects {
		if object.Kind() == kind {
			// What does not decode stays empty and refers to nothing, which the rules then report.
			typed, _ := decode[T](object)
			list = append(list, decoded[T]{object, typed})
		}
	}
	return list
}

func decode[T any](object mocks.Object, options ...yaml.JSONOpt) (T, error) {
	var typed T
	text, err := json.Marshal(object)
	if err != nil {
		return typed, fmt.Errorf("encode: %w", err)
	}
	err = yaml.Unmarshal(text, &typed, options...)
	return typed, err
}

// selector selects nothing where there is none or it is malformed.
func selector(s *metav1.LabelSelector) labels.Selector {
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		return labels.Nothing()
	}
	return selector
}

// selected are the workloads whose pods a selector matches, in one namespace.
func (p *plan) selected(namespace string, selector labels.Selector) []workload {
	var matching []workload
	for _, w := range p.workloads {
		if w.object.Namespace() == namespace && selector.Matches(labels.Set(w.template.Labels)) {
			matching = append(matching, w)
		}
	}
	return matching
}

// containers are all of a pod's, those that run at its start included.
func (w workload) containers() []corev1.Container {
	return slices.Concat(w.template.Spec.InitContainers, w.template.Spec.Containers)
}

// find is the object of a name in a namespace.
func find[T any](list []decoded[T], namespace, name string) (T, bool) {
	for _, d := range list {
		if d.object.Namespace() == namespace && d.object.Name() == name {
			return d.typed, true
		}
	}
	var none T
	return none, false
}
