package storage

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/labels"
)

func claimArgs(args *Args, name, component, accessMode string, volume *VolumeArgs) *corev1.PersistentVolumeClaimArgs {
	spec := &corev1.PersistentVolumeClaimSpecArgs{
		AccessModes: pulumi.StringArray{pulumi.String(accessMode)},
		Resources: &corev1.VolumeResourceRequirementsArgs{
			Requests: pulumi.StringMap{"storage": pulumi.String(volume.Size.String())},
		},
	}
	if volume.StorageClass != "" {
		spec.StorageClassName = pulumi.String(volume.StorageClass)
	}
	return &corev1.PersistentVolumeClaimArgs{
		Metadata: &metav1.ObjectMetaArgs{
			Name:      pulumi.String(name),
			Namespace: args.Namespace,
			Labels:    labels.Set{Name: "wordpress", Component: component, Instance: args.Instance}.All(),
			// A class that binds on first use leaves the claim pending until a pod mounts it; the pods are
			// awaited, so waiting here could only block.
			Annotations: pulumi.StringMap{"pulumi.com/skipAwait": pulumi.String("true")},
		},
		Spec: spec,
	}
}
