package pod

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// scratchVolume is the one empty volume behind all writable paths of a container.
const scratchVolume = "scratch"

// Scratch is an empty volume for what a process writes beside its read-only root file system. It counts
// towards the container's ephemeral storage and goes with the pod.
func Scratch() *corev1.VolumeArgs {
	return &corev1.VolumeArgs{
		Name:     pulumi.String(scratchVolume),
		EmptyDir: &corev1.EmptyDirVolumeSourceArgs{},
	}
}

// ScratchMounts mounts a folder of the scratch volume at each path. The folder names must differ.
func ScratchMounts(pathByFolder ...[2]string) corev1.VolumeMountArray {
	mounts := make(corev1.VolumeMountArray, 0, len(pathByFolder))
	for _, pair := range pathByFolder {
		mounts = append(mounts, &corev1.VolumeMountArgs{
			Name:      pulumi.String(scratchVolume),
			SubPath:   pulumi.String(pair[0]),
			MountPath: pulumi.String(pair[1]),
		})
	}
	return mounts
}

// EmptyMount mounts an empty folder of the scratch volume at a path where nobody may write.
func EmptyMount(folder, path string) *corev1.VolumeMountArgs {
	return &corev1.VolumeMountArgs{
		Name:      pulumi.String(scratchVolume),
		SubPath:   pulumi.String(folder),
		MountPath: pulumi.String(path),
		ReadOnly:  pulumi.Bool(true),
	}
}

// ConfigMapVolume shows a ConfigMap's keys as files that nobody can write.
func ConfigMapVolume(volume string, configMap pulumi.StringInput) *corev1.VolumeArgs {
	return &corev1.VolumeArgs{
		Name: pulumi.String(volume),
		ConfigMap: &corev1.ConfigMapVolumeSourceArgs{
			Name:        configMap.ToStringOutput(),
			DefaultMode: pulumi.Int(0o444),
		},
	}
}

// File mounts one key of a volume of a ConfigMap or of Secrets as a file at the given path. It stays as it was when the container
// started.
func File(volume, key, path string) *corev1.VolumeMountArgs {
	return &corev1.VolumeMountArgs{
		Name:      pulumi.String(volume),
		SubPath:   pulumi.String(key),
		MountPath: pulumi.String(path),
		ReadOnly:  pulumi.Bool(true),
	}
}

// ClaimVolume is the volume behind a PersistentVolumeClaim.
func ClaimVolume(volume string, claim pulumi.StringInput) *corev1.VolumeArgs {
	return &corev1.VolumeArgs{
		Name:                  pulumi.String(volume),
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSourceArgs{ClaimName: claim},
	}
}
