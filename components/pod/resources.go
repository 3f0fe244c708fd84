package pod

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/api/resource"
)

// QoSGuaranteed is the quality of service class of every pod of the program.
const QoSGuaranteed = "Guaranteed"

// Resources are both the requests and the limits of a container, which makes its pod Guaranteed: it is the
// last to be evicted and never slowed down by its neighbours' bursts.
type Resources struct {
	// CPU in cores.
	CPU resource.Quantity
	// Memory in bytes.
	Memory resource.Quantity
	// EphemeralStorage in bytes, for logs and scratch volumes.
	EphemeralStorage resource.Quantity
}

// Requirements are the resources in the form that a container takes.
func (r Resources) Requirements() *corev1.ResourceRequirementsArgs {
	list := pulumi.StringMap{
		"cpu":               pulumi.String(r.CPU.String()),
		"memory":            pulumi.String(r.Memory.String()),
		"ephemeral-storage": pulumi.String(r.EphemeralStorage.String()),
	}
	return &corev1.ResourceRequirementsArgs{Requests: list, Limits: list}
}
