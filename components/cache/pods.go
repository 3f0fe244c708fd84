package cache

import (
	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/pod"
)

const (
	purgePortName = "purge"

	// pageImageAnnotation of the pods is the image of WordPress.
	pageImageAnnotation = "wordpress/page-image"

	configVolume  = "config"
	secretsVolume = "secrets"

	// minReadySeconds is how long a new pod must stay ready before it counts and an old one may go: by then
	// the edge has learned of it.
	minReadySeconds = 5
	// startupTries, one a second, are a day's: that WordPress is not there is mended by no new start of this pod, which would only come later.
	startupTries = 86400
	// progressDeadlineSeconds after which a rollout that does not get on is reported as failed.
	progressDeadlineSeconds = 600
	// revisionHistory that can be rolled back to.
	revisionHistory = 3
)

func deploymentArgs(args *Args, configMap pulumi.StringInput) *appsv1.DeploymentArgs {
	set := labelSet(args)
	annotations := pulumi.StringMap{pageImageAnnotation: pulumi.String(args.PageImage)}
	if args.KeyChecksum != nil {
		annotations[pod.ChecksumAnnotation+"keys"] = args.KeyChecksum
	}
	return &appsv1.DeploymentArgs{
		Metadata: metadata(args),
		Spec: &appsv1.DeploymentSpecArgs{
			Replicas: pulumi.Int(args.Replicas),
			Selector: &metav1.LabelSelectorArgs{MatchLabels: set.Selector()},
			Strategy: &appsv1.DeploymentStrategyArgs{
				Type: pulumi.String("RollingUpdate"),
				RollingUpdate: &appsv1.RollingUpdateDeploymentArgs{
					MaxSurge: pulumi.Int(1), MaxUnavailable: pulumi.Int(0),
				},
			},
			MinReadySeconds:         pulumi.Int(minReadySeconds),
			ProgressDeadlineSeconds: pulumi.Int(progressDeadlineSeconds),
			RevisionHistoryLimit:    pulumi.Int(revisionHistory),
			Template: &corev1.PodTemplateSpecArgs{
				Metadata: &metav1.ObjectMetaArgs{Labels: set.All(), Annotations: annotations},
				Spec:     podSpec(args, configMap),
			},
		},
	}
}

func podSpec(args *Args, configMap pulumi.StringInput) *corev1.PodSpecArgs {
	const script = configPath + "/" + startKey
	return &corev1.PodSpecArgs{
		AutomountServiceAccountToken:  pulumi.Bool(false),
		EnableServiceLinks:            pulumi.Bool(false),
		SecurityContext:               pod.SecurityContext(args.User),
		TerminationGracePeriodSeconds: pulumi.Int(args.graceSeconds()),
		ImagePullSecrets:              pod.PullSecrets(args.ImagePullSecrets),
		Containers: corev1.ContainerArray{&corev1.ContainerArgs{
			Name:            pulumi.String("nginx"),
			Image:           pulumi.String(args.Image),
			ImagePullPolicy: pulumi.String(args.ImagePullPolicy),
			Command:         pulumi.ToStringArray([]string{"sh", script}),
			Ports: corev1.ContainerPortArray{
				&corev1.ContainerPortArgs{Name: pulumi.String(SitePortName), ContainerPort: pulumi.Int(SitePort)},
				&corev1.ContainerPortArgs{Name: pulumi.String(purgePortName), ContainerPort: pulumi.Int(PurgePort)},
			},
			Resources:       args.Resources.Requirements(),
			SecurityContext: pod.ContainerSecurityContext(),
			StartupProbe:    startupProbe(),
			// Pages that are kept are served whatever WordPress does.
			ReadinessProbe: healthProbe(5, 3),
			Lifecycle:      pod.Drain(args.DrainSeconds),
			VolumeMounts:   mounts(),
		}},
		Volumes: corev1.VolumeArray{
			pod.ConfigMapVolume(configVolume, configMap), secretsVolumeArgs(args), pod.Scratch(),
		},
		TopologySpreadConstraints: pod.SpreadConstraints(labelSet(args).Selector()),
		Tolerations:               pod.Tolerations(),
		Affinity:                  pod.AntiAffinity(labelSet(args).Selector(), false),
	}
}

// startupProbe waits until nginx has found WordPress: a pod that keeps nothing yet and cannot ask for anything would answer visitors with
// errors, while others still show what they keep. An update that does not get on is told by the progress deadline.
func startupProbe() *corev1.ProbeArgs {
	probe := healthProbe(1, startupTries)
	probe.HttpGet = &corev1.HTTPGetActionArgs{Path: pulumi.String(healthCheckPath), Port: pulumi.String(SitePortName)}
	return probe
}

// healthProbe asks nginx alone, with its period in seconds, and how many failures in a row count.
func healthProbe(period, failures int) *corev1.ProbeArgs {
	return &corev1.ProbeArgs{
		HttpGet:          &corev1.HTTPGetActionArgs{Path: pulumi.String(healthPath), Port: pulumi.String(purgePortName)},
		PeriodSeconds:    pulumi.Int(period),
		TimeoutSeconds:   pulumi.Int(5),
		FailureThreshold: pulumi.Int(failures),
	}
}

func mounts() corev1.VolumeMountArray {
	mounts := corev1.VolumeMountArray{
		&corev1.VolumeMountArgs{
			Name: pulumi.String(secretsVolume), MountPath: pulumi.String(secretsPath), ReadOnly: pulumi.Bool(true),
		},
	}
	for _, key := range []string{nginxKey, pageKey, startKey} {
		mounts = append(mounts, pod.File(configVolume, key, configPath+"/"+key))
	}
	return append(mounts, pod.ScratchMounts([2]string{"tmp", "/tmp"}, [2]string{"cache", cachePath})...)
}

// secretsVolumeArgs is a folder, which follows the Secret: purges of both keys are taken while WordPress's pods change theirs.
func secretsVolumeArgs(args *Args) *corev1.VolumeArgs {
	return &corev1.VolumeArgs{
		Name: pulumi.String(secretsVolume),
		Secret: &corev1.SecretVolumeSourceArgs{
			SecretName:  args.KeySecret.ToStringOutput(),
			DefaultMode: pulumi.Int(0o440),
			Items: corev1.KeyToPathArray{&corev1.KeyToPathArgs{
				Key: pulumi.String(args.SecretKey), Path: pulumi.String(args.SecretKey),
			}},
		},
	}
}
