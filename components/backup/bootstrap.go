package backup

import (
	"errors"
	"fmt"
	"slices"

	batchv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/batch/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/pod"
)

// BootstrapType is the component's type token.
const BootstrapType = "wordpress:backup:Bootstrap"

const (
	// BootstrapName of the Job that has a new stack begin as a site that was; the names of the other objects begin with it.
	BootstrapName = "wordpress-bootstrap"

	bootstrapContainer = "bootstrap"
	moveContainer      = "move"
	// ownAccount is the name of the file with the password of WordPress's account.
	ownAccount = "own"
	// bootstrapTimeout is how long the engine waits for it.
	bootstrapTimeout = "9h"
)

// Bootstrap is a Job that runs before WordPress, and does nothing where a site is.
type Bootstrap struct {
	pulumi.ResourceState

	// Done are resources after which WordPress may start.
	Done []pulumi.Resource
}

// NewBootstrap registers the Job, which restores the run of the backup, or the newest one for "latest". Of the args it takes no schedules, accounts and
// Services.
func NewBootstrap(ctx *pulumi.Context, name string, args *Args, run string, opts ...pulumi.ResourceOption) (*Bootstrap, error) {
	err := args.checkBoth()
	if err == nil && args.From != "" && args.Images.WordPress == "" {
		err = errors.New("the image of WordPress is required where links change")
	}
	if err == nil && (run == "" || args.Database.Own.User == "" || args.Database.Own.Secret == nil) {
		err = errors.New("the run, and WordPress's account with its Secret, are required")
	}
	if err != nil {
		return nil, fmt.Errorf("bootstrap %q: %w", name, err)
	}
	component := &Bootstrap{}
	if err := ctx.RegisterComponentResource(BootstrapType, name, component, opts...); err != nil {
		return nil, fmt.Errorf("bootstrap %q: %w", name, err)
	}
	if err := component.register(ctx, name, args, run); err != nil {
		return nil, fmt.Errorf("bootstrap %q: %w", name, err)
	}
	if err := ctx.RegisterResourceOutputs(component, pulumi.Map{}); err != nil {
		return nil, fmt.Errorf("bootstrap %q: outputs: %w", name, err)
	}
	return component, nil
}

func (b *Bootstrap) register(ctx *pulumi.Context, name string, args *Args, run string) error {
	parent := pulumi.Parent(b)
	configMap, err := corev1.NewConfigMap(ctx, name+"-config",
		pod.FilesArgs(metadata(args, BootstrapName), BootstrapName, files(args, bootstrapFiles(args))), parent)
	if err != nil {
		return fmt.Errorf("config map: %w", err)
	}
	names := mounted{configMap: configMap.Metadata.Name().Elem()}
	if names.repository, err = repositorySecret(ctx, name, BootstrapName, args, parent); err != nil {
		return err
	}
	job, err := batchv1.NewJob(ctx, name+"-job", bootstrapArgs(args, names, run), parent, pulumi.DependsOn(args.After),
		pulumi.Timeouts(&pulumi.CustomTimeouts{Create: bootstrapTimeout, Update: bootstrapTimeout}))
	if err != nil {
		return fmt.Errorf("job: %w", err)
	}
	b.Done = []pulumi.Resource{job}
	return nil
}

func bootstrapArgs(args *Args, names mounted, run string) *batchv1.JobArgs {
	meta := metadata(args, BootstrapName)
	// One that has failed is made anew by the next update.
	meta.Annotations = pulumi.StringMap{"pulumi.com/replaceUnready": pulumi.String("true")}
	return &batchv1.JobArgs{
		Metadata: meta,
		Spec: &batchv1.JobSpecArgs{
			ActiveDeadlineSeconds: pulumi.Int(startSeconds + restoreSeconds),
			BackoffLimit:          pulumi.Int(retries),
			// Two at a time would be in each other's way.
			PodReplacementPolicy: pulumi.String("Failed"),
			Template: &corev1.PodTemplateSpecArgs{
				Metadata: &metav1.ObjectMetaArgs{Labels: labelSet(args).All()},
				Spec:     bootstrapSpec(args, names, run),
			},
		},
	}
}

func bootstrapSpec(args *Args, names mounted, run string) *corev1.PodSpecArgs {
	step := clientStep(args, bootstrapContainer, bootstrapKey)
	step.Env = corev1.EnvVarArray{
		variable("SNAPSHOT", run), variable("FROM", args.From), variable("OWN_USER", args.Database.Own.User), variable("OWN_PASSWORD_FILE", accountsPath+"/"+ownAccount),
	}
	step.VolumeMounts = append(step.VolumeMounts.(corev1.VolumeMountArray), accountsMount())
	if args.Content != nil {
		step.VolumeMounts = append(step.VolumeMounts.(corev1.VolumeMountArray),
			&corev1.VolumeMountArgs{Name: pulumi.String(contentVolume), MountPath: pulumi.String(volumePath)})
	}
	steps := []*corev1.ContainerArgs{toolStep(args), step}
	if args.From != "" {
		move := moveStep(args)
		move.Env = corev1.EnvVarArray{variable("OWN_USER", args.Database.Own.User), variable("OWN_PASSWORD_FILE", accountsPath+"/"+ownAccount)}
		move.VolumeMounts = append(move.VolumeMounts.(corev1.VolumeMountArray), accountsMount())
		steps = append(steps, move)
	}
	return beside(args, podSpec(args, steps, volumes(args, names, volumesOf{own: true, content: args.Content != nil})))
}

func bootstrapFiles(args *Args) []string {
	if args.From == "" {
		return bootstrapScripts
	}
	return slices.Concat(bootstrapScripts, moveScripts)
}
