package database

import (
	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/pod"
)

const (
	portName = "mysql"

	dataVolume    = "data"
	configVolume  = "config"
	secretsVolume = "passwords"

	secretsPath = "/etc/mysql-passwords"
	// dataPath is a folder of the volume, not its root: a fresh ext4 volume holds lost+found, and MySQL
	// refuses to initialise a directory that holds anything.
	dataPath   = "/var/lib/mysql"
	dataFolder = "mysql"
	volumePath = "/volume"
	startPath  = "/scripts/" + startKey
)

// Probe timing, in seconds. The start may take long, half an hour here: after a crash InnoDB replays its log first, and a newer server
// upgrades the data dictionary, which nobody should cut off. A server that is
// merely slow for a moment stays in its Service, since there is no other; one that has ended leaves it at once.
const (
	startupPeriod    = 2
	startupFailures  = 900
	readinessPeriod  = 5
	readinessFailure = 12
	probeTimeout     = 5
)

// mounted are the names of what the pod mounts; the two Secrets with passwords may be the same.
type mounted struct {
	configMap, userSecret, rootSecret pulumi.StringInput
}

func statefulSetArgs(args *Args, names mounted) *appsv1.StatefulSetArgs {
	set := labelSet(args)
	return &appsv1.StatefulSetArgs{
		Metadata: metadata(args, Service),
		Spec: &appsv1.StatefulSetSpecArgs{
			Replicas:    pulumi.Int(1),
			ServiceName: pulumi.String(HeadlessService),
			// With the default, OrderedReady, the controller waits for a pod of a bad revision to become ready before it
			// replaces it by the corrected one.
			PodManagementPolicy: pulumi.String("Parallel"),
			Selector:            &metav1.LabelSelectorArgs{MatchLabels: set.Selector()},
			Template: &corev1.PodTemplateSpecArgs{
				Metadata: &metav1.ObjectMetaArgs{Labels: set.All()},
				Spec:     podSpec(args, names),
			},
		},
	}
}

func podSpec(args *Args, names mounted) *corev1.PodSpecArgs {
	return &corev1.PodSpecArgs{
		AutomountServiceAccountToken:  pulumi.Bool(false),
		EnableServiceLinks:            pulumi.Bool(false),
		SecurityContext:               pod.SecurityContext(args.Server.User),
		TerminationGracePeriodSeconds: pulumi.Int(args.Server.TerminationGracePeriodSeconds),
		ImagePullSecrets:              pod.PullSecrets(args.Server.ImagePullSecrets),
		Containers:                    corev1.ContainerArray{serverContainer(args)},
		Volumes: corev1.VolumeArray{
			pod.ClaimVolume(dataVolume, args.Server.DataClaim),
			pod.ConfigMapVolume(configVolume, names.configMap),
			passwordsVolume(names),
			pod.Scratch(),
		},
	}
}

func serverContainer(args *Args) *corev1.ContainerArgs {
	return &corev1.ContainerArgs{
		Name:            pulumi.String(Container),
		Image:           pulumi.String(args.Server.Image),
		ImagePullPolicy: pulumi.String(args.Server.ImagePullPolicy),
		Command:         pulumi.ToStringArray([]string{"sh", startPath}),
		Env:             environment(args),
		Ports:           corev1.ContainerPortArray{&corev1.ContainerPortArgs{Name: pulumi.String(portName), ContainerPort: pulumi.Int(Port)}},
		Resources:       args.Server.Resources.Requirements(),
		SecurityContext: pod.ContainerSecurityContext(),
		StartupProbe:    pingProbe(startupPeriod, startupFailures),
		ReadinessProbe:  pingProbe(readinessPeriod, readinessFailure),
		VolumeMounts:    mounts(),
	}
}

// environment is the contract of the official image; passwords are files, never values.
func environment(args *Args) corev1.EnvVarArray {
	variables := [][2]string{
		{"MYSQL_DATABASE", args.Database},
		{"MYSQL_USER", args.User},
		{"MYSQL_PASSWORD_FILE", secretsPath + "/" + PasswordKey},
		{"MYSQL_ROOT_PASSWORD_FILE", secretsPath + "/" + RootPasswordKey},
		// Root is for people inside the pod; nobody logs in as root over the network.
		{"MYSQL_ROOT_HOST", "localhost"},
	}
	env := make(corev1.EnvVarArray, 0, len(variables))
	for _, variable := range variables {
		env = append(env, &corev1.EnvVarArgs{Name: pulumi.String(variable[0]), Value: pulumi.String(variable[1])})
	}
	return env
}

// pingProbe asks the server over TCP, because the temporary server of a first start listens on a socket only.
// A ping needs no password: the server answers it with an error that shows that it is alive.
func pingProbe(periodSeconds, failures int) *corev1.ProbeArgs {
	return &corev1.ProbeArgs{
		Exec: &corev1.ExecActionArgs{Command: pulumi.ToStringArray([]string{
			"mysqladmin", "ping", "--protocol=tcp", "--host=127.0.0.1", "--connect-timeout=3",
		})},
		PeriodSeconds:    pulumi.Int(periodSeconds),
		TimeoutSeconds:   pulumi.Int(probeTimeout),
		FailureThreshold: pulumi.Int(failures),
	}
}

func mounts() corev1.VolumeMountArray {
	fixed := corev1.VolumeMountArray{
		&corev1.VolumeMountArgs{
			Name: pulumi.String(dataVolume), SubPath: pulumi.String(dataFolder), MountPath: pulumi.String(dataPath),
		},
		// The marker of start.sh lies beside the data directory.
		&corev1.VolumeMountArgs{Name: pulumi.String(dataVolume), MountPath: pulumi.String(volumePath)},
		&corev1.VolumeMountArgs{
			Name: pulumi.String(secretsVolume), MountPath: pulumi.String(secretsPath), ReadOnly: pulumi.Bool(true),
		},
		pod.File(configVolume, startKey, startPath),
		pod.File(configVolume, serverConfigKey, "/etc/mysql/conf.d/"+serverConfigKey),
		// Scripts here run in the order of their names at the end of a first start.
		pod.File(configVolume, completeKey, "/docker-entrypoint-initdb.d/zz-"+completeKey),
	}
	return append(fixed, pod.ScratchMounts([2]string{"tmp", "/tmp"}, [2]string{"run", "/var/run/mysqld"})...)
}

func passwordsVolume(names mounted) *corev1.VolumeArgs {
	return &corev1.VolumeArgs{
		Name: pulumi.String(secretsVolume),
		Projected: &corev1.ProjectedVolumeSourceArgs{
			DefaultMode: pulumi.Int(0o440),
			Sources: corev1.VolumeProjectionArray{
				secretFile(names.userSecret, PasswordKey),
				secretFile(names.rootSecret, RootPasswordKey),
			},
		},
	}
}

func secretFile(secret pulumi.StringInput, key string) *corev1.VolumeProjectionArgs {
	return &corev1.VolumeProjectionArgs{Secret: &corev1.SecretProjectionArgs{
		Name:  secret,
		Items: corev1.KeyToPathArray{&corev1.KeyToPathArgs{Key: pulumi.String(key), Path: pulumi.String(key)}},
	}}
}
