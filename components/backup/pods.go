package backup

import (
	"fmt"
	"strconv"

	batchv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/batch/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/labels"
	"wordpress-on-kubernetes/components/pod"
)

const (
	configVolume     = "scripts"
	repositoryVolume = "repository"
	accountsVolume   = "accounts"
	keysVolume       = "keys"
	contentVolume    = "content"

	// startSeconds is how long a pod may take to be scheduled and to have its images.
	startSeconds = 600
	// backupSeconds, pruneSeconds, restoreSeconds and drillSeconds are how long the work may take.
	backupSeconds, pruneSeconds, restoreSeconds, drillSeconds = 12 * 3600, 4 * 3600, 8 * 3600, 4 * 3600
	// lateSeconds after its time a run that could not begin is left to the next one.
	lateSeconds = 3600
	// retries of a run. Each is a run of its own; nothing of one that failed is in the way.
	retries = 2
	// graceSeconds in which restic takes back its lock.
	graceSeconds = 60
	// kept runs of each outcome, for their logs.
	keptDone, keptFailed = 3, 3
)

// Names of the containers.
const (
	toolContainer     = "restic"
	databaseContainer = "database"
	contentContainer  = "content"
	careContainer     = "care"
	restoreContainer  = "restore"
	arriveContainer   = "arrive"
	importContainer   = "import"
	drillContainer    = "drill"
)

// mounted are the names of what the pods mount.
type mounted struct{ configMap, repository pulumi.StringInput }

type namedJob struct {
	name string
	args *batchv1.CronJobArgs
}

func cronJobs(args *Args, names mounted) []namedJob {
	jobs := []namedJob{
		{"job", cronJobArgs(args, labelSet(args), Name, args.Schedule, backupSeconds, retries, backupSpec(args, names))},
		{"care", cronJobArgs(args, repositorySet(args), CareName, args.CareSchedule, pruneSeconds, retries, careSpec(args, names))},
		// Never by itself: somebody makes a Job from it.
		{"restore", suspended(cronJobArgs(args, labelSet(args), RestoreName, args.Schedule, restoreSeconds, 0, restoreSpec(args, names)))},
	}
	jobs = append(jobs, namedJob{"import",
		suspended(cronJobArgs(args, repositorySet(args), ImportName, args.Schedule, incomingSeconds+drillSeconds, 0, importSpec(args, names)))})
	if args.Drill != nil {
		jobs = append(jobs, namedJob{"drill",
			cronJobArgs(args, repositorySet(args), DrillName, args.Drill.Schedule, drillSeconds, retries, drillSpec(args, names))})
	}
	return jobs
}

// suspended is a CronJob that never begins by itself.
func suspended(job *batchv1.CronJobArgs) *batchv1.CronJobArgs {
	job.Spec.(*batchv1.CronJobSpecArgs).Suspend = pulumi.Bool(true)
	return job
}

func cronJobArgs(args *Args, set labels.Set, name, schedule string, seconds, retries int, spec *corev1.PodSpecArgs) *batchv1.CronJobArgs {
	return &batchv1.CronJobArgs{
		Metadata: &metav1.ObjectMetaArgs{Name: pulumi.String(name), Namespace: args.Namespace, Labels: set.All()},
		Spec: &batchv1.CronJobSpecArgs{
			Schedule: pulumi.String(schedule),
			TimeZone: pulumi.String("Etc/UTC"),
			// A run that takes longer than the time between two is not to be overtaken by the next.
			ConcurrencyPolicy:          pulumi.String("Forbid"),
			StartingDeadlineSeconds:    pulumi.Int(lateSeconds),
			SuccessfulJobsHistoryLimit: pulumi.Int(keptDone),
			FailedJobsHistoryLimit:     pulumi.Int(keptFailed),
			JobTemplate: &batchv1.JobTemplateSpecArgs{
				Metadata: &metav1.ObjectMetaArgs{Labels: set.All()},
				Spec: &batchv1.JobSpecArgs{
					ActiveDeadlineSeconds: pulumi.Int(startSeconds + seconds),
					BackoffLimit:          pulumi.Int(retries),
					// Two at a time would be in each other's way.
					PodReplacementPolicy: pulumi.String("Failed"),
					// What is saved need not be saved again for a complaint.
					PodFailurePolicy: &batchv1.PodFailurePolicyArgs{Rules: batchv1.PodFailurePolicyRuleArray{&batchv1.PodFailurePolicyRuleArgs{
						Action: pulumi.String("FailJob"),
						OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirementArgs{
							Operator: pulumi.String("In"), Values: pulumi.IntArray{pulumi.Int(complained)},
						},
					}}},
					Template: &corev1.PodTemplateSpecArgs{
						Metadata: &metav1.ObjectMetaArgs{Labels: set.All()},
						Spec:     spec,
					},
				},
			},
		},
	}
}

func backupSpec(args *Args, names mounted) *corev1.PodSpecArgs {
	steps := []*corev1.ContainerArgs{toolStep(args), databaseStep(args, databaseContainer)}
	if args.Content != nil {
		steps = append(steps, contentStep(args, contentContainer))
	}
	return beside(args, podSpec(args, steps, volumes(args, names, volumesOf{dump: true, content: args.Content != nil})))
}

func careSpec(args *Args, names mounted) *corev1.PodSpecArgs {
	care := clientStep(args, careContainer, careKey)
	care.Env = corev1.EnvVarArray{variable("TASK", "care")}
	return podSpec(args, []*corev1.ContainerArgs{toolStep(args), care}, volumes(args, names, volumesOf{}))
}

// drillSpec has no account of MySQL and no volume of the site's.
func drillSpec(args *Args, names mounted) *corev1.PodSpecArgs {
	drill := clientStep(args, drillContainer, drillKey)
	drill.Resources = args.Drill.Resources.Requirements()
	drill.Env = corev1.EnvVarArray{
		variable("MINIMUM_POSTS", strconv.Itoa(args.Drill.MinimumPosts)), variable("MISSING_UPLOADS", strconv.Itoa(args.Drill.MissingUploads)),
		variable("MAX_AGE_SECONDS", strconv.Itoa(args.Drill.MaxAgeSeconds)),
	}
	drill.VolumeMounts = append(drill.VolumeMounts.(corev1.VolumeMountArray), pod.ScratchMounts([2]string{"drill", drillPath})...)
	return podSpec(args, []*corev1.ContainerArgs{toolStep(args), drill}, volumes(args, names, volumesOf{}))
}

// importSpec has no account of MySQL and no volume of the site's, and what meets the foreign dump nothing of the repository. A MySQL of the pod's own serves
// beside the steps after it; the image of WordPress has tar and PHP.
func importSpec(args *Args, names mounted) *corev1.PodSpecArgs {
	scratch := pod.ScratchMounts([2]string{"drill", drillPath}, [2]string{"content", sitePath})
	among := func(step *corev1.ContainerArgs) *corev1.ContainerArgs {
		step.VolumeMounts = append(step.VolumeMounts.(corev1.VolumeMountArray), scratch...)
		return step
	}
	server := among(serverStep(args, "server", serveKey))
	server.Resources = args.Import.Requirements()
	server.RestartPolicy = pulumi.String("Always") // beside the steps after it
	move := among(moveStep(args))
	move.Env = corev1.EnvVarArray{variable("SOCKET", drillPath+"/mysql.sock"), variable("DATABASE", "imported")}
	steps := []*corev1.ContainerArgs{
		toolStep(args), among(phpStep(args, ReceiveContainer, "bash", scriptsPath+"/"+receiveKey)), server, among(serverStep(args, "load", loadKey)), move,
		among(clientStep(args, importContainer, importKey)),
	}
	return podSpec(args, steps, volumes(args, names, volumesOf{}))
}

// phpStep runs a command in the image of WordPress.
func phpStep(args *Args, name string, command ...string) *corev1.ContainerArgs {
	step := container(args, name, args.Images.WordPress, command...)
	step.VolumeMounts = append(corev1.VolumeMountArray{
		&corev1.VolumeMountArgs{Name: pulumi.String(configVolume), MountPath: pulumi.String(scriptsPath), ReadOnly: pulumi.Bool(true)},
		// The image declares the folder to be a volume, which everything in the container could write to.
		pod.EmptyMount("html", "/var/www/html"),
	}, pod.ScratchMounts([2]string{"shared", sharedPath})...)
	return step
}

// moveStep has links of a site lead to this address. What a text of the database takes is bounded by the container's memory alone.
func moveStep(args *Args) *corev1.ContainerArgs {
	return phpStep(args, moveContainer, "php", "-d", "memory_limit=-1", scriptsPath+"/"+moveKey)
}

func restoreSpec(args *Args, names mounted) *corev1.PodSpecArgs {
	asBefore := corev1.EnvVarArray{variable("MARK", "before"), variable("SAVE", "yes")}
	before := databaseStep(args, "save-database")
	before.Env = append(before.Env.(corev1.EnvVarArray), asBefore...)
	steps := []*corev1.ContainerArgs{toolStep(args)}
	if args.Binlog != nil {
		steps = append(steps, replayStep(args))
	}
	steps = append(steps, before)
	if args.Content != nil {
		content := contentStep(args, "save-content")
		content.Env = asBefore
		steps = append(steps, content)
	}
	restore := clientStep(args, restoreContainer, restoreKey)
	restore.Env = corev1.EnvVarArray{
		variable("SNAPSHOT", "latest"), variable("SAVE", "yes"),
		variable("RESTORE_USER", args.Database.Restore.User), variable("RESTORE_PASSWORD_FILE", accountsPath+"/"+restoreContainer),
	}
	if args.Binlog != nil {
		restore.Env = append(restore.Env.(corev1.EnvVarArray), variable("AT", ""))
	}
	restore.VolumeMounts = append(restore.VolumeMounts.(corev1.VolumeMountArray), accountsMount())
	if args.Content != nil {
		restore.VolumeMounts = append(restore.VolumeMounts.(corev1.VolumeMountArray),
			&corev1.VolumeMountArgs{Name: pulumi.String(contentVolume), MountPath: pulumi.String(volumePath)})
	}
	steps = append(steps, restore, arriveStep(args))
	return beside(args, podSpec(args, steps, volumes(args, names, volumesOf{dump: true, restore: true, content: args.Content != nil, keys: true})))
}

// podSpec runs the steps one after the other.
func podSpec(args *Args, steps []*corev1.ContainerArgs, volumes corev1.VolumeArray) *corev1.PodSpecArgs {
	last := len(steps) - 1
	first := make(corev1.ContainerArray, 0, last)
	for _, step := range steps[:last] {
		first = append(first, step)
	}
	return &corev1.PodSpecArgs{
		AutomountServiceAccountToken:  pulumi.Bool(false),
		EnableServiceLinks:            pulumi.Bool(false),
		SecurityContext:               pod.SecurityContext(args.User),
		TerminationGracePeriodSeconds: pulumi.Int(graceSeconds),
		RestartPolicy:                 pulumi.String("Never"),
		ImagePullSecrets:              pod.PullSecrets(args.ImagePullSecrets),
		InitContainers:                first,
		Containers:                    corev1.ContainerArray{steps[last]},
		Volumes:                       volumes,
	}
}

// beside has a pod that mounts the content start where the volume is.
func beside(args *Args, spec *corev1.PodSpecArgs) *corev1.PodSpecArgs {
	if args.Content != nil && args.Content.With != nil {
		spec.Affinity = pod.Beside(args.Content.With)
	}
	return spec
}

func container(args *Args, name, image string, command ...string) *corev1.ContainerArgs {
	return &corev1.ContainerArgs{
		Name:            pulumi.String(name),
		Image:           pulumi.String(image),
		ImagePullPolicy: pulumi.String(args.ImagePullPolicy),
		Command:         pulumi.ToStringArray(command),
		WorkingDir:      pulumi.String("/"),
		Resources:       args.Resources.Requirements(),
		SecurityContext: pod.ContainerSecurityContext(),
	}
}

// toolStep copies restic's program for the steps after it, which run another image.
func toolStep(args *Args) *corev1.ContainerArgs {
	step := container(args, toolContainer, args.Images.Restic, "cp", "/usr/bin/restic", toolPath+"/restic")
	step.VolumeMounts = pod.ScratchMounts([2]string{"tool", toolPath})
	return step
}

// clientStep runs a script with the repository, in the image of the server, whose client understands the server.
func clientStep(args *Args, name, script string) *corev1.ContainerArgs {
	step := serverStep(args, name, script)
	step.VolumeMounts = append(step.VolumeMounts.(corev1.VolumeMountArray),
		&corev1.VolumeMountArgs{Name: pulumi.String(repositoryVolume), MountPath: pulumi.String(repositoryPath), ReadOnly: pulumi.Bool(true)},
		pod.EmptyMount("tool", toolPath))
	return step
}

// serverStep runs a script in the image of the server.
func serverStep(args *Args, name, script string) *corev1.ContainerArgs {
	step := container(args, name, args.Images.Database, "bash", scriptsPath+"/"+script)
	step.VolumeMounts = append(corev1.VolumeMountArray{
		&corev1.VolumeMountArgs{Name: pulumi.String(configVolume), MountPath: pulumi.String(scriptsPath), ReadOnly: pulumi.Bool(true)},
		// The image declares the folder to be a volume, which everything in the container could write to.
		pod.EmptyMount("no-data", imageDataPath),
	}, pod.ScratchMounts([2]string{"tmp", "/tmp"}, [2]string{"shared", sharedPath})...)
	return step
}

func databaseStep(args *Args, name string) *corev1.ContainerArgs {
	step := clientStep(args, name, databaseKey)
	step.Env = corev1.EnvVarArray{
		variable("DUMP_USER", args.Database.Dump.User), variable("DUMP_PASSWORD_FILE", accountsPath+"/"+databaseContainer),
	}
	step.VolumeMounts = append(step.VolumeMounts.(corev1.VolumeMountArray), accountsMount())
	if args.Content != nil {
		step.VolumeMounts = append(step.VolumeMounts.(corev1.VolumeMountArray), contentMount())
	}
	return step
}

func contentStep(args *Args, name string) *corev1.ContainerArgs {
	step := clientStep(args, name, contentKey)
	step.VolumeMounts = append(step.VolumeMounts.(corev1.VolumeMountArray), contentMount())
	return step
}

// contentMount is for those who read.
func contentMount() *corev1.VolumeMountArgs {
	return &corev1.VolumeMountArgs{Name: pulumi.String(contentVolume), MountPath: pulumi.String(sitePath), ReadOnly: pulumi.Bool(true)}
}

// arriveStep asks the site, and before it the cache, which knows nothing of the restore.
func arriveStep(args *Args) *corev1.ContainerArgs {
	step := container(args, arriveContainer, args.Images.WordPress, "php", scriptsPath+"/"+arriveKey)
	env := corev1.EnvVarArray{
		&corev1.EnvVarArgs{
			Name:  pulumi.String("SERVICE_URL"),
			Value: pulumi.Sprintf("http://%s:%d", args.Site.Service, args.Site.ServicePort),
		},
		variable("SITE_URL", args.Site.URL),
	}
	mounts := corev1.VolumeMountArray{
		pod.File(configVolume, arriveKey, scriptsPath+"/"+arriveKey),
		// The image declares the folder to be a volume, which everything in the container could write to.
		pod.EmptyMount("html", "/var/www/html"),
	}
	if cache := args.Site.Cache; cache != nil {
		env = append(env, variable("CACHE_HOST", cache.Host), variable("CACHE_PATH", fmt.Sprintf(":%d%s", cache.Port, cache.Path)),
			variable("CACHE_PURPOSE", cache.Purpose), variable("CACHE_KEY_FILE", keysPath+"/"+cache.SecretKey))
		mounts = append(mounts, &corev1.VolumeMountArgs{
			Name: pulumi.String(keysVolume), MountPath: pulumi.String(keysPath), ReadOnly: pulumi.Bool(true),
		})
	}
	step.Env, step.VolumeMounts = env, mounts
	return step
}

func variable(name, value string) *corev1.EnvVarArgs {
	return &corev1.EnvVarArgs{Name: pulumi.String(name), Value: pulumi.String(value)}
}

func accountsMount() *corev1.VolumeMountArgs {
	return &corev1.VolumeMountArgs{Name: pulumi.String(accountsVolume), MountPath: pulumi.String(accountsPath), ReadOnly: pulumi.Bool(true)}
}
