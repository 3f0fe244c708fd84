package pod

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	nodeTopology = "kubernetes.io/hostname"
	zoneTopology = "topology.kubernetes.io/zone"

	// revisionLabel tells the pods of a rollout's old and new revision apart. Spreading each by itself keeps the
	// outgoing pods from pushing the new ones together, and lets a required spread roll on as many nodes as
	// there are replicas.
	revisionLabel = "pod-template-hash"

	// antiAffinityWeight of the preference, 1 to 100. It is the only one of its kind, so any weight would do.
	antiAffinityWeight = 100
)

// nodeLossSeconds is how long a pod stays on a node that no longer answers before another one takes its place. When the
// cluster has noticed, the pod is out of the Service already: the cluster's own five minutes would only leave the site a
// replica short for as long, and a pod without data may run twice meanwhile.
const nodeLossSeconds = 0

// Tolerations of a lost node, with a shorter time than the cluster gives by itself.
func Tolerations() corev1.TolerationArray {
	list := make(corev1.TolerationArray, 0, 2)
	for _, taint := range []string{"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"} {
		list = append(list, &corev1.TolerationArgs{
			Key:               pulumi.String(taint),
			Operator:          pulumi.String("Exists"),
			Effect:            pulumi.String("NoExecute"),
			TolerationSeconds: pulumi.Int(nodeLossSeconds),
		})
	}
	return list
}

// SpreadConstraints even the pods of the selector out over zones and nodes as far as the cluster allows.
func SpreadConstraints(selector pulumi.StringMap) corev1.TopologySpreadConstraintArray {
	constraints := make(corev1.TopologySpreadConstraintArray, 0, 2)
	for _, topology := range []string{zoneTopology, nodeTopology} {
		constraints = append(constraints, &corev1.TopologySpreadConstraintArgs{
			MaxSkew:           pulumi.Int(1),
			TopologyKey:       pulumi.String(topology),
			WhenUnsatisfiable: pulumi.String("ScheduleAnyway"),
			LabelSelector:     &metav1.LabelSelectorArgs{MatchLabels: selector},
			MatchLabelKeys:    pulumi.ToStringArray([]string{revisionLabel}),
		})
	}
	return constraints
}

// AntiAffinity keeps the selector's pods of one revision off each other's nodes: where it is required, a pod rather stays pending than
// becoming the second one of a node, and otherwise as far as the cluster allows. The scheduler adds this preference to the
// soft constraint over nodes, so that spreading counts for more against a node that, say, has the image already.
func AntiAffinity(selector pulumi.StringMap, isRequired bool) *corev1.AffinityArgs {
	apart := corev1.PodAffinityTermArgs{
		TopologyKey:    pulumi.String(nodeTopology),
		LabelSelector:  &metav1.LabelSelectorArgs{MatchLabels: selector},
		MatchLabelKeys: pulumi.ToStringArray([]string{revisionLabel}),
	}
	rule := &corev1.PodAntiAffinityArgs{}
	if isRequired {
		rule.RequiredDuringSchedulingIgnoredDuringExecution = corev1.PodAffinityTermArray{apart}
	} else {
		rule.PreferredDuringSchedulingIgnoredDuringExecution = corev1.WeightedPodAffinityTermArray{
			&corev1.WeightedPodAffinityTermArgs{Weight: pulumi.Int(antiAffinityWeight), PodAffinityTerm: apart},
		}
	}
	return &corev1.AffinityArgs{PodAntiAffinity: rule}
}

// Drain keeps a terminating pod serving while the edge takes it out of its list; only then is the server told to finish what it has and
// stop. Nil for 0 seconds.
func Drain(seconds int) *corev1.LifecycleArgs {
	if seconds == 0 {
		return nil
	}
	return &corev1.LifecycleArgs{PreStop: &corev1.LifecycleHandlerArgs{
		Sleep: &corev1.SleepActionArgs{Seconds: pulumi.Int(seconds)},
	}}
}

// Beside brings a pod to the node of pods with the labels, where the volume is that it shares with them. Where there are none, the volume decides.
func Beside(selector pulumi.StringMap) *corev1.AffinityArgs {
	return &corev1.AffinityArgs{PodAffinity: &corev1.PodAffinityArgs{
		PreferredDuringSchedulingIgnoredDuringExecution: corev1.WeightedPodAffinityTermArray{&corev1.WeightedPodAffinityTermArgs{
			Weight: pulumi.Int(antiAffinityWeight),
			PodAffinityTerm: &corev1.PodAffinityTermArgs{
				TopologyKey: pulumi.String(nodeTopology), LabelSelector: &metav1.LabelSelectorArgs{MatchLabels: selector},
			},
		}},
	}}
}
