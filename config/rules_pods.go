package config

import (
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"wordpress-on-kubernetes/components/limits"
)

var podRules = []rule{
	{requestsFitInGracePeriod, []string{"frontend.drainSeconds", "frontend.maxRequestSeconds", "frontend.terminationGracePeriodSeconds"}},
	{livenessOutlastsRequests, []string{"frontend.livenessProbe", "frontend.maxRequestSeconds"}},
	{workersFitInMemory, []string{"frontend.workers", "frontend.resources.memory"}},
	{requestFitsInMemory, []string{"frontend.requestMemory", "frontend.resources.memory"}},
	{uploadFitsOnDisk, []string{"frontend.maxUploadSize", "frontend.resources.ephemeralStorage"}},
	{uploadFitsOnVolume, []string{"frontend.maxUploadSize", "storage.content.size", "storage.content.existingClaim"}},
	{nodePortHasType, []string{"frontend.service"}},
}

// frontend.terminationGracePeriodSeconds is more than drainSeconds and maxRequestSeconds together: a request
// that comes at the end of the drain still gets its answer. The drain counts inside the grace period.
func requestsFitInGracePeriod(d *draft) field.ErrorList {
	f := d.stack.Frontend
	needed := f.DrainSeconds + f.MaxRequestSeconds
	if limits.GracePeriod(f.DrainSeconds, f.MaxRequestSeconds, f.TerminationGracePeriodSeconds) {
		return nil
	}
	return invalid("frontend.terminationGracePeriodSeconds", f.TerminationGracePeriodSeconds,
		"must be more than drainSeconds and maxRequestSeconds together, which is %d", needed)
}

// frontend.livenessProbe needs frontend.maxRequestSeconds below 120: the probe waits in the same queue as visitors, and
// would restart a pod that is merely busy with requests as long as that.
func livenessOutlastsRequests(d *draft) field.ErrorList {
	f := d.stack.Frontend
	if !f.LivenessProbe || limits.Liveness(f.MaxRequestSeconds) {
		return nil
	}
	return invalid("frontend.livenessProbe", true,
		"restarts a pod after %d seconds without an answer, and maxRequestSeconds is %d: use %d or less there, or no probe",
		limits.LivenessSeconds, f.MaxRequestSeconds, limits.LivenessSeconds-1)
}

// frontend.workers fit in frontend.resources.memory, at 64 MiB for Apache and the opcode cache and 32 MiB a worker: a
// pod that needs more than its limit is killed under load, with every request in it.
func workersFitInMemory(d *draft) field.ErrorList {
	f := d.stack.Frontend
	needed := workersMemory(*f.Workers)
	if needed.Cmp(f.Resources.Memory) <= 0 {
		return nil
	}
	return invalid("frontend.workers", *f.Workers, "need %s of memory and resources.memory is %s: use %d or less, or more memory",
		needed, &f.Resources.Memory, DefaultWorkers(f.Resources.Memory))
}

// frontend.requestMemory and 64 MiB for Apache and the opcode cache fit in frontend.resources.memory: a single request that wants more
// memory than there is fails by itself, before the pod does.
func requestFitsInMemory(d *draft) field.ErrorList {
	f := d.stack.Frontend
	fitting := requestMemoryWithin(f.Resources.Memory)
	if f.RequestMemory.Cmp(*fitting) <= 0 {
		return nil
	}
	return invalid("frontend.requestMemory", f.RequestMemory.String(),
		"must leave 64Mi of resources.memory, which is %s: use %s or less, or more memory", &f.Resources.Memory, fitting)
}

// frontend.maxUploadSize leaves 64Mi of frontend.resources.ephemeralStorage to logs: an upload lies there until it is
// complete, and a pod that writes more is evicted.
func uploadFitsOnDisk(d *draft) field.ErrorList {
	f := d.stack.Frontend
	needed := resource.MustParse(MinEphemeralStorage)
	needed.Add(f.MaxUploadSize)
	if needed.Cmp(f.Resources.EphemeralStorage) <= 0 {
		return nil
	}
	return invalid("frontend.maxUploadSize", f.MaxUploadSize.String(),
		"must leave %s of resources.ephemeralStorage, which is %s, to logs: use less, or at least %s there",
		MinEphemeralStorage, &f.Resources.EphemeralStorage, &needed)
}

// frontend.maxUploadSize is at most storage.content.size: an upload that was waited for would be lost at the last step.
func uploadFitsOnVolume(d *draft) field.ErrorList {
	upload, volume := d.stack.Frontend.MaxUploadSize, d.stack.Storage.Content.Size
	if upload.Cmp(volume) <= 0 || d.stack.Storage.Content.ExistingClaim != "" {
		return nil
	}
	return invalid("frontend.maxUploadSize", upload.String(), "must be at most storage.content.size, which is %s", &volume)
}

// frontend.service.nodePort goes with frontend.service.type NodePort: no other type has such a port.
func nodePortHasType(d *draft) field.ErrorList {
	s := d.stack.Frontend.Service
	if s.NodePort == 0 || s.Type == NodePort {
		return nil
	}
	return invalid("frontend.service.nodePort", s.NodePort, "goes with type NodePort only: remove it, or set the type")
}
