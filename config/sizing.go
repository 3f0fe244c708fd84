package config

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"

	"wordpress-on-kubernetes/components/limits"
)

// How much memory WordPress needs, in bytes. Apache's children share the opcode cache and the code of Apache
// and PHP; what one adds is its own heap, which stays near 32 MiB for the front page and the editor of a site
// with few plugins.
const (
	workerBaseMemory = 64 << 20
	workerMemory     = 32 << 20
)

// mebibytes writes bytes in the unit that people configure memory in; a Quantity by itself prefers Ki to a fraction.
func mebibytes(bytes int64) string { return fmt.Sprintf("%dMi", (bytes+1<<20-1)>>20) }

// DefaultWorkers is how many requests a WordPress pod can serve at a time in the given memory, in bytes:
// (memory - 64 MiB) / 32 MiB, from MinWorkers to MaxDefaultWorkers. So 256Mi gives 6.
func DefaultWorkers(memory resource.Quantity) int {
	fitting := (memory.Value() - workerBaseMemory) / workerMemory
	return int(min(max(fitting, MinWorkers), MaxDefaultWorkers))
}

// DefaultRequestMemory is the most memory that one request gets in a WordPress pod of the given memory, in bytes: PHP's own 128 MiB,
// or what fits beside Apache and the opcode cache.
func DefaultRequestMemory(memory resource.Quantity) resource.Quantity {
	most := resource.MustParse(MaxDefaultRequestMemory)
	if fitting := requestMemoryWithin(memory); fitting.Cmp(most) < 0 {
		return *fitting
	}
	return most
}

// requestMemoryWithin is the memory in bytes that a pod has for its requests.
func requestMemoryWithin(memory resource.Quantity) *resource.Quantity {
	return resource.NewQuantity(memory.Value()-workerBaseMemory, resource.BinarySI)
}

// workersMemory is the memory in bytes that so many workers need.
func workersMemory(workers int) *resource.Quantity {
	return resource.NewQuantity(workerBaseMemory+int64(workers)*workerMemory, resource.BinarySI)
}

// ReplicaRange is the least and the greatest number of frontend pods outside of a rolling update: the
// autoscaler's bounds, or twice the fixed number.
func (s *Stack) ReplicaRange() (least, greatest int) {
	switch {
	case *s.Autoscaling.Enabled:
		return s.Autoscaling.MinReplicas, s.Autoscaling.MaxReplicas
	case s.Frontend.Replicas != nil:
		return *s.Frontend.Replicas, *s.Frontend.Replicas
	}
	return DefaultReplicas, DefaultReplicas
}

// peakPods is how many frontend pods there can be at the same time, in the middle of a rolling update at the
// greatest scale.
func (s *Stack) peakPods() int {
	_, greatest := s.ReplicaRange()
	return greatest + s.Frontend.MaxSurge.roundUp(greatest)
}

// neededConnections is what MySQL must accept at the peak. A pod that drains is not counted: it takes no new requests, and those that it
// still has need one connection each.
func (s *Stack) neededConnections() int {
	return limits.NeededConnections(s.peakPods(), *s.Frontend.Workers)
}
