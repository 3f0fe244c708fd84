package unit_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"wordpress-on-kubernetes/components/autoscaling"
	"wordpress-on-kubernetes/components/cron"
	"wordpress-on-kubernetes/components/frontend"
)

// tasks are valid args.
func tasks(changes ...func(*cron.Args)) *cron.Args {
	args := &cron.Args{
		Namespace: namespaceInput, Instance: instance, Image: "wordpress:7.1.4-php8.3-apache", ImagePullPolicy: "Always",
		User: someUser, Service: pulumi.String("wordpress"), ServicePort: 80, SiteURL: "https://www.example.com", EveryMinutes: 5, WaitSeconds: 30,
	}
	for _, change := range changes {
		change(args)
	}
	return args
}

func cronProgram(args *cron.Args) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		_, err := cron.New(ctx, "cron", args)
		return err
	}
}

func TestTasksAreAskedForBesideTheSite(t *testing.T) {
	p := run(t, cronProgram(tasks()))
	p.wantObjects("CronJob wordpress-cron")
	spec := get[batchv1.CronJob](p, "CronJob", "wordpress-cron").Spec
	if spec.Schedule != "*/5 * * * *" || spec.ConcurrencyPolicy != batchv1.ForbidConcurrent || *spec.StartingDeadlineSeconds < 10 {
		t.Errorf("got the schedule %q, %s, and a start %d s late", spec.Schedule, spec.ConcurrencyPolicy, *spec.StartingDeadlineSeconds)
	}
	job := spec.JobTemplate.Spec
	if *job.ActiveDeadlineSeconds != 210 || *job.BackoffLimit != 2 {
		t.Errorf("a run may take %d s and %d retries, want 210 and 2", *job.ActiveDeadlineSeconds, *job.BackoffLimit)
	}
	pod := job.Template.Spec
	if pod.RestartPolicy != corev1.RestartPolicyNever || *pod.AutomountServiceAccountToken {
		t.Errorf("the pod is %+v", pod)
	}
	ask := pod.Containers[0]
	environment := map[string]string{}
	for _, variable := range ask.Env {
		environment[variable.Name] = variable.Value
	}
	if environment["SERVICE_URL"] != "http://wordpress:80" || environment["SITE_URL"] != "https://www.example.com" ||
		!strings.Contains(ask.Command[2], "/wp-cron.php") {
		t.Errorf("asks %q with %v", ask.Command, environment)
	}
	if ask.Resources.Limits.Cpu().IsZero() || ask.Resources.Limits.Cpu().Cmp(*ask.Resources.Requests.Cpu()) != 0 {
		t.Errorf("resources are %v", ask.Resources)
	}
}

// A pod of the tasks that matched the frontend's selector would get visitors, and count for the autoscaler and the budget.
func TestTasksAreNotTakenForTheSite(t *testing.T) {
	p := run(t, cronProgram(tasks()))
	labels := get[batchv1.CronJob](p, "CronJob", "wordpress-cron").Spec.JobTemplate.Spec.Template.Labels
	for key, value := range frontend.Selector() {
		if string(value.(pulumi.String)) != labels[key] {
			return
		}
	}
	t.Errorf("the labels %v match the selector of WordPress, which %s scales too", labels, autoscaling.Name)
}

func TestCronRefusesIncompleteArgs(t *testing.T) {
	for name, row := range map[string]struct {
		spoil func(*cron.Args)
		want  string
	}{
		"no namespace": {func(a *cron.Args) { a.Namespace = nil }, "namespace, instance, image and pull policy are required"},
		"no image":     {func(a *cron.Args) { a.Image = "" }, "namespace, instance, image and pull policy are required"},
		"no service":   {func(a *cron.Args) { a.Service = nil }, "service, its port and site URL are required"},
		"no site":      {func(a *cron.Args) { a.SiteURL = "" }, "service, its port and site URL are required"},
		"never":        {func(a *cron.Args) { a.EveryMinutes = 0 }, "every 0 minutes"},
		"too seldom":   {func(a *cron.Args) { a.EveryMinutes = 31 }, "every 31 minutes"},
		"no patience":  {func(a *cron.Args) { a.WaitSeconds = 0 }, "waiting 0 seconds"},
	} {
		t.Run(name, func(t *testing.T) { wantError(t, cronProgram(tasks(row.spoil)), `cron "cron"`, row.want) })
	}
}
