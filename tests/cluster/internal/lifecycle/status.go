package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"wordpress-on-kubernetes/tests/cluster/internal/addons"
	"wordpress-on-kubernetes/tests/cluster/internal/spec"
)

// ErrNotRunning is returned where a running cluster is needed.
var ErrNotRunning = errors.New("no cluster runs; up starts one")

// statusTimeout bounds the questions to the API server.
const statusTimeout = 10 * time.Second

// Status prints the cluster's nodes, addons and addresses. It is an error when the cluster does not run or is not
// ready.
func (h *Host) Status(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	running, err := h.alive()
	if err != nil {
		return err
	}
	if !running {
		return ErrNotRunning
	}
	status, err := h.client().Status(ctx)
	if err != nil {
		return err
	}
	cluster, err := spec.Load(h.Local.State().Spec())
	if err != nil {
		return err
	}
	if !status.Ready {
		return fmt.Errorf("the cluster is not ready after %s: %s", time.Since(status.Started).Round(time.Second), orStarting(status.Error))
	}
	config, err := clientcmd.BuildConfigFromFlags("", h.Local.Kubeconfig())
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	var lines []string
	for _, node := range status.Nodes {
		lines = append(lines, fmt.Sprintf("%-16s %-12s %s", node.Name, node.IP, nodeState(ctx, client, node.Name, node.Running)))
	}
	for _, d := range addons.Deployments {
		lines = append(lines, fmt.Sprintf("%-16s %-12s %s", d.Name, d.Namespace, addonState(ctx, client, d)))
	}
	lines = append(lines,
		fmt.Sprintf("%-16s https://%s:%d and http://%[2]s:%[4]d (certificate authority: %[5]s)",
			"edge", spec.EdgeHost, cluster.Ports.HTTPS, cluster.Ports.HTTP, h.Local.EdgeCA()),
		fmt.Sprintf("%-16s kubectl --kubeconfig %s", "access", h.Local.Kubeconfig()),
		fmt.Sprintf("%-16s up for %s", "cluster", time.Since(status.Started).Round(time.Second)))
	h.Progress(strings.Join(lines, "\n"))
	return nil
}

func orStarting(failure string) string {
	if failure == "" {
		return "it is still starting"
	}
	return failure
}

func nodeState(ctx context.Context, client kubernetes.Interface, name string, running bool) string {
	if !running {
		return "killed; `node start` starts it again"
	}
	node, err := client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err.Error()
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
			return "Ready"
		}
	}
	return "not Ready"
}

func addonState(ctx context.Context, client kubernetes.Interface, d addons.Deployment) string {
	if err := addons.Available(ctx, client, d); err != nil {
		return "not available: " + err.Error()
	}
	return "available"
}

// KillNode ends all processes of node n at once, as a power failure would.
func (h *Host) KillNode(ctx context.Context, n int) error {
	if err := h.mustRun(); err != nil {
		return err
	}
	return h.client().KillNode(ctx, n)
}

// StartNode starts a killed node again, with the disk that it had.
func (h *Host) StartNode(ctx context.Context, n int) error {
	if err := h.mustRun(); err != nil {
		return err
	}
	return h.client().StartNode(ctx, n)
}

func (h *Host) mustRun() error {
	running, err := h.alive()
	if err == nil && !running {
		return ErrNotRunning
	}
	return err
}
