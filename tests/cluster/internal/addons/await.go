package addons

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"wordpress-on-kubernetes/tests/cluster/internal/process"
)

// Deployment is an addon's workload.
type Deployment struct{ Namespace, Name string }

// Deployments are the addons that run as pods.
var Deployments = []Deployment{
	{"kube-system", "coredns"},
	{"kube-system", "metrics-server"},
	{"traefik", "traefik"},
}

var apiServices = schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"}

// metricsAPI is served by metrics-server; an API that is registered but does not answer makes every discovery fail.
const metricsAPI = "v1beta1.metrics.k8s.io"

// Await returns when every addon serves, telling of each as it does.
func Await(ctx context.Context, client kubernetes.Interface, untyped dynamic.Interface, tell func(string)) error {
	for _, d := range Deployments {
		err := process.Await(ctx, fmt.Sprintf("Deployment %s/%s", d.Namespace, d.Name), func(ctx context.Context) error {
			return Available(ctx, client, d)
		})
		if err != nil {
			return err
		}
		tell(d.Name + " is available")
	}
	return process.Await(ctx, "APIService "+metricsAPI, func(ctx context.Context) error { return metricsServed(ctx, untyped) })
}

// Available says why an addon does not serve, if it does not.
func Available(ctx context.Context, client kubernetes.Interface, d Deployment) error {
	deployment, err := client.AppsV1().Deployments(d.Namespace).Get(ctx, d.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	for _, condition := range deployment.Status.Conditions {
		if condition.Type != appsv1.DeploymentAvailable {
			continue
		}
		if condition.Status == corev1.ConditionTrue {
			return nil
		}
		return errors.New(condition.Message)
	}
	return errors.New("not observed yet")
}

func metricsServed(ctx context.Context, client dynamic.Interface) error {
	service, err := client.Resource(apiServices).Get(ctx, metricsAPI, metav1.GetOptions{})
	if err != nil {
		return err
	}
	conditions, _, err := unstructured.NestedSlice(service.Object, "status", "conditions")
	if err != nil {
		return err
	}
	for _, entry := range conditions {
		condition, ok := entry.(map[string]any)
		if !ok || condition["type"] != "Available" {
			continue
		}
		if condition["status"] == string(metav1.ConditionTrue) {
			return nil
		}
		return fmt.Errorf("%v", condition["message"])
	}
	return errors.New("not observed yet")
}
