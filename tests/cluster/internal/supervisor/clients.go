package supervisor

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"wordpress-on-kubernetes/tests/cluster/internal/layout"
)

// clients speak to the API server as the administrator.
type clients struct {
	config  *rest.Config
	typed   kubernetes.Interface
	dynamic dynamic.Interface
}

func newClients() (*clients, error) {
	config, err := clientcmd.BuildConfigFromFlags("", layout.InsideState.ComponentKubeconfig("admin"))
	if err != nil {
		return nil, fmt.Errorf("administrator's kubeconfig: %w", err)
	}
	// The start creates some forty objects at once; the client's own default would spread them over several seconds.
	config.QPS, config.Burst = 100, 200
	typed, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	untyped, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &clients{config: config, typed: typed, dynamic: untyped}, nil
}

func (c *clients) nodeReady(name string) func(context.Context) error {
	return func(ctx context.Context) error {
		node, err := c.typed.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, condition := range node.Status.Conditions {
			if condition.Type != corev1.NodeReady {
				continue
			}
			if condition.Status == corev1.ConditionTrue {
				return nil
			}
			return errors.New(condition.Message)
		}
		return errors.New("the kubelet has not reported yet")
	}
}
