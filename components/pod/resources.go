package pod

import (
	"maps"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/api/resource"
)

// The quality of service classes of the program's pods.
const (
	// QoSGuaranteed is that of pods whose requests are their limits: they are the last to be evicted.
	QoSGuaranteed = "Guaranteed"
	// QoSBurstable is that of pods that may use more processor time than they ask for.
	QoSBurstable = "Burstable"
)

// Resources are both the requests and the limits of a container, which makes its pod Guaranteed: it is the
// last to be evicted and never slowed down by its neighbours' bursts.
type Resources struct {
	// CPU in cores.
	CPU resource.Quantity
	// CPULimit in cores, at least CPU. Nil: CPU.
	CPULimit *resource.Quantity
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
	if r.CPULimit == nil {
		return &corev1.ResourceRequirementsArgs{Requests: list, Limits: list}
	}
	limits := maps.Clone(list)
	limits["cpu"] = pulumi.String(r.CPULimit.String())
	return &corev1.ResourceRequirementsArgs{Requests: list, Limits: limits}
}

// QoSClass is the quality of service class of a pod all of whose containers have these resources.
func (r Resources) QoSClass() string {
	if r.CPULimit == nil || r.CPULimit.Cmp(r.CPU) == 0 {
		return QoSGuaranteed
	}
	return QoSBurstable
}
