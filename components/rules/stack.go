package rules

import (
	"encoding/json"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"
	strictjson "sigs.k8s.io/json"

	"wordpress-on-kubernetes/components/plan"
)

// stack is the objects of a stack, decoded.
type stack struct {
	terms   Terms
	objects []plan.Object
	// malformed are what the objects hold that their types do not know or cannot hold.
	malformed []malformed
	// secretValues must be nowhere but in Secrets.
	secretValues []namedSecret

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
	object plan.Object
	typed  T
}

type malformed struct {
	object plan.Object
	err    error
	// isFatal is where decoding ended before the object did.
	isFatal bool
}

// workload is what Deployments, StatefulSets, CronJobs and Jobs have in common.
type workload struct {
	object   plan.Object
	selector labels.Selector
	replicas *int32
	template corev1.PodTemplateSpec
	// service governs a StatefulSet.
	service string
	// ends tells of a CronJob or a Job, whose pods end by themselves: nobody counts, replaces or visits them.
	ends bool
}

// container is a container of a pod and its place in the workload.
type container struct {
	corev1.Container
	path *field.Path
}

// Places that many rules speak of.
var (
	selectorPath = field.NewPath("spec", "selector")
	podLabels    = field.NewPath("spec", "template", "metadata", "labels")
	podPath      = field.NewPath("spec", "template", "spec")
	volumesPath  = podPath.Child("volumes")
)

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

func newStack(objects []plan.Object, terms Terms) *stack {
	s := &stack{
		terms:        terms,
		objects:      objects,
		routes:       lenient[ingressRoute](objects, "IngressRoute"),
		middlewares:  lenient[metav1.PartialObjectMetadata](objects, "Middleware"),
		transports:   lenient[metav1.PartialObjectMetadata](objects, "ServersTransport"),
		tlsOptions:   lenient[metav1.PartialObjectMetadata](objects, "TLSOption"),
		certificates: lenient[certificate](objects, "Certificate"),
	}
	s.services = strict[corev1.Service](s, "Service")
	s.secrets = strict[corev1.Secret](s, "Secret")
	s.configMaps = strict[corev1.ConfigMap](s, "ConfigMap")
	s.claims = strict[corev1.PersistentVolumeClaim](s, "PersistentVolumeClaim")
	s.budgets = strict[policyv1.PodDisruptionBudget](s, "PodDisruptionBudget")
	s.autoscalers = strict[autoscalingv2.HorizontalPodAutoscaler](s, "HorizontalPodAutoscaler")
	s.ingresses = strict[networkingv1.Ingress](s, "Ingress")
	s.policies = strict[networkingv1.NetworkPolicy](s, "NetworkPolicy")
	strict[corev1.Namespace](s, "Namespace")
	strict[storagev1.StorageClass](s, "StorageClass")
	for _, d := range strict[appsv1.Deployment](s, "Deployment") {
		spec := d.typed.Spec
		s.workloads = append(s.workloads, workload{d.object, selector(spec.Selector), spec.Replicas, spec.Template, "", false})
	}
	for _, d := range strict[appsv1.StatefulSet](s, "StatefulSet") {
		spec := d.typed.Spec
		s.workloads = append(s.workloads,
			workload{d.object, selector(spec.Selector), spec.Replicas, spec.Template, spec.ServiceName, false})
	}
	for _, d := range strict[batchv1.CronJob](s, "CronJob") {
		s.workloads = append(s.workloads, workload{d.object, labels.Nothing(), nil, d.typed.Spec.JobTemplate.Spec.Template, "", true})
	}
	for _, d := range strict[batchv1.Job](s, "Job") {
		s.workloads = append(s.workloads, workload{d.object, labels.Nothing(), nil, d.typed.Spec.Template, "", true})
	}
	s.secretValues = s.secretTexts()
	return s
}

// strict decodes the objects of a kind and notes those that have fields which their type does not know.
func strict[T any](s *stack, kind string) []decoded[T] {
	var list []decoded[T]
	for _, object := range s.objects {
		if object.Kind() != kind {
			continue
		}
		typed, unknown, err := decode[T](object)
		for _, err := range unknown {
			s.malformed = append(s.malformed, malformed{object: object, err: err})
		}
		if err != nil {
			s.malformed = append(s.malformed, malformed{object: object, err: err, isFatal: true})
		}
		list = append(list, decoded[T]{object, typed})
	}
	return list
}

// lenient decodes the objects of a kind as far as the type goes.
func lenient[T any](objects []plan.Object, kind string) []decoded[T] {
	var list []decoded[T]
	for _, object := range objects {
		if object.Kind() == kind {
			// What does not decode stays empty and refers to nothing, which the rules then report.
			typed, _, _ := decode[T](object)
			list = append(list, decoded[T]{object, typed})
		}
	}
	return list
}

// decode also returns an error for each field that the type does not know, and one for what it cannot hold.
func decode[T any](object plan.Object) (typed T, unknown []error, err error) {
	text, err := json.Marshal(object)
	if err != nil {
		return typed, nil, fmt.Errorf("encode: %w", err)
	}
	unknown, err = strictjson.UnmarshalStrict(text, &typed)
	return typed, unknown, err
}

// isUndecoded reports whether the end of an object was never seen.
func (s *stack) isUndecoded(object plan.Object) bool {
	return slices.ContainsFunc(s.malformed, func(m malformed) bool { return m.isFatal && identity(m.object) == identity(object) })
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
func (s *stack) selected(namespace string, selector labels.Selector) []workload {
	var matching []workload
	for _, w := range s.workloads {
		if w.object.Namespace() == namespace && selector.Matches(labels.Set(w.template.Labels)) {
			matching = append(matching, w)
		}
	}
	return matching
}

// served are the workloads whose pods run until somebody ends them.
func (s *stack) served() []workload {
	return slices.DeleteFunc(slices.Clone(s.workloads), func(w workload) bool { return w.ends })
}

// mains are the containers that run for as long as the pod does.
func (w workload) mains() []container {
	return placed(podPath.Child("containers"), w.template.Spec.Containers)
}

// containers are all of a pod's, those that run at its start included.
func (w workload) containers() []container {
	return slices.Concat(placed(podPath.Child("initContainers"), w.template.Spec.InitContainers), w.mains())
}

func placed(path *field.Path, containers []corev1.Container) []container {
	list := make([]container, 0, len(containers))
	for _, c := range containers {
		list = append(list, container{c, path.Key(c.Name)})
	}
	return list
}

// forEachContainer visits every container of every workload, those that run at a pod's start included.
func (s *stack) forEachContainer(visit func(workload, container)) {
	for _, w := range s.workloads {
		for _, c := range w.containers() {
			visit(w, c)
		}
	}
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
