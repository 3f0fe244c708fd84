package cache

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	policyv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/policy/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/pod"
)

// serviceArgs are of a headless Service, by which WordPress finds every pod. One that is not ready keeps pages as well.
func serviceArgs(args *Args) *corev1.ServiceArgs {
	meta := metadata(args)
	meta.Annotations = pulumi.StringMap{"pulumi.com/skipAwait": pulumi.String("true")}
	return &corev1.ServiceArgs{
		Metadata: meta,
		Spec: &corev1.ServiceSpecArgs{
			ClusterIP:                pulumi.String("None"),
			PublishNotReadyAddresses: pulumi.Bool(true),
			Selector:                 labelSet(args).Selector(),
			Ports: corev1.ServicePortArray{&corev1.ServicePortArgs{
				Name: pulumi.String(purgePortName), Port: pulumi.Int(PurgePort), TargetPort: pulumi.String(purgePortName),
			}},
		},
	}
}

func budgetArgs(args *Args) *policyv1.PodDisruptionBudgetArgs {
	return &policyv1.PodDisruptionBudgetArgs{
		Metadata: metadata(args),
		Spec:     pod.OneAtATime(labelSet(args).Selector()),
	}
}

func metadata(args *Args) *metav1.ObjectMetaArgs {
	return &metav1.ObjectMetaArgs{
		Name: pulumi.String(Name), Namespace: args.Namespace, Labels: labelSet(args).All(),
	}
}
