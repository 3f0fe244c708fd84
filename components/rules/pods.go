package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/distribution/reference"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"wordpress-on-kubernetes/components/limits"
)

// image wants every image to have a version: latest, which a missing tag means too, changes without anybody deciding so.
func image(s *stack, report report) {
	s.forEachContainer(func(w workload, c container) {
		path := c.path.Child("image")
		named, err := reference.ParseNormalizedNamed(c.Image)
		if err != nil {
			report(w.object, field.Invalid(path, c.Image, fmt.Sprintf("must be the name of an image: %v", err)))
			return
		}
		_, digested := named.(reference.Digested)
		tagged, ok := named.(reference.Tagged)
		if !digested && (!ok || tagged.Tag() == "latest") && !s.terms.UnversionedImages {
			report(w.object, field.Invalid(path, c.Image, "must have a tag other than latest, or a digest"))
		}
	})
}

// resources wants every container to have requests, and limits alike: that makes the pod Guaranteed, the last to be evicted. Processor time
// may have a higher limit where the stack says so.
func resources(s *stack, report report) {
	names := []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage}
	s.forEachContainer(func(w workload, c container) {
		for _, name := range names {
			request, limit := c.Resources.Requests[name], c.Resources.Limits[name]
			switch {
			case request.IsZero():
				report(w.object, field.Required(c.path.Child("resources", "requests").Key(string(name)), "give a request, and a limit of the same amount"))
			case name == corev1.ResourceCPU && s.terms.BurstableCPU && request.Cmp(limit) < 0:
			case request.Cmp(limit) != 0:
				report(w.object, field.Invalid(c.path.Child("resources", "limits").Key(string(name)), limit.String(),
					fmt.Sprintf("must be the request, %s", request.String())))
			}
		}
	})
}

// minUserID lies above the users of any host.
const minUserID = 10000

// securityContext wants what Pod Security's restricted level asks for, a user above those of the host or one that the cluster sets, and
// a read-only root file system: whoever breaks into a process gets nothing else.
func securityContext(s *stack, report report) {
	for _, w := range s.workloads {
		path := podPath.Child("securityContext")
		pod := w.template.Spec.SecurityContext
		if pod == nil || !is(pod.RunAsNonRoot, true) || !s.terms.admitUser(pod) {
			report(w.object, field.Invalid(path, pod, fmt.Sprintf("must have runAsNonRoot, and %s: use pod.SecurityContext", s.terms.users())))
		}
		if pod == nil || pod.SeccompProfile == nil || pod.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			report(w.object, field.Invalid(path, pod, "must have the seccompProfile RuntimeDefault: use pod.SecurityContext"))
		}
	}
	s.forEachContainer(func(w workload, c container) {
		if !restricted(c.SecurityContext) {
			report(w.object, field.Invalid(c.path.Child("securityContext"), c.SecurityContext, "must drop all capabilities and add none, forbid "+
				"privileges and their escalation, have a read-only root file system and leave the user to the pod: use pod.ContainerSecurityContext"))
		}
	})
}

func restricted(c *corev1.SecurityContext) bool {
	return c != nil && is(c.AllowPrivilegeEscalation, false) && is(c.ReadOnlyRootFilesystem, true) &&
		(c.Privileged == nil || !*c.Privileged) && c.RunAsUser == nil && c.RunAsGroup == nil && c.RunAsNonRoot == nil &&
		c.SeccompProfile == nil && c.Capabilities != nil && len(c.Capabilities.Add) == 0 &&
		slices.Contains(c.Capabilities.Drop, "ALL")
}

func is(value *bool, want bool) bool { return value != nil && *value == want }

func (t Terms) admitUser(pod *corev1.PodSecurityContext) bool {
	if t.UsersFromCluster {
		return pod.RunAsUser == nil && pod.RunAsGroup == nil && pod.FSGroup == nil && pod.SELinuxOptions == nil
	}
	isAbove := func(id *int64) bool { return id != nil && *id > t.belowUsers() }
	return isAbove(pod.RunAsUser) && isAbove(pod.RunAsGroup)
}

func (t Terms) belowUsers() int64 {
	if t.UsersOfNodes {
		return 0
	}
	return minUserID
}

// users says what admitUser wants.
func (t Terms) users() string {
	if t.UsersFromCluster {
		return "no user, group, fsGroup and SELinux options, which the cluster sets"
	}
	return fmt.Sprintf("a user and a group above %d", t.belowUsers())
}

// hostAccess wants nothing of the node in a pod: what a pod can reach there is not its own.
func hostAccess(s *stack, report report) {
	for _, w := range s.workloads {
		if spec := w.template.Spec; spec.HostNetwork || spec.HostPID || spec.HostIPC {
			report(w.object, field.Forbidden(podPath, "the pod shares a namespace of its node: remove hostNetwork, hostPID and hostIPC"))
		}
		for _, volume := range w.template.Spec.Volumes {
			if volume.HostPath != nil {
				report(w.object, field.Forbidden(volumesPath.Key(volume.Name).Child("hostPath"), "a folder of the node: use a PersistentVolumeClaim"))
			}
		}
	}
	s.forEachContainer(func(w workload, c container) {
		for i, port := range c.Ports {
			if port.HostPort != 0 {
				report(w.object, field.Invalid(c.path.Child("ports").Index(i).Child("hostPort"), port.HostPort,
					"must be left out: a Service reaches the pod without a port of the node"))
			}
		}
	})
}

// serviceAccountToken wants no pod to hold a key to the API server: none needs one.
func serviceAccountToken(s *stack, report report) {
	for _, w := range s.workloads {
		if !is(w.template.Spec.AutomountServiceAccountToken, false) {
			report(w.object, field.Invalid(podPath.Child("automountServiceAccountToken"), w.template.Spec.AutomountServiceAccountToken,
				"must be false: no pod of the site talks to the API server"))
		}
		for _, volume := range w.template.Spec.Volumes {
			for i, source := range projections(volume) {
				if source.ServiceAccountToken != nil {
					report(w.object, field.Forbidden(volumesPath.Key(volume.Name).Child("projected", "sources").Index(i).Child("serviceAccountToken"),
						"is a key to the API server, which no pod of the site talks to"))
				}
			}
		}
	}
}

// serviceLinks wants no variables of Services in the pods: the images would read some as their settings.
func serviceLinks(s *stack, report report) {
	for _, w := range s.workloads {
		if !is(w.template.Spec.EnableServiceLinks, false) {
			report(w.object, field.Invalid(podPath.Child("enableServiceLinks"), w.template.Spec.EnableServiceLinks,
				"must be false: the images would read other Services' variables as settings"))
		}
	}
}

// environmentSecret wants secrets in files: the environment shows up in crash dumps and phpinfo.
func environmentSecret(s *stack, report report) {
	s.forEachContainer(func(w workload, c container) {
		for _, variable := range c.Env {
			if variable.ValueFrom != nil && variable.ValueFrom.SecretKeyRef != nil {
				report(w.object, field.Forbidden(c.path.Child("env").Key(variable.Name), "mount the Secret as a file, and name it in a variable that ends in _FILE"))
			}
		}
		for i, source := range c.EnvFrom {
			if source.SecretRef != nil {
				report(w.object, field.Forbidden(c.path.Child("envFrom").Index(i).Child("secretRef"), "mount the Secret as files"))
			}
		}
	})
}

// probes wants a start that may take its time and a readiness that follows it, on ports that exist: requests reach a pod that
// cannot answer otherwise.
func probes(s *stack, report report) {
	for _, w := range s.served() {
		for _, c := range w.mains() {
			if c.StartupProbe == nil {
				report(w.object, field.Required(c.path.Child("startupProbe"), "give one that allows for the longest start"))
			}
			if c.ReadinessProbe == nil {
				report(w.object, field.Required(c.path.Child("readinessProbe"), "give one, or requests reach a pod that cannot answer"))
			}
			for _, p := range []struct {
				name  string
				probe *corev1.Probe
			}{{"startupProbe", c.StartupProbe}, {"readinessProbe", c.ReadinessProbe}, {"livenessProbe", c.LivenessProbe}} {
				if port := probed(p.probe); port != nil && !hasPort([]container{c}, *port) {
					report(w.object, notFound(c.path.Child(p.name), port.String(),
						"name one of the container's ports: %s", portNames([]container{c})))
				}
			}
		}
	}
}

// probed is the port that a probe asks, or nil.
func probed(probe *corev1.Probe) *intstr.IntOrString {
	switch {
	case probe == nil:
		return nil
	case probe.HTTPGet != nil:
		return &probe.HTTPGet.Port
	case probe.TCPSocket != nil:
		return &probe.TCPSocket.Port
	}
	return nil
}

// drain wants a Deployment's pods to serve on while the edge takes them out, and to have the time for their longest request in
// what is left of the grace period: an update would cut requests off otherwise. Pods
// with no port but one named metrics are left out: who asks there asks again. So are those without any port, which nobody asks.
func drain(s *stack, report report) {
	for _, w := range s.workloads {
		if w.object.Kind() != "Deployment" || isMeasured(w) {
			continue
		}
		longest := s.longestRequest(w)
		for _, c := range w.mains() {
			path := c.path.Child("lifecycle", "preStop", "sleep")
			if c.Lifecycle == nil || c.Lifecycle.PreStop == nil || c.Lifecycle.PreStop.Sleep == nil {
				report(w.object, field.Required(path, "give the seconds in which the edge takes a terminating pod out"))
				continue
			}
			drain, grace := c.Lifecycle.PreStop.Sleep.Seconds, w.template.Spec.TerminationGracePeriodSeconds
			switch {
			case longest == 0:
				report(w.object, field.Forbidden(volumesPath, "no ConfigMap of the pod limits the time of a request: set GracefulShutdownTimeout or worker_shutdown_timeout"))
			case grace == nil || !limits.GracePeriod(int(drain), int(longest), int(*grace)):
				report(w.object, field.Invalid(podPath.Child("terminationGracePeriodSeconds"), grace,
					fmt.Sprintf("must be more than the drain and the longest request together, which is %d", drain+longest)))
			}
		}
	}
}

// metricsPort is the name of ports that numbers are asked for on.
const metricsPort = "metrics"

// isMeasured tells of a workload whose containers have no other ports.
func isMeasured(w workload) bool {
	var names []string
	for _, c := range w.mains() {
		for _, port := range c.Ports {
			names = append(names, port.Name)
		}
	}
	return !slices.ContainsFunc(names, func(name string) bool { return name != metricsPort })
}

// timeLimit is how long Apache, PHP and nginx let a request run, in seconds.
var timeLimit = regexp.MustCompile(`(?m)^\s*(?:GracefulShutdownTimeout|max_execution_time|worker_shutdown_timeout)[ =]+(\d+)(?:s;)?$`)

// longestRequest is the largest limit in the files that a pod runs with, or 0 without any.
func (s *stack) longestRequest(w workload) int64 {
	var longest int64
	for _, volume := range w.template.Spec.Volumes {
		if volume.ConfigMap == nil {
			continue
		}
		configMap, _ := find(s.configMaps, w.object.Namespace(), volume.ConfigMap.Name)
		for _, file := range configMap.Data {
			for _, match := range timeLimit.FindAllStringSubmatch(file, -1) {
				// The expression admits digits alone; a number beyond all bounds counts as the largest.
				seconds, _ := strconv.ParseInt(match[1], 10, 64)
				longest = max(longest, seconds)
			}
		}
	}
	return longest
}
