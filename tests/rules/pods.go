package rules

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/distribution/reference"
	corev1 "k8s.io/api/core/v1"
)

// forEachContainer visits every container of every workload, those that run at a pod's start included.
func (p *plan) forEachContainer(visit func(workload, corev1.Container)) {
	for _, w := range p.workloads {
		for _, container := range w.containers() {
			visit(w, container)
		}
	}
}

// image wants a version: latest, which a missing tag means too, changes without anybody deciding so.
func image(p *plan, report report) {
	p.forEachContainer(func(w workload, c corev1.Container) {
		named, err := reference.ParseNormalizedNamed(c.Image)
		if err != nil {
			report(w.object, "container %q: image %q: %v", c.Name, c.Image, err)
			return
		}
		_, digested := named.(reference.Digested)
		tagged, ok := named.(reference.Tagged)
		if !digested && (!ok || tagged.Tag() == "latest") {
			report(w.object, "container %q: image %q has no version", c.Name, c.Image)
		}
	})
}

// resources wants every container's requests and limits alike, which makes the pod Guaranteed.
func resources(p *plan, report report) {
	names := []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage}
	p.forEachContainer(func(w workload, c corev1.Container) {
		for _, name := range names {
			request, limit := c.Resources.Requests[name], c.Resources.Limits[name]
			if request.IsZero() || request.Cmp(limit) != 0 {
				report(w.object, "container %q: %s: request %s, limit %s; want both, and alike",
					c.Name, name, request.String(), limit.String())
			}
		}
	})
}

// minUserID lies above the users of any host.
const minUserID = 10000

// securityContext wants what Pod Security's restricted level asks for, a user above those of the host, and a
// read-only root file system.
func securityContext(p *plan, report report) {
	for _, w := range p.workloads {
		pod := w.template.Spec.SecurityContext
		if pod == nil || !is(pod.RunAsNonRoot, true) || !above(pod.RunAsUser) || !above(pod.RunAsGroup) {
			report(w.object, "the pod does not run as a user and a group above %d", minUserID)
		}
		if pod == nil || pod.SeccompProfile == nil || pod.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			report(w.object, "the pod's seccomp profile is not RuntimeDefault")
		}
	}
	p.forEachContainer(func(w workload, c corev1.Container) {
		if !restricted(c.SecurityContext) {
			report(w.object, "container %q: security context is not the restricted one", c.Name)
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
func above(id *int64) bool           { return id != nil && *id > minUserID }

// hostAccess wants nothing of the node in a pod.
func hostAccess(p *plan, report report) {
	for _, w := range p.workloads {
		if spec := w.template.Spec; spec.HostNetwork || spec.HostPID || spec.HostIPC {
			report(w.object, "the pod shares a namespace of its node")
		}
		for _, volume := range w.template.Spec.Volumes {
			if volume.HostPath != nil {
				report(w.object, "volume %q is a folder of the node", volume.Name)
			}
		}
	}
	p.forEachContainer(func(w workload, c corev1.Container) {
		for _, port := range c.Ports {
			if port.HostPort != 0 {
				report(w.object, "container %q takes port %d of the node", c.Name, port.HostPort)
			}
		}
	})
}

func serviceAccountToken(p *plan, report report) {
	for _, w := range p.workloads {
		if !is(w.template.Spec.AutomountServiceAccountToken, false) {
			report(w.object, "automountServiceAccountToken is not false")
		}
	}
}

// serviceLinks would add variables of every Service to those that the images read.
func serviceLinks(p *plan, report report) {
	for _, w := range p.workloads {
		if !is(w.template.Spec.EnableServiceLinks, false) {
			report(w.object, "enableServiceLinks is not false")
		}
	}
}

// environmentSecret wants secrets in files: the environment shows up in crash dumps and phpinfo.
func environmentSecret(p *plan, report report) {
	p.forEachContainer(func(w workload, c corev1.Container) {
		for _, variable := range c.Env {
			if variable.ValueFrom != nil && variable.ValueFrom.SecretKeyRef != nil {
				report(w.object, "container %q: %s is a Secret's value", c.Name, variable.Name)
			}
		}
		for _, source := range c.EnvFrom {
			if source.SecretRef != nil {
				report(w.object, "container %q: variables are those of Secret %q", c.Name, source.SecretRef.Name)
			}
		}
	})
}

// probes wants a start that may take its time and a readiness that follows it, on ports that exist.
func probes(p *plan, report report) {
	for _, w := range p.workloads {
		for _, c := range w.template.Spec.Containers {
			if c.StartupProbe == nil || c.ReadinessProbe == nil {
				report(w.object, "container %q: want a startup and a readiness probe", c.Name)
			}
			for _, probe := range []*corev1.Probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
				if probe != nil && probe.HTTPGet != nil && !hasPort([]corev1.Container{c}, probe.HTTPGet.Port) {
					report(w.object, "container %q: a probe asks the port %s, which it lacks", c.Name, probe.HTTPGet.Port.String())
				}
			}
		}
	}
}

// drain wants a Deployment's pods to serve on while the edge takes them out, and then to have the time for
// their longest request: what is left of the grace period after the drain.
func drain(p *plan, report report) {
	for _, w := range p.workloads {
		if w.object.Kind() != "Deployment" {
			continue
		}
		longest := p.longestRequest(w)
		for _, c := range w.template.Spec.Containers {
			if c.Lifecycle == nil || c.Lifecycle.PreStop == nil || c.Lifecycle.PreStop.Sleep == nil {
				report(w.object, "container %q: no preStop sleep", c.Name)
				continue
			}
			drain, grace := c.Lifecycle.PreStop.Sleep.Seconds, w.template.Spec.TerminationGracePeriodSeconds
			if grace == nil || longest == 0 || drain+longest >= *grace {
				report(w.object, "container %q: a drain of %d s and a request of %d s do not fit in the grace period",
					c.Name, drain, longest)
			}
		}
	}
}

// timeLimit is how long Apache and PHP let a request run, in seconds.
var timeLimit = regexp.MustCompile(`(?m)^\s*(?:GracefulShutdownTimeout|max_execution_time)[ =]+(\d+)$`)

// longestRequest is the largest limit in the files that a pod runs with, or 0 without any.
func (p *plan) longestRequest(w workload) int64 {
	var longest int64
	for _, volume := range w.template.Spec.Volumes {
		if volume.ConfigMap == nil {
			continue
		}
		configMap, _ := find(p.configMaps, w.object.Namespace(), volume.ConfigMap.Name)
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
