package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"wordpress-on-kubernetes/tests/stack"
)

// Names of the objects, as docs/architecture.md lists them for other programs.
const (
	deploymentName  = "wordpress"
	autoscalerName  = "wordpress"
	statefulSetName = "wordpress-mysql"

	frontendSelector = "app.kubernetes.io/component=frontend"
	databaseSelector = "app.kubernetes.io/component=database"
)

// patience bounds every wait for a condition; it is never waited out.
const patience = 5 * time.Minute

// cluster is what the tests ask the API server.
type cluster struct {
	kubernetes.Interface
	namespace string
}

func connect(kubeconfig, namespace string) (*cluster, error) {
	settings, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	settings.QPS = -1 // no limit: it would hold up what measures time, and take the place of the reason for which a wait fails
	client, err := kubernetes.NewForConfig(settings)
	if err != nil {
		return nil, err
	}
	return &cluster{Interface: client, namespace: namespace}, nil
}

// await returns once the condition holds, and fails the test with the last reason if it never does.
func await(t *testing.T, what string, condition func(context.Context) error) {
	t.Helper()
	awaitWithin(t, patience, what, condition)
}

func awaitWithin(t *testing.T, limit time.Duration, what string, condition func(context.Context) error) {
	t.Helper()
	if err := eventually(t.Context(), limit, what, condition); err != nil {
		t.Fatal(err)
	}
}

// eventually returns once the condition holds, or with the last reason why it does not.
func eventually(ctx context.Context, limit time.Duration, what string, condition func(context.Context) error) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, time.Second, limit, true,
		func(ctx context.Context) (bool, error) {
			problem := condition(ctx)
			if ctx.Err() == nil {
				last = problem // and not that the question itself was cut short
			}
			return problem == nil, nil
		})
	if err != nil {
		return fmt.Errorf("%s: %w", what, errors.Join(err, last))
	}
	return nil
}

// readyPods are the pods that serve: ready and not about to go.
func (c *cluster) readyPods(ctx context.Context, selector string) ([]corev1.Pod, error) {
	list, err := c.CoreV1().Pods(c.namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, err
	}
	var ready []corev1.Pod
	for _, pod := range list.Items {
		if pod.DeletionTimestamp == nil && isReady(pod) {
			ready = append(ready, pod)
		}
	}
	return ready, nil
}

func isReady(pod corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

func (c *cluster) deployment(ctx context.Context) (*appsv1.Deployment, error) {
	return c.AppsV1().Deployments(c.namespace).Get(ctx, deploymentName, metav1.GetOptions{})
}

func (c *cluster) scaler(ctx context.Context) (*autoscalingv2.HorizontalPodAutoscaler, error) {
	return c.AutoscalingV2().HorizontalPodAutoscalers(c.namespace).Get(ctx, autoscalerName, metav1.GetOptions{})
}

// removeNamespace returns when the namespace and all in it are gone. Nobody visits any more, so the pods do not drain.
func (c *cluster) removeNamespace(ctx context.Context) error {
	pods := c.CoreV1().Pods(c.namespace)
	return wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, patience, true,
		func(ctx context.Context) (bool, error) {
			err := c.CoreV1().Namespaces().Delete(ctx, c.namespace, metav1.DeleteOptions{})
			if apierrors.IsNotFound(err) {
				return true, nil
			}
			if err != nil && !apierrors.IsConflict(err) {
				return false, err
			}
			return false, pods.DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: new(int64(1))}, metav1.ListOptions{})
		})
}

// removeRetained removes the volumes that have outlived the namespace's claims.
func (c *cluster) removeRetained(ctx context.Context) error {
	volumes, err := c.CoreV1().PersistentVolumes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, volume := range volumes.Items {
		if claim := volume.Spec.ClaimRef; claim != nil && claim.Namespace == c.namespace {
			// The provisioner deletes those that are not retained, and may have been faster.
			if gone := c.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, metav1.DeleteOptions{}); !apierrors.IsNotFound(gone) {
				err = errors.Join(err, gone)
			}
		}
	}
	return err
}

// kubectl runs a command against the local cluster and returns what it printed.
func kubectl(t *testing.T, project *stack.Project, input string, args ...string) string {
	t.Helper()
	output, err := tryKubectl(t.Context(), project, input, args...)
	if err != nil {
		t.Fatal(err)
	}
	return output
}

func tryKubectl(ctx context.Context, project *stack.Project, input string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, filepath.Join(project.Local(), "bin", "kubectl"), args...)
	command.Env = append(os.Environ(), "KUBECONFIG="+project.Kubeconfig())
	command.Stdin = strings.NewReader(input)
	var output, problems bytes.Buffer
	command.Stdout, command.Stderr = &output, &problems
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, problems.String())
	}
	return output.String(), nil
}

// awaitRollout returns when every frontend pod is of the newest revision. Provider 4.25.0 mostly waits for that itself,
// but when it first sees the Deployment as it was before the update, it takes the earlier rollout for this one.
func (c *cluster) awaitRollout(t *testing.T) {
	t.Helper()
	await(t, "the rollout is complete", func(ctx context.Context) error {
		now, err := c.deployment(ctx)
		if err != nil {
			return err
		}
		return rolledOut(now)
	})
}

// rolledOut applies the conditions of `kubectl rollout status`.
func rolledOut(deployment *appsv1.Deployment) error {
	status, want := deployment.Status, *deployment.Spec.Replicas
	if status.ObservedGeneration < deployment.Generation {
		return errors.New("the controller has not seen the update")
	}
	if status.UpdatedReplicas < want || status.Replicas > status.UpdatedReplicas || status.AvailableReplicas < want {
		return fmt.Errorf("of %d pods, %d exist, %d are new and %d available",
			want, status.Replicas, status.UpdatedReplicas, status.AvailableReplicas)
	}
	return nil
}

// deletePods deletes all pods of a tier and waits until a new one is ready.
func (c *cluster) deletePods(t *testing.T, selector string) {
	t.Helper()
	// Ready or not: a server that was killed a moment ago need not be.
	before, err := c.CoreV1().Pods(c.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: selector})
	if err != nil || len(before.Items) == 0 {
		t.Fatalf("no pod %s: %v", selector, err)
	}
	old := map[string]bool{}
	for _, pod := range before.Items {
		old[string(pod.UID)] = true
	}
	err = c.CoreV1().Pods(c.namespace).DeleteCollection(t.Context(),
		metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		t.Fatal(err)
	}
	await(t, "new pods "+selector, func(ctx context.Context) error {
		pods, err := c.readyPods(ctx, selector)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(pods, func(pod corev1.Pod) bool { return !old[string(pod.UID)] }) {
			return errors.New("none is ready")
		}
		return nil
	})
}
