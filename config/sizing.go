package config

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"

	"wordpress-on-kubernetes/components/limits"
)

// The least that a pod of WordPress needs, in bytes: a site with few plugins, whose pages and editor stay near 32 MiB in each of Apache's
// children. What does not fit in that is refused:
//
//	leastBaseMemory + workers × leastWorkerMemory + pictureMemory ≤ resources.memory
const (
	leastBaseMemory   = 64 << 20
	leastWorkerMemory = 32 << 20
)

// What the default number of workers leaves room for, in bytes: a shop with a large set of plugins, tried with 20 MB of PHP in 2,500 files
// for each page. Apache and PHP took 36 MiB at rest, and the opcode cache, which all children share, fills its 136 MiB; a child added 13 MiB
// of its own for the plugins, beside what WordPress, its options and the page take.
const (
	shopBaseMemory   = 192 << 20
	shopWorkerMemory = 64 << 20
)

// workersPerCore bounds the default number of workers by processor time: with all of them busy, a page of a tenth of a second of it
// takes 2.4 s.
const workersPerCore = 24

// mebibytes writes bytes in the unit that people configure memory in; a Quantity by itself prefers Ki to a fraction.
func mebibytes(bytes int64) string { return fmt.Sprintf("%dMi", (bytes+1<<20-1)>>20) }

// DefaultWorkers is how many requests a WordPress pod can serve at a time: as many as its memory holds of a shop's beside a picture,
// (memory - 448 MiB) / 64 MiB, and at most 24 for each core, from MinWorkers to MaxDefaultWorkers. So 768Mi and 500m give 5.
func DefaultWorkers(r Resources) int {
	picture := resource.MustParse(MaxDefaultPictureMemory)
	fitting := (r.Memory.Value() - shopBaseMemory - picture.Value()) / shopWorkerMemory
	cores := r.CPU
	if r.CPULimit != nil {
		cores = *r.CPULimit
	}
	fitting = min(fitting, (cores.MilliValue()*workersPerCore+999)/1000)
	return int(min(max(fitting, MinWorkers), MaxDefaultWorkers))
}

// DefaultRequestMemory is the most memory that one request gets in a WordPress pod of the given memory, in bytes: a third, so that several
// may, within LeastDefaultRequestMemory and MaxDefaultRequestMemory, or what fits beside Apache and the opcode cache.
func DefaultRequestMemory(memory resource.Quantity) resource.Quantity {
	least, most := resource.MustParse(LeastDefaultRequestMemory), resource.MustParse(MaxDefaultRequestMemory)
	third := min(max(memory.Value()/3, least.Value()), most.Value())
	return *resource.NewQuantity(min(third, requestMemoryWithin(memory).Value()), resource.BinarySI)
}

// DefaultPictureMemory is the memory in bytes for the pixels of pictures in a pod of the given memory and workers.
func DefaultPictureMemory(memory resource.Quantity, workers int) resource.Quantity {
	least, most := resource.MustParse(MinPictureMemory), resource.MustParse(MaxDefaultPictureMemory)
	fitting := min(max(pictureMemoryWithin(memory, workers).Value(), least.Value()), most.Value())
	return *resource.NewQuantity(fitting, resource.BinarySI)
}

// requestMemoryWithin is the memory in bytes that a pod has for its requests.
func requestMemoryWithin(memory resource.Quantity) *resource.Quantity {
	return resource.NewQuantity(memory.Value()-leastBaseMemory, resource.BinarySI)
}

// pictureMemoryWithin is the memory in bytes that so many workers leave to pictures.
func pictureMemoryWithin(memory resource.Quantity, workers int) *resource.Quantity {
	return resource.NewQuantity(memory.Value()-leastBaseMemory-int64(workers)*leastWorkerMemory, resource.BinarySI)
}

// workersWithin is how many workers the memory in bytes holds beside the smallest picture.
func workersWithin(memory resource.Quantity) int {
	picture := resource.MustParse(MinPictureMemory)
	return int((memory.Value() - leastBaseMemory - picture.Value()) / leastWorkerMemory)
}

// workersMemory is the memory in bytes that so many workers need beside the smallest picture.
func workersMemory(workers int) *resource.Quantity {
	needed := resource.MustParse(MinPictureMemory)
	needed.Add(*resource.NewQuantity(leastBaseMemory+int64(workers)*leastWorkerMemory, resource.BinarySI))
	return &needed
}

// maxCPUUtilization is the greatest target of the autoscaler that pods can exceed, in percent of their request.
func maxCPUUtilization(pods *Resources) int {
	if pods.CPULimit == nil || pods.CPULimit.Cmp(pods.CPU) <= 0 || pods.CPU.Sign() <= 0 {
		return MaxCPUUtilization
	}
	return int(MaxCPUUtilization * pods.CPULimit.MilliValue() / pods.CPU.MilliValue())
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
