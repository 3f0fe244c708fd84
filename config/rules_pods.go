package config

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"wordpress-on-kubernetes/components/limits"
)

var podRules = []rule{
	{requestsFitInGracePeriod, []string{"frontend.drainSeconds", "frontend.maxRequestSeconds", "frontend.terminationGracePeriodSeconds"}},
	{livenessOutlastsRequests, []string{"frontend.livenessProbe", "frontend.maxRequestSeconds"}},
	{workersFitInMemory, []string{"frontend.workers", "frontend.resources.memory"}},
	{pictureFitsInMemory, []string{"frontend.pictureMemory", "frontend.workers", "frontend.resources.memory"}},
	{cpuLimitsAreAboveRequests, []string{"frontend.resources.cpuLimit", "database.resources.cpuLimit", "cache.resources.cpuLimit"}},
	{requestFitsInMemory, []string{"frontend.requestMemory", "frontend.resources.memory"}},
	{uploadFitsOnDisk, []string{"frontend.maxUploadSize", "frontend.resources.ephemeralStorage"}},
	{uploadFitsOnVolume, []string{"frontend.maxUploadSize", "storage.content.size", "storage.content.existingClaim"}},
	{nodePortHasType, []string{"frontend.service"}},
	{oneSourceOfUsers, []string{"podSecurity.fromCluster"}},
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

// frontend.workers fit in frontend.resources.memory, at 64 MiB for Apache and the opcode cache, 32 MiB a worker and 32 MiB for a picture:
// a pod that needs more than its limit is killed under load, with every request in it.
func workersFitInMemory(d *draft) field.ErrorList {
	f := d.stack.Frontend
	needed := workersMemory(*f.Workers)
	if needed.Cmp(f.Resources.Memory) <= 0 {
		return nil
	}
	return invalid("frontend.workers", *f.Workers, "need %s of memory and resources.memory is %s: use %d or less, or more memory",
		needed, &f.Resources.Memory, workersWithin(f.Resources.Memory))
}

// frontend.pictureMemory fits in frontend.resources.memory beside 64 MiB for Apache and the opcode cache and 32 MiB for each of
// frontend.workers: PHP does not count what ImageMagick takes, and a pod that needs more than its limit is killed.
func pictureFitsInMemory(d *draft) field.ErrorList {
	f := d.stack.Frontend
	fitting := pictureMemoryWithin(f.Resources.Memory, *f.Workers)
	least := resource.MustParse(MinPictureMemory)
	// More workers than fit are their own problem.
	if fitting.Cmp(least) < 0 || f.PictureMemory.Cmp(*fitting) <= 0 {
		return nil
	}
	return invalid("frontend.pictureMemory", f.PictureMemory.String(),
		"must leave 64Mi of resources.memory, which is %s, and 32Mi for each of %d workers: use %s or less, or more memory",
		&f.Resources.Memory, *f.Workers, fitting)
}

// frontend.resources.cpuLimit, database.resources.cpuLimit and cache.resources.cpuLimit are at least the cpu beside them: the API server refuses a limit below
// the request, half-way through an update.
func cpuLimitsAreAboveRequests(d *draft) field.ErrorList {
	return slices.Concat(
		cpuLimitIsAboveRequest("frontend.resources.cpuLimit", d.stack.Frontend.Resources),
		cpuLimitIsAboveRequest("database.resources.cpuLimit", d.stack.Database.Resources),
		cpuLimitIsAboveRequest("cache.resources.cpuLimit", d.stack.Cache.Resources),
	)
}

func cpuLimitIsAboveRequest(key string, r Resources) field.ErrorList {
	if r.CPULimit == nil || r.CPULimit.Cmp(r.CPU) >= 0 {
		return nil
	}
	return invalid(key, r.CPULimit.String(), "must be at least cpu, which is %s: use more, or remove it", &r.CPU)
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

// podSecurity.fromCluster refuses podSecurity.seLinuxLevel, podSecurity.frontend, podSecurity.database and podSecurity.cache: a cluster that sets users
// refuses pods that bring their own.
func oneSourceOfUsers(d *draft) field.ErrorList {
	if !d.stack.PodSecurity.FromCluster {
		return nil
	}
	return d.refuseGiven("is the cluster's to set with podSecurity.fromCluster: leave one of them out",
		"podSecurity.seLinuxLevel", "podSecurity.frontend", "podSecurity.database", "podSecurity.cache")
}
