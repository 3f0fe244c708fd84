// Package limits is the one home of inequalities and figures that the configuration's rules, the components and the rules over
// planned objects need alike. It is a leaf: it knows none of them, so that all may import it.
package limits

// GracePeriod reports whether a terminating pod's grace period, in seconds, holds its drain and then its longest request, with at
// least a second to spare for its end: a request that comes at the end of the drain still gets its answer. The drain
// counts inside the grace period (Kubernetes, "Termination of Pods").
func GracePeriod(drain, request, grace int) bool { return drain+request < grace }

// LivenessSeconds without an answer after which a liveness probe restarts a pod of the frontend.
const LivenessSeconds = 120

// Liveness reports whether a request that takes so many seconds ends before the liveness probe, which may wait in the same queue, gives
// the pod up.
func Liveness(request int) bool { return request < LivenessSeconds }

// MaxBodyBytes is the largest body of a request where uploads may have so many bytes. It leaves a form 1 MiB for the multipart
// frame and the other fields.
func MaxBodyBytes(upload int64) int64 { return upload + 1<<20 }

// CacheUploads is how many requests with bodies that do not fit in memory one pod of the cache takes at a time; the others are told to come
// back. It bounds what lies on the pod's disk.
const CacheUploads = 8
