// Package jobs makes a Job from a CronJob, as `kubectl create job --from` does, and shows what its containers print until it ends.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

// look is how often the cluster is asked.
const look = time.Second

// ErrFailed is that the Job ended without success. What its containers printed says why.
var ErrFailed = errors.New("it failed")

// Run makes the Job with other values of environment variables that its containers have, and waits for its end.
func Run(ctx context.Context, client kubernetes.Interface, namespace, cronJob string, values map[string]string, out io.Writer) error {
	from, err := client.BatchV1().CronJobs(namespace).Get(ctx, cronJob, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("there is no CronJob %s in namespace %s: turn on wordpress:backup.enabled, and deploy that", cronJob, namespace)
	}
	if err != nil {
		return fmt.Errorf("CronJob %s: %w", cronJob, err)
	}
	job, err := jobOf(from, values)
	if err != nil {
		return err
	}
	job, err = client.BatchV1().Jobs(namespace).Create(ctx, job, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("job of CronJob %s: %w", cronJob, err)
	}
	if err := follow(ctx, client, job, out); err != nil {
		return fmt.Errorf("job %s in namespace %s: %w", job.Name, namespace, err)
	}
	return nil
}

// jobOf is what the CronJob would make, with other values.
func jobOf(from *batchv1.CronJob, values map[string]string) (*batchv1.Job, error) {
	template := from.Spec.JobTemplate.DeepCopy()
	unset := maps.Clone(values)
	pod := &template.Spec.Template.Spec
	for _, containers := range [][]corev1.Container{pod.InitContainers, pod.Containers} {
		for i := range containers {
			for j, variable := range containers[i].Env {
				if value, given := values[variable.Name]; given {
					containers[i].Env[j].Value = value
					delete(unset, variable.Name)
				}
			}
		}
	}
	if len(unset) > 0 {
		return nil, fmt.Errorf("CronJob %s has no container with the variables %q", from.Name, slices.Sorted(maps.Keys(unset)))
	}
	annotations := maps.Clone(template.Annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations["cronjob.kubernetes.io/instantiate"] = "manual"
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			GenerateName: from.Name + "-", Namespace: from.Namespace, Labels: template.Labels, Annotations: annotations,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(from, batchv1.SchemeGroupVersion.WithKind("CronJob"))},
		},
		Spec: template.Spec,
	}, nil
}

// follow copies what each container prints, in their order, and returns when the Job has ended.
func follow(ctx context.Context, client kubernetes.Interface, job *batchv1.Job, out io.Writer) error {
	shown := map[string]*progress{}
	var last error
	err := wait.PollUntilContextCancel(ctx, look, true, func(ctx context.Context) (bool, error) {
		last = nil
		pods, err := client.CoreV1().Pods(job.Namespace).List(ctx, metav1.ListOptions{LabelSelector: batchv1.JobNameLabel + "=" + job.Name})
		if err != nil {
			last = err
			return false, nil //nolint:nilerr // An API server that is away for a moment answers the next question.
		}
		for _, pod := range pods.Items {
			last = errors.Join(last, show(ctx, client, &pod, shown, out))
		}
		now, err := client.BatchV1().Jobs(job.Namespace).Get(ctx, job.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return false, fmt.Errorf("%w: somebody has deleted it", ErrFailed)
		}
		if err != nil {
			last = err
			return false, nil //nolint:nilerr // As above.
		}
		return ended(now)
	})
	if err != nil && ctx.Err() != nil && last != nil {
		return errors.Join(err, last)
	}
	return err
}

func ended(job *batchv1.Job) (bool, error) {
	for _, condition := range job.Status.Conditions {
		switch {
		case condition.Status != corev1.ConditionTrue:
		case condition.Type == batchv1.JobComplete:
			return true, nil
		case condition.Type == batchv1.JobFailed:
			return true, fmt.Errorf("%w: %s", ErrFailed, condition.Message)
		}
	}
	return false, nil
}

// show copies what the containers of a pod have printed since they were looked at last, each until it ends.
func show(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod, shown map[string]*progress, out io.Writer) error {
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		key := pod.Name + "/" + status.Name
		if shown[key] == nil {
			shown[key] = &progress{}
		}
		if shown[key].ended || status.State.Waiting != nil {
			continue
		}
		if err := shown[key].copy(ctx, client, pod, status, out); err != nil {
			return fmt.Errorf("what %s prints: %w", key, err)
		}
	}
	return nil
}

// progress of a container's log.
type progress struct {
	bytes int64
	ended bool
}

// copy goes on where it ended: a connection that ends says nothing of the container.
func (p *progress) copy(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod, status corev1.ContainerStatus, out io.Writer) error {
	stream, err := client.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{Container: status.Name, Follow: true}).Stream(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }()
	if _, err := io.CopyN(io.Discard, stream, p.bytes); err != nil {
		return err
	}
	copied, err := io.Copy(out, stream)
	p.bytes += copied
	p.ended = err == nil && status.State.Terminated != nil
	return err
}
