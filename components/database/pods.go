package database

import (
	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/pod"
)

const (
	// userID is above 10000, so that it matches no user of the host; the image's own is 999.
	userID = 10999

	configMapName = "wordpress-mysql"
	portName      = "mysql"

	dataVolume    = "data"
	configVolume  = "config"
	secretsVolume = "passwords"

	secretsPath = "/etc/mysql-passwords"
	// dataPath is a folder of the volume, not its root: a fresh ext4 volume holds lost+found, and MySQL
	// refuses to initialise a directory that holds anything.
	dataPath   = "/var/lib/mysql"
	dataFolder = "mysql"
	volumePath = "/volume"
)

// Probe timing, in seconds. The start may take long: after a crash InnoDB replays its log first.
const (
	startupPeriod    = 2
	startupFailures  = 300
	readinessPeriod  = 5
	readinessFailure = 3
	probeTimeout     = 5
)

// passwordSecrets are the names of the Secrets with the two passwords; they may be the same.
type passwordSecrets struct {
	user, root pulumi.StringInput
}

func statefulSetArgs(args *Args, secrets passwordSecrets, checksum string) *appsv1.StatefulSetArgs {
	set := labelSet(args)
	return &appsv1.StatefulSetArgs{
		Metadata: metadata(args, Service),
		Spec: &appsv1.StatefulSetSpecArgs{
			Replicas:    pulumi.Int(1),
			ServiceName: pulumi.String(HeadlessService),
			Selector:    &metav1.LabelSelectorArgs{MatchLabels: set.Selector()},
			Template: &corev1.PodTemplateSpecArgs{
				Metadata: &metav1.ObjectMetaArgs{
					Labels:      set.All(),
					Annotations: pulumi.StringMap{pod.ChecksumAnnotation + "config": pulumi.String(checksum)},
				},
				Spec: podSpec(args, secrets),
			},
		},
	}
}

func podSpec(args *Args, secrets passwordSecrets) *corev1.PodSpecArgs {
	return &corev1.PodSpecArgs{
		AutomountServiceAccountToken:  pulumi.Bool(false),
		EnableServiceLinks:            pulumi.Bool(false),
		SecurityContext:               pod.SecurityContext(userID),
		TerminationGracePeriodSeconds: pulumi.Int(args.Server.TerminationGracePeriodSeconds),
		InitContainers:                corev1.ContainerArray{prepareContainer(args.Server)},
		Containers:                    corev1.ContainerArray{serverContainer(args)},
		Volumes: corev1.VolumeArray{
			pod.ClaimVolume(dataVolume, args.Server.DataClaim),
			pod.ConfigMapVolume(configVolume, configMapName),
			passwordsVolume(secrets),
			pod.Scratch(),
		},
	}
}

// prepareContainer lets an interrupted first start begin anew, see files/prepare.sh.
func prepareContainer(server *ServerArgs) *corev1.ContainerArgs {
	const script = "/scripts/" + prepareKey
	return &corev1.ContainerArgs{
		Name:            pulumi.String("prepare"),
		Image:           pulumi.String(server.Image),
		Command:         pulumi.ToStringArray([]string{"sh", script}),
		Resources:       server.Resources.Requirements(),
		SecurityContext: pod.ContainerSecurityContext(),
		VolumeMounts: corev1.VolumeMountArray{
			wholeVolume(),
			pod.File(configVolume, prepareKey, script),
		},
	}
}

func serverContainer(args *Args) *corev1.ContainerArgs {
	return &corev1.ContainerArgs{
		Name:            pulumi.String("mysql"),
		Image:           pulumi.String(args.Server.Image),
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
		wholeVolume(),
		&corev1.VolumeMountArgs{
			Name: pulumi.String(secretsVolume), MountPath: pulumi.String(secretsPath), ReadOnly: pulumi.Bool(true),
		},
		pod.File(configVolume, serverConfigKey, "/etc/mysql/conf.d/"+serverConfigKey),
		// Scripts here run in the order of their names at the end of a first start.
		pod.File(configVolume, completeKey, "/docker-entrypoint-initdb.d/zz-"+completeKey),
	}
	return append(fixed, pod.ScratchMounts([2]string{"tmp", "/tmp"}, [2]string{"run", "/var/run/mysqld"})...)
}

// wholeVolume shows the marker of prepare.sh, which lies beside the data directory.
func wholeVolume() *corev1.VolumeMountArgs {
	return &corev1.VolumeMountArgs{Name: pulumi.String(dataVolume), MountPath: pulumi.String(volumePath)}
}

func passwordsVolume(secrets passwordSecrets) *corev1.VolumeArgs {
	return &corev1.VolumeArgs{
		Name: pulumi.String(secretsVolume),
		Projected: &corev1.ProjectedVolumeSourceArgs{
			DefaultMode: pulumi.Int(0o440),
			Sources: corev1.VolumeProjectionArray{
				secretFile(secrets.user, PasswordKey),
				secretFile(secrets.root, RootPasswordKey),
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
