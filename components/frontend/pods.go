package frontend

import (
	"slices"
	"strconv"

	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/pod"
)

const (
	sitePortName  = "http"
	probePort     = 8081
	probePortName = "probe"

	// corePath is where the image keeps WordPress; it is served from there and never copied.
	corePath = "/usr/src/wordpress"
	// configPath, healthPath and secretsPath hold what the program mounts.
	configPath  = "/etc/wordpress"
	healthPath  = configPath + "/health"
	secretsPath = configPath + "/secrets"

	contentVolume = "content"
	contentFolder = "wp-content"
	configVolume  = "config"
	secretsVolume = "secrets"
)

const (
	// minReadySeconds is how long a new pod must stay ready before it counts and an old one may go: by then
	// the edge has learned of it.
	minReadySeconds = 5
	// progressDeadlineSeconds after which a rollout that does not get on is reported as failed.
	progressDeadlineSeconds = 600
	// revisionHistory that can be rolled back to.
	revisionHistory = 3
)

// mounted are the names of what the pods mount. The checksums change with the keys and salts and with the database's password; each
// is nil where the program does not see them.
type mounted struct {
	configMap, authSecret, keysChecksum, passwordChecksum pulumi.StringInput
	// adminSecret is nil where nobody is to be installed.
	adminSecret pulumi.StringInput
}

func deploymentArgs(args *Args, names mounted) *appsv1.DeploymentArgs {
	set := labelSet(args)
	annotations := pulumi.StringMap{}
	if names.keysChecksum != nil {
		annotations[pod.ChecksumAnnotation+"keys"] = names.keysChecksum
	}
	if names.passwordChecksum != nil {
		annotations[PasswordAnnotation] = names.passwordChecksum
	}
	spec := &appsv1.DeploymentSpecArgs{
		Selector: &metav1.LabelSelectorArgs{MatchLabels: set.Selector()},
		Strategy: &appsv1.DeploymentStrategyArgs{
			Type: pulumi.String("RollingUpdate"),
			RollingUpdate: &appsv1.RollingUpdateDeploymentArgs{
				MaxSurge: intOrString(args.MaxSurge), MaxUnavailable: intOrString(args.MaxUnavailable),
			},
		},
		MinReadySeconds:         pulumi.Int(minReadySeconds),
		ProgressDeadlineSeconds: pulumi.Int(progressDeadlineSeconds),
		RevisionHistoryLimit:    pulumi.Int(revisionHistory),
		Template: &corev1.PodTemplateSpecArgs{
			Metadata: &metav1.ObjectMetaArgs{Labels: set.All(), Annotations: annotations},
			Spec:     podSpec(args, names),
		},
	}
	if args.Replicas != nil {
		spec.Replicas = pulumi.Int(*args.Replicas)
	}
	return &appsv1.DeploymentArgs{Metadata: metadata(args, Name), Spec: spec}
}

func podSpec(args *Args, names mounted) *corev1.PodSpecArgs {
	return &corev1.PodSpecArgs{
		AutomountServiceAccountToken: pulumi.Bool(false),
		// Links would add WORDPRESS_* variables of the Service to those that the image reads.
		EnableServiceLinks:            pulumi.Bool(false),
		SecurityContext:               pod.SecurityContext(args.User),
		TerminationGracePeriodSeconds: pulumi.Int(args.TerminationGracePeriodSeconds),
		ImagePullSecrets:              pod.PullSecrets(args.ImagePullSecrets),
		InitContainers:                corev1.ContainerArray{seedContainer(args), installContainer(args)},
		Containers:                    corev1.ContainerArray{siteContainer(args)},
		Volumes:                       volumes(args, names),
		TopologySpreadConstraints:     pod.SpreadConstraints(labelSet(args).Selector()),
		Tolerations:                   pod.Tolerations(),
		Affinity:                      pod.AntiAffinity(labelSet(args).Selector(), args.RequireSpread),
	}
}

func volumes(args *Args, names mounted) corev1.VolumeArray {
	list := corev1.VolumeArray{
		pod.ClaimVolume(contentVolume, args.ContentClaim),
		pod.ConfigMapVolume(configVolume, names.configMap),
		secretsVolumeArgs(args.Database, names.authSecret),
		pod.Scratch(),
	}
	if names.adminSecret != nil {
		list = append(list, adminVolumeArgs(names.adminSecret))
	}
	return list
}

// seedContainer fills the shared volume on first boot, see files/seed.sh.
func seedContainer(args *Args) *corev1.ContainerArgs {
	const script = configPath + "/" + seedKey
	return &corev1.ContainerArgs{
		Name:            pulumi.String("seed"),
		Image:           pulumi.String(args.Image),
		ImagePullPolicy: pulumi.String(args.ImagePullPolicy),
		Command:         pulumi.ToStringArray([]string{"sh", script}),
		Resources:       args.Resources.Requirements(),
		SecurityContext: pod.ContainerSecurityContext(),
		VolumeMounts: corev1.VolumeMountArray{
			&corev1.VolumeMountArgs{Name: pulumi.String(contentVolume), MountPath: pulumi.String("/content")},
			imageVolume(),
			pod.File(configVolume, seedKey, script),
		},
	}
}

func siteContainer(args *Args) *corev1.ContainerArgs {
	container := &corev1.ContainerArgs{
		Name:            pulumi.String("wordpress"),
		Image:           pulumi.String(args.Image),
		ImagePullPolicy: pulumi.String(args.ImagePullPolicy),
		// The image's entrypoint looks for WordPress in its working directory: finding core and a wp-config.php
		// there, it copies and writes nothing.
		WorkingDir: pulumi.String(corePath),
		Env:        environment(args),
		Ports: corev1.ContainerPortArray{
			&corev1.ContainerPortArgs{Name: pulumi.String(sitePortName), ContainerPort: pulumi.Int(SitePort)},
			&corev1.ContainerPortArgs{Name: pulumi.String(probePortName), ContainerPort: pulumi.Int(probePort)},
		},
		Resources:       args.Resources.Requirements(),
		SecurityContext: pod.ContainerSecurityContext(),
		StartupProbe:    startupProbe(),
		ReadinessProbe:  readinessProbe(),
		Lifecycle:       pod.Drain(args.DrainSeconds),
		VolumeMounts:    mounts(args),
	}
	if args.LivenessProbe {
		container.LivenessProbe = livenessProbe()
	}
	return container
}

// environment is the contract of the official image; every secret is a file, never a value.
func environment(args *Args) corev1.EnvVarArray {
	database := args.Database
	env := corev1.EnvVarArray{
		&corev1.EnvVarArgs{Name: pulumi.String("WORDPRESS_DB_HOST"), Value: database.Host},
		&corev1.EnvVarArgs{Name: pulumi.String("WORDPRESS_DB_NAME"), Value: pulumi.String(database.Name)},
		&corev1.EnvVarArgs{Name: pulumi.String("WORDPRESS_DB_USER"), Value: pulumi.String(database.User)},
		&corev1.EnvVarArgs{Name: pulumi.String("WORDPRESS_DB_CHARSET"), Value: pulumi.String("utf8mb4")},
		&corev1.EnvVarArgs{Name: pulumi.String("WORDPRESS_DB_COLLATE"), Value: pulumi.String("utf8mb4_unicode_ci")},
		secretFile("WORDPRESS_DB_PASSWORD_FILE", database.PasswordKey),
	}
	if database.TablePrefix != "" {
		env = append(env, &corev1.EnvVarArgs{Name: pulumi.String("WORDPRESS_TABLE_PREFIX"), Value: pulumi.String(database.TablePrefix)})
	}
	for _, key := range keyNames {
		env = append(env, secretFile("WORDPRESS_"+key+"_FILE", key))
	}
	return slices.Concat(env, pictureLimits(args.PictureMemoryBytes))
}

// pictureLimits bound ImageMagick, of which PHP knows nothing. What does not fit in the memory fails at once: kept on disk instead, the
// sizes of a picture of 24 megapixels were measured at 81 seconds of processor time in place of 5.
func pictureLimits(memoryBytes int64) corev1.EnvVarArray {
	var env corev1.EnvVarArray
	for _, limit := range [][2]string{
		{"MAGICK_MEMORY_LIMIT", strconv.FormatInt(memoryBytes, 10) + "B"},
		{"MAGICK_MAP_LIMIT", "0"},
		{"MAGICK_DISK_LIMIT", "0"},
		// Threads only contend for the little processor time of a pod.
		{"MAGICK_THREAD_LIMIT", "1"},
		// Where the library of fonts, which PDF files need, keeps what it found.
		{"XDG_CACHE_HOME", "/tmp"},
	} {
		env = append(env, &corev1.EnvVarArgs{Name: pulumi.String(limit[0]), Value: pulumi.String(limit[1])})
	}
	return env
}

func secretFile(variable, file string) *corev1.EnvVarArgs {
	return &corev1.EnvVarArgs{Name: pulumi.String(variable), Value: pulumi.String(secretsPath + "/" + file)}
}

func mounts(args *Args) corev1.VolumeMountArray {
	fixed := corev1.VolumeMountArray{
		pod.File(configVolume, portsKey, "/etc/apache2/ports.conf"),
		pod.File(configVolume, siteKey, "/etc/apache2/sites-available/000-default.conf"),
		pod.File(configVolume, startupKey, healthPath+"/"+startupKey),
	}
	return slices.Concat(fixed, programMounts(args), pod.ScratchMounts(
		[2]string{"tmp", "/tmp"}, [2]string{"run", "/var/run/apache2"}, [2]string{"lock", "/var/lock/apache2"}))
}

// programMounts are what WordPress needs to run, whether a web server or a command starts it.
func programMounts(args *Args) corev1.VolumeMountArray {
	fixed := corev1.VolumeMountArray{
		&corev1.VolumeMountArgs{
			Name:      pulumi.String(contentVolume),
			SubPath:   pulumi.String(contentFolder),
			MountPath: pulumi.String(corePath + "/wp-content"),
		},
		imageVolume(),
		pod.File(configVolume, phpKey, "/usr/local/etc/php/conf.d/zz-wordpress.ini"),
		pod.File(configVolume, wpConfigKey, corePath+"/wp-config.php"),
		pod.File(configVolume, picturesKey, picturesPath),
		pod.File(configVolume, connectKey, connectPath),
		pod.File(configVolume, requestsKey, configPath+"/"+requestsKey),
		pod.File(configVolume, updatesKey, configPath+"/"+updatesKey),
		pod.File(configVolume, filesystemKey, configPath+"/"+filesystemKey),
		pod.File(configVolume, databaseKey, configPath+"/"+databaseKey),
		pod.File(configVolume, pagesKey, configPath+"/"+pagesKey),
		pod.File(configVolume, patientKey, configPath+"/"+patientKey),
		pod.File(configVolume, maintenanceKey, corePath+"/.maintenance"),
	}
	if args.Cache != nil {
		fixed = append(fixed, pod.File(configVolume, cacheKey, configPath+"/"+cacheKey))
	}
	if hasCABundle(args) {
		fixed = append(fixed, pod.File(configVolume, caBundleKey, caBundlePath))
	}
	return append(fixed, secretMounts(args.Database)...)
}

// secretMounts show each secret as a file of its own, which stays as it was when the container started. A mounted folder would follow
// the Secret: the kubelet replaces what is in it, and PHP, which remembers for a minute where a path leads, no longer finds the files.
func secretMounts(database DatabaseArgs) corev1.VolumeMountArray {
	var files corev1.VolumeMountArray
	for _, key := range append([]string{database.PasswordKey}, keyNames[:]...) {
		files = append(files, pod.File(secretsVolume, key, secretsPath+"/"+key))
	}
	return files
}

// imageVolume covers the folder that the image declares to be a volume. The runtime would make one there, which everything in
// the container could write to, on the node's disk and beyond the container's limit.
func imageVolume() *corev1.VolumeMountArgs {
	return pod.EmptyMount("html", "/var/www/html")
}

func secretsVolumeArgs(database DatabaseArgs, authSecret pulumi.StringInput) *corev1.VolumeArgs {
	return &corev1.VolumeArgs{
		Name: pulumi.String(secretsVolume),
		Projected: &corev1.ProjectedVolumeSourceArgs{
			DefaultMode: pulumi.Int(0o440),
			Sources: corev1.VolumeProjectionArray{
				secretProjection(database.SecretName, database.PasswordKey),
				secretProjection(authSecret, keyNames[:]...),
			},
		},
	}
}

func secretProjection(secret pulumi.StringInput, keys ...string) *corev1.VolumeProjectionArgs {
	items := make(corev1.KeyToPathArray, 0, len(keys))
	for _, key := range keys {
		items = append(items, &corev1.KeyToPathArgs{Key: pulumi.String(key), Path: pulumi.String(key)})
	}
	return &corev1.VolumeProjectionArgs{Secret: &corev1.SecretProjectionArgs{Name: secret, Items: items}}
}
