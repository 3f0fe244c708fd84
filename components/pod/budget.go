package pod

import (
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	policyv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/policy/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// OneAtATime is a disruption budget that lets one of the pods with these labels go at a time. One that is not ready serves nobody; keeping it would only block
// a drain.
func OneAtATime(selector pulumi.StringMap) *policyv1.PodDisruptionBudgetSpecArgs {
	return &policyv1.PodDisruptionBudgetSpecArgs{
		MaxUnavailable:             pulumi.Int(1),
		Selector:                   &metav1.LabelSelectorArgs{MatchLabels: selector},
		UnhealthyPodEvictionPolicy: pulumi.String("AlwaysAllow"),
	}
}
