// Package pod holds what all pods of the program share: security contexts, resources, scratch volumes.
package pod

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// User is whom every container of a pod runs as, and to which group the pod's volumes are handed. What is zero, the cluster sets.
type User struct {
	ID, GroupID, FSGroup int
	// SELinuxLevel such as s0:c123,c456.
	SELinuxLevel string
}

// SecurityContext is that of a pod. The images' own user is root, so that a pod without a user starts only where the cluster gives it one.
func SecurityContext(user User) *corev1.PodSecurityContextArgs {
	context := &corev1.PodSecurityContextArgs{
		RunAsNonRoot: pulumi.Bool(true),
		RunAsUser:    optionalInt(user.ID),
		RunAsGroup:   optionalInt(user.GroupID),
		FsGroup:      optionalInt(user.FSGroup),
		// The default, Always, walks the whole volume at every start of a pod.
		FsGroupChangePolicy: pulumi.String("OnRootMismatch"),
		SeccompProfile:      &corev1.SeccompProfileArgs{Type: pulumi.String("RuntimeDefault")},
	}
	if user.SELinuxLevel != "" {
		context.SeLinuxOptions = &corev1.SELinuxOptionsArgs{Level: pulumi.String(user.SELinuxLevel)}
	}
	return context
}

// optionalInt is nil for 0.
func optionalInt(value int) pulumi.IntPtrInput {
	if value == 0 {
		return nil
	}
	return pulumi.Int(value)
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
