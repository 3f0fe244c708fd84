package frontend

import (
	"fmt"
	"slices"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/hooks"
	"wordpress-on-kubernetes/components/pod"
)

const (
	adminVolume = "admin"
	adminPath   = configPath + "/admin"

	// upgradeReadSeconds is how long one change of the database's tables may take: a site's largest one is copied in it.
	upgradeReadSeconds = 3600
)

// installContainer installs the site where there is none, and brings the database up to the core's version, see
// files/install.php. It has what the site's own container has, so that the pod needs no more than that, and alone sees the
// administrator's password.
func installContainer(args *Args) *corev1.ContainerArgs {
	const script = configPath + "/" + installKey
	// As the first process of a container PHP would not hear that it is to end, and the pod would take its whole grace period. WINCH is
	// what the image is stopped with, since it is what Apache finishes its requests on.
	command := fmt.Sprintf("trap 'kill $!' TERM WINCH; php -d memory_limit=%d -d mysqlnd.net_read_timeout=%d %s & wait $!",
		args.RequestMemoryBytes, upgradeReadSeconds, script)
	own := corev1.VolumeMountArray{pod.File(configVolume, installKey, script)}
	if args.Admin != nil {
		own = append(own, &corev1.VolumeMountArgs{
			Name: pulumi.String(adminVolume), MountPath: pulumi.String(adminPath), ReadOnly: pulumi.Bool(true),
		})
	}
	return &corev1.ContainerArgs{
		Name:            pulumi.String("install"),
		Image:           pulumi.String(args.Image),
		ImagePullPolicy: pulumi.String(args.ImagePullPolicy),
		Command:         pulumi.ToStringArray([]string{"sh", "-c", command}),
		WorkingDir:      pulumi.String(corePath),
		Env:             environment(args),
		Resources:       args.Resources.Requirements(),
		SecurityContext: pod.ContainerSecurityContext(),
		VolumeMounts:    slices.Concat(own, programMounts(args), pod.ScratchMounts([2]string{"install", "/tmp"})),
	}
}

// adminVolumeArgs is a folder that follows the Secret, and empty without it: a site that is installed needs it no more.
func adminVolumeArgs(secret pulumi.StringInput) *corev1.VolumeArgs {
	return &corev1.VolumeArgs{
		Name: pulumi.String(adminVolume),
		Secret: &corev1.SecretVolumeSourceArgs{
			SecretName:  secret.ToStringOutput(),
			DefaultMode: pulumi.Int(0o440),
			Optional:    pulumi.Bool(true),
			Items: corev1.KeyToPathArray{&corev1.KeyToPathArgs{
				Key: pulumi.String(AdminPasswordKey), Path: pulumi.String(AdminPasswordKey),
			}},
		},
	}
}

// registerAdminSecret returns the name of the Secret with the administrator's password, or nil where no site is installed.
func registerAdminSecret(ctx *pulumi.Context, name string, args *Args, parent pulumi.ResourceOption) (pulumi.StringInput, error) {
	if args.Admin == nil {
		return nil, nil
	}
	if args.Admin.ExistingSecret != "" {
		return pulumi.String(args.Admin.ExistingSecret), nil
	}
	secret, err := corev1.NewSecret(ctx, name+"-admin-secret", &corev1.SecretArgs{
		Metadata:   metadata(args, AdminSecret),
		Type:       pulumi.String("Opaque"),
		StringData: pulumi.StringMap{AdminPasswordKey: args.Admin.Password},
	}, parent, hooks.AroundUpdate(args.Admin.BeforePassword, nil))
	if err != nil {
		return nil, fmt.Errorf("admin secret: %w", err)
	}
	return secret.Metadata.Name().Elem(), nil
}
