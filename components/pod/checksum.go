package pod

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// ChecksumAnnotation prefixes the annotations that make a changed Secret roll the pods.
const ChecksumAnnotation = "checksum.wordpress/"

// FilesArgs is a ConfigMap named after its content, with a name in front. A change makes a new object instead of changing the one that
// running pods hold: they keep their files until they go, a restarted one of the old revision gets the old files,
// and the new name in the pod template rolls the pods.
func FilesArgs(metadata *metav1.ObjectMetaArgs, name string, files map[string]string) *corev1.ConfigMapArgs {
	const digits = 10
	metadata.Name = pulumi.String(name + "-" + Checksum(files)[:digits])
	// One that a destroy left, or that an earlier revision still has, is taken up again: its mark is then of another state.
	metadata.Annotations = pulumi.StringMap{"pulumi.com/patchForce": pulumi.String("true")}
	return &corev1.ConfigMapArgs{Metadata: metadata, Data: pulumi.ToStringMap(files), Immutable: pulumi.Bool(true)}
}

// Checksum is the SHA-256 of a map of files, the same for the same names and contents.
func Checksum(files map[string]string) string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		sum.Write([]byte(name + "\x00" + files[name] + "\x00"))
	}
	return hex.EncodeToString(sum.Sum(nil))
}
