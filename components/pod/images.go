package pod

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// PullSecrets names the Secrets with which a pod's images are pulled. Nil without names: the node's credentials are used.
func PullSecrets(names []string) corev1.LocalObjectReferenceArrayInput {
	if len(names) == 0 {
		return nil
	}
	references := make(corev1.LocalObjectReferenceArray, 0, len(names))
	for _, name := range names {
		references = append(references, &corev1.LocalObjectReferenceArgs{Name: pulumi.String(name)})
	}
	return references
}
