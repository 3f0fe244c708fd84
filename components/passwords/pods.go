package passwords

import (
	"encoding/json"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// uses reports whether a pod reads the Secret in any way.
func uses(pod corev1.Pod, secret string) bool {
	return slices.ContainsFunc(pod.Spec.Volumes, func(volume corev1.Volume) bool { return mounts(volume, secret) }) ||
		slices.ContainsFunc(slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers),
			func(container corev1.Container) bool { return inEnvironment(container, secret) })
}

func mounts(volume corev1.Volume, secret string) bool {
	switch {
	case volume.Secret != nil:
		return volume.Secret.SecretName == secret
	case volume.Projected != nil:
		return slices.ContainsFunc(volume.Projected.Sources, func(source corev1.VolumeProjection) bool {
			return source.Secret != nil && source.Secret.Name == secret
		})
	}
	return false
}

func inEnvironment(container corev1.Container, secret string) bool {
	return slices.ContainsFunc(container.Env, func(variable corev1.EnvVar) bool {
		return variable.ValueFrom != nil && variable.ValueFrom.SecretKeyRef != nil && variable.ValueFrom.SecretKeyRef.Name == secret
	}) || slices.ContainsFunc(container.EnvFrom, func(source corev1.EnvFromSource) bool {
		return source.SecretRef != nil && source.SecretRef.Name == secret
	})
}

// writesData reports whether a manager's fields of a Secret, as the API server keeps them, have content among them.
func writesData(fields []byte) bool {
	var top map[string]json.RawMessage
	return json.Unmarshal(fields, &top) == nil && (top["f:data"] != nil || top["f:stringData"] != nil)
}

func labelsOf(pod corev1.Pod) labels.Set { return pod.Labels }

// names of pods, for a message.
func names(pods []corev1.Pod) string {
	found := make([]string, 0, len(pods))
	for _, pod := range pods {
		found = append(found, pod.Name)
	}
	slices.Sort(found)
	return strings.Join(found, ", ")
}
