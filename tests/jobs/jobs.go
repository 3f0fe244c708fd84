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

// ErrNoVariable is that the CronJob has no container with a variable that is to have another value.
var ErrNoVariable = errors.New("no container has such a variable")

// Run makes the Job with other values of environment variables that its containers have, and waits for its end.
func Run(ctx context.Context, client kubernetes.Interface, namespace, cronJob string, values map[string]string, out io.Writer) error {
	job, err := begin(ctx, client, namespace, cronJob, values)
	if err != nil {
		return err
	}
	return named(job, follow(ctx, client, job, out))
}

// Attendant does something with a container of a Job's pod while it runs.
type Attendant struct {
	// Container that it waits for.
	Container string
	// Do is called once, when the container runs.
	Do func(ctx context.Context, pod string) error
}

// RunAttended is Run with somebody who attends to a container. A Job whose attendant failed, or that was cut off, is deleted: it would wait for nobody.
func RunAttended(ctx context.Context, client kubernetes.Interface, namespace, cronJob string, attendant Attendant, out io.Writer) error {
	job, err := begin(ctx, client, namespace, cronJob, nil)
	if err != nil {
		return err
	}
	attended := make(chan error, 1)
	following, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		err := attendant.attend(following, client, job)
		if err != nil {
			// Where the Job has failed, it tells why.
			time.AfterFunc(lastWords, stop)
		}
		attended <- err
	}()
	err = follow(following, client, job, out)
	stop()
	problem := <-attended
	if err == nil || errors.Is(err, ErrFailed) { // the Job has ended, whatever became of who attended to it
		return named(job, err)
	}
	return named(job, errors.Join(orElse(problem, err), remove(client, job)))
}

// attend waits for the container. A Job that ends without it ends the waiting.
func (a Attendant) attend(ctx context.Context, client kubernetes.Interface, job *batchv1.Job) error {
	var pod string
	err := wait.PollUntilContextCancel(ctx, look, true, func(ctx context.Context) (bool, error) {
		pods, err := client.CoreV1().Pods(job.Namespace).List(ctx, metav1.ListOptions{LabelSelector: batchv1.JobNameLabel + "=" + job.Name})
		if err != nil {
			return false, nil //nolint:nilerr // An API server that is away for a moment answers the next question.
		}
		for _, found := range pods.Items {
			for _, status := range slices.Concat(found.Status.InitContainerStatuses, found.Status.ContainerStatuses) {
				if status.Name == a.Container && status.State.Running != nil {
					pod = found.Name
				}
			}
		}
		return pod != "", nil
	})
	if err != nil {
		return err
	}
	return a.Do(ctx, pod)
}

// lastWords is how long a Job whose attendant failed has to end by itself.
const lastWords = 3 * time.Second

// removePatience is how long it may take to delete a Job, also where the one who ran it was cut off.
const removePatience = 30 * time.Second

func remove(client kubernetes.Interface, job *batchv1.Job) error {
	ctx, stop := context.WithTimeout(context.Background(), removePatience)
	defer stop()
	propagation := metav1.DeletePropagationBackground
	return client.BatchV1().Jobs(job.Namespace).Delete(ctx, job.Name, metav1.DeleteOptions{PropagationPolicy: &propagation})
}

func orElse(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

func named(job *batchv1.Job, err error) error {
	if err != nil {
		return fmt.Errorf("job %s in namespace %s: %w", job.Name, job.Namespace, err)
	}
	return nil
}

// begin makes the Job.
func begin(ctx context.Context, client kubernetes.Interface, namespace, cronJob string, values map[string]string) (*batchv1.Job, error) {
	from, err := client.BatchV1().CronJobs(namespace).Get(ctx, cronJob, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("there is no CronJob %s in namespace %s: turn on wordpress:backup.enabled, and deploy that", cronJob, namespace)
	}
	if err != nil {
		return nil, fmt.Errorf("CronJob %s: %w", cronJob, err)
	}
	job, err := jobOf(from, values)
	if err != nil {
		return nil, err
	}
	job, err = client.BatchV1().Jobs(namespace).Create(ctx, job, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("job of CronJob %s: %w", cronJob, err)
	}
	return job, nil
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
		return nil, fmt.Errorf("CronJob %s, variables %q: %w", from.Name, slices.Sorted(maps.Keys(unset)), ErrNoVariable)
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
