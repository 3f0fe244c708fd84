// Package cron is the component that runs the site's scheduled tasks: a CronJob asks WordPress for those that are due, whether
// visitors come or not.
package cron

import (
	_ "embed"
	"errors"
	"fmt"

	batchv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/batch/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/api/resource"

	"wordpress-on-kubernetes/components/labels"
	"wordpress-on-kubernetes/components/pod"
)

// Type is the component's type token.
const Type = "wordpress:cron:Cron"

// Name of the CronJob.
const Name = "wordpress-cron"

const (
	// startSeconds is how long a pod may take to be scheduled and to have its image.
	startSeconds = 120
	// lateSeconds after its time a run that could not begin is left out: the next one does the same.
	lateSeconds = 200
	// retries of a run, for a moment in which no pod of WordPress serves.
	retries = 2
	// graceSeconds to stop: what is asked for runs elsewhere.
	graceSeconds = 5
	// kept runs of each outcome, for their logs.
	kept = 1
)

// What one PHP process needs that asks and waits.
const (
	cpu              = "50m"
	memory           = "64Mi"
	ephemeralStorage = "64Mi"
)

//go:embed files/ask.php
var script string

// Args are the inputs of New.
type Args struct {
	// Namespace that the CronJob lives in. Required.
	Namespace pulumi.StringInput
	// Instance is the stack's name, for labels. Required.
	Instance string
	// Image has PHP; WordPress's own is on the nodes already. Required.
	Image string
	// ImagePullPolicy is Always or IfNotPresent. Required.
	ImagePullPolicy string
	// ImagePullSecrets are names of Secrets in the namespace with which the image is pulled.
	ImagePullSecrets []string
	// User that the pods run as.
	User pod.User
	// Service is the name of the Service that leads to WordPress. Required.
	Service pulumi.StringInput
	// ServicePort is that Service's port. Required.
	ServicePort int
	// SiteURL is where visitors find the site, with scheme and without a trailing slash. Required.
	SiteURL string
	// EveryMinutes is the time between two runs, 1 to 30. Required.
	EveryMinutes int
	// WaitSeconds is how long the tasks are waited for, above 0. Required.
	WaitSeconds int
}

// Cron runs the scheduled tasks.
type Cron struct {
	pulumi.ResourceState
}

// New registers the CronJob.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Cron, error) {
	if err := args.check(); err != nil {
		return nil, fmt.Errorf("cron %q: %w", name, err)
	}
	component := &Cron{}
	if err := ctx.RegisterComponentResource(Type, name, component, opts...); err != nil {
		return nil, fmt.Errorf("cron %q: %w", name, err)
	}
	if _, err := batchv1.NewCronJob(ctx, name+"-job", cronJobArgs(args), pulumi.Parent(component)); err != nil {
		return nil, fmt.Errorf("cron %q: cron job: %w", name, err)
	}
	if err := ctx.RegisterResourceOutputs(component, pulumi.Map{}); err != nil {
		return nil, fmt.Errorf("cron %q: outputs: %w", name, err)
	}
	return component, nil
}

func (a *Args) check() error {
	switch {
	case a == nil || a.Namespace == nil || a.Instance == "" || a.Image == "" || a.ImagePullPolicy == "":
		return errors.New("namespace, instance, image and pull policy are required")
	case a.Service == nil || a.ServicePort == 0 || a.SiteURL == "":
		return errors.New("service, its port and site URL are required")
	case a.EveryMinutes < 1 || a.EveryMinutes > 30 || a.WaitSeconds < 1:
		return fmt.Errorf("every %d minutes, waiting %d seconds: want 1 to 30 minutes and above 0 seconds", a.EveryMinutes, a.WaitSeconds)
	}
	return nil
}

func cronJobArgs(args *Args) *batchv1.CronJobArgs {
	set := labelSet(args)
	return &batchv1.CronJobArgs{
		Metadata: &metav1.ObjectMetaArgs{Name: pulumi.String(Name), Namespace: args.Namespace, Labels: set.All()},
		Spec: &batchv1.CronJobSpecArgs{
			Schedule: pulumi.Sprintf("*/%d * * * *", args.EveryMinutes),
			// WordPress runs its tasks one after the other, whoever asks.
			ConcurrencyPolicy:          pulumi.String("Forbid"),
			StartingDeadlineSeconds:    pulumi.Int(lateSeconds),
			SuccessfulJobsHistoryLimit: pulumi.Int(kept),
			FailedJobsHistoryLimit:     pulumi.Int(kept),
			JobTemplate: &batchv1.JobTemplateSpecArgs{
				Metadata: &metav1.ObjectMetaArgs{Labels: set.All()},
				Spec: &batchv1.JobSpecArgs{
					ActiveDeadlineSeconds: pulumi.Int(startSeconds + (retries+1)*args.WaitSeconds),
					BackoffLimit:          pulumi.Int(retries),
					Template: &corev1.PodTemplateSpecArgs{
						Metadata: &metav1.ObjectMetaArgs{Labels: set.All()},
						Spec:     podSpec(args),
					},
				},
			},
		},
	}
}

func podSpec(args *Args) *corev1.PodSpecArgs {
	variable := func(name string, value pulumi.StringInput) *corev1.EnvVarArgs {
		return &corev1.EnvVarArgs{Name: pulumi.String(name), Value: value.ToStringOutput()}
	}
	return &corev1.PodSpecArgs{
		AutomountServiceAccountToken:  pulumi.Bool(false),
		EnableServiceLinks:            pulumi.Bool(false),
		SecurityContext:               pod.SecurityContext(args.User),
		TerminationGracePeriodSeconds: pulumi.Int(graceSeconds),
		RestartPolicy:                 pulumi.String("Never"),
		ImagePullSecrets:              pod.PullSecrets(args.ImagePullSecrets),
		Containers: corev1.ContainerArray{&corev1.ContainerArgs{
			Name:            pulumi.String("ask"),
			Image:           pulumi.String(args.Image),
			ImagePullPolicy: pulumi.String(args.ImagePullPolicy),
			Command:         pulumi.ToStringArray([]string{"php", "-r", script}),
			WorkingDir:      pulumi.String("/"),
			Env: corev1.EnvVarArray{
				variable("SERVICE_URL", pulumi.Sprintf("http://%s:%d", args.Service, args.ServicePort)),
				variable("SITE_URL", pulumi.String(args.SiteURL)),
				variable("WAIT_SECONDS", pulumi.Sprintf("%d", args.WaitSeconds)),
			},
			Resources: pod.Resources{
				CPU: resource.MustParse(cpu), Memory: resource.MustParse(memory), EphemeralStorage: resource.MustParse(ephemeralStorage),
			}.Requirements(),
			SecurityContext: pod.ContainerSecurityContext(),
			// The image declares the folder to be a volume, which everything in the container could write to.
			VolumeMounts: corev1.VolumeMountArray{pod.EmptyMount("html", "/var/www/html")},
		}},
		Volumes: corev1.VolumeArray{pod.Scratch()},
	}
}

// Selector matches the labels of the CronJob's pods, and of no others.
func Selector() pulumi.StringMap { return labelSet(&Args{}).Selector() }

func labelSet(args *Args) labels.Set {
	return labels.Set{Name: "wordpress", Component: "cron", Instance: args.Instance}
}
