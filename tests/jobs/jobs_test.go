package jobs

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	k8stesting "k8s.io/client-go/testing"
)

func cronJob() *batchv1.CronJob {
	job := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: "restore", Namespace: "site", UID: "1"}}
	job.Spec.JobTemplate.Labels = map[string]string{"a": "b"}
	job.Spec.JobTemplate.Spec.Template.Spec = corev1.PodSpec{
		InitContainers: []corev1.Container{{Name: "restore", Env: []corev1.EnvVar{{Name: "SNAPSHOT", Value: "latest"}, {Name: "USER", Value: "u"}}}},
		Containers:     []corev1.Container{{Name: "arrive"}},
	}
	return job
}

// cluster has a CronJob, and ends every Job that is made in the given way, with a pod that has printed something.
func cluster(end batchv1.JobConditionType) (*fake.Clientset, *batchv1.Job) {
	made := &batchv1.Job{}
	client := fake.NewSimpleClientset(cronJob())
	client.PrependReactor("create", "jobs", func(action k8stesting.Action) (bool, runtime.Object, error) {
		job := action.(k8stesting.CreateAction).GetObject().(*batchv1.Job)
		job.Name = job.GenerateName + "x"
		*made = *job
		made.Status.Conditions = []batchv1.JobCondition{{Type: end, Status: corev1.ConditionTrue, Message: "as the test wants"}}
		return false, nil, client.Tracker().Add(&corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "site", Labels: map[string]string{batchv1.JobNameLabel: made.Name}},
			Status: corev1.PodStatus{
				InitContainerStatuses: []corev1.ContainerStatus{{Name: "restore", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}}},
				ContainerStatuses:     []corev1.ContainerStatus{{Name: "arrive", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{}}}},
			},
		})
	})
	client.PrependReactor("get", "jobs", func(k8stesting.Action) (bool, runtime.Object, error) { return true, made, nil })
	return client, made
}

func TestJobIsMadeFromTheCronJobAndShown(t *testing.T) {
	client, made := cluster(batchv1.JobComplete)
	var out bytes.Buffer
	if err := Run(t.Context(), client, "site", "restore", map[string]string{"SNAPSHOT": "run-1"}, &out); err != nil {
		t.Fatal(err)
	}
	env := made.Spec.Template.Spec.InitContainers[0].Env
	if env[0].Value != "run-1" || env[1].Value != "u" || made.Labels["a"] != "b" || made.OwnerReferences[0].Name != "restore" ||
		made.Annotations["cronjob.kubernetes.io/instantiate"] != "manual" {
		t.Errorf("made %+v", made)
	}
	if got := out.String(); got != "fake logs" { // once: what waits has printed nothing
		t.Errorf("shown: %q", got)
	}
}

func TestJobThatFailsIsAnError(t *testing.T) {
	client, _ := cluster(batchv1.JobFailed)
	err := Run(t.Context(), client, "site", "restore", nil, &bytes.Buffer{})
	if !errors.Is(err, ErrFailed) || !strings.Contains(err.Error(), "as the test wants") {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNotThereIsSaid(t *testing.T) {
	client, _ := cluster(batchv1.JobComplete)
	for want, run := range map[string]func() error{
		"turn on wordpress:backup.enabled": func() error { return Run(t.Context(), client, "site", "other", nil, &bytes.Buffer{}) },
		`CronJob restore, variables ["AT"]: no container has such a variable`: func() error {
			return Run(t.Context(), client, "site", "restore", map[string]string{"AT": "now"}, &bytes.Buffer{})
		},
	} {
		if err := run(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// running has the pod's container run, and the Job end when it has been attended to.
func running(t *testing.T, end *batchv1.JobConditionType) *fake.Clientset {
	t.Helper()
	client := fake.NewSimpleClientset(cronJob())
	client.PrependReactor("create", "jobs", func(action k8stesting.Action) (bool, runtime.Object, error) {
		job := action.(k8stesting.CreateAction).GetObject().(*batchv1.Job)
		job.Name = job.GenerateName + "x"
		return false, nil, client.Tracker().Add(&corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "site", Labels: map[string]string{batchv1.JobNameLabel: job.Name}},
			Status: corev1.PodStatus{InitContainerStatuses: []corev1.ContainerStatus{
				{Name: "restore", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}},
			}},
		})
	})
	client.PrependReactor("get", "jobs", func(k8stesting.Action) (bool, runtime.Object, error) {
		job := &batchv1.Job{}
		if *end != "" {
			job.Status.Conditions = []batchv1.JobCondition{{Type: *end, Status: corev1.ConditionTrue}}
		}
		return true, job, nil
	})
	return client
}

func TestJobIsAttendedTo(t *testing.T) {
	for name, row := range map[string]struct {
		problem error
		end     batchv1.JobConditionType
		want    string
	}{
		"well":          {nil, batchv1.JobComplete, ""},
		"it fails":      {nil, batchv1.JobFailed, "it failed"},
		"the attendant": {errors.New("the connection was lost"), "", "the connection was lost"},
		"both":          {errors.New("cut off"), batchv1.JobFailed, "it failed"}, // which tells more
	} {
		t.Run(name, func(t *testing.T) {
			end := new(batchv1.JobConditionType)
			client := running(t, end)
			var attended string
			err := RunAttended(t.Context(), client, "site", "restore", Attendant{Container: "restore", Do: func(_ context.Context, pod string) error {
				attended, *end = pod, row.end
				return row.problem
			}}, &bytes.Buffer{})
			if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
			jobs, listErr := client.BatchV1().Jobs("site").List(t.Context(), metav1.ListOptions{})
			if listErr != nil || attended != "p" || (len(jobs.Items) == 0) != (row.end == "") {
				t.Errorf("attended to %q, left %d Jobs, %v", attended, len(jobs.Items), listErr)
			}
		})
	}
}
