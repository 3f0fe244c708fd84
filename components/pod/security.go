// Package pod holds what all pods of the program share: security contexts, resources, scratch volumes.
package pod

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// SecurityContext runs every container of a pod as the given user and group and hands the pod's volumes to
// that group. User IDs lie above 10000, so that they match no user of the host.
func SecurityContext(id int) *corev1.PodSecurityContextArgs {
	return &corev1.PodSecurityContextArgs{
		RunAsNonRoot: pulumi.Bool(true),
		RunAsUser:    pulumi.Int(id),
		RunAsGroup:   pulumi.Int(id),
		FsGroup:      pulumi.Int(id),
		// The default, Always, walks the whole volume at every start of a pod.
		FsGroupChangePolicy: pulumi.String("OnRootMismatch"),
		SeccompProfile:      &corev1.SeccompProfileArgs{Type: pulumi.String("RuntimeDefault")},
	}
}

// ContainerSecurityContext is what Pod Security's restricted level asks of every container, and a read-only
// root file system on top.
func ContainerSecurityContext() *corev1.SecurityContextArgs {
	return &corev1.SecurityContextArgs{
		AllowPrivilegeEscalation: pulumi.Bool(false),
		ReadOnlyRootFilesystem:   pulumi.Bool(true),
		Capabilities:             &corev1.CapabilitiesArgs{Drop: pulumi.StringArray{pulumi.String("ALL")}},
	}
}
