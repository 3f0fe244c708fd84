package database

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	policyv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/policy/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func secretArgs(args *Args, name, key string, value pulumi.StringInput) *corev1.SecretArgs {
	return &corev1.SecretArgs{
		Metadata:   metadata(args, name),
		Type:       pulumi.String("Opaque"),
		StringData: pulumi.StringMap{key: value},
	}
}

// serviceArgs is the address of the database. A cluster IP outlives the pod, so that no client holds on to the
// address of a pod that is gone.
func serviceArgs(args *Args) *corev1.ServiceArgs {
	return &corev1.ServiceArgs{
		Metadata: awaitedByWorkload(metadata(args, Service)),
		Spec: &corev1.ServiceSpecArgs{
			Type:     pulumi.String("ClusterIP"),
			Selector: labelSet(args).Selector(),
			Ports:    servicePorts(),
		},
	}
}

// headlessServiceArgs governs the StatefulSet and gives its pod a name of its own.
func headlessServiceArgs(args *Args) *corev1.ServiceArgs {
	return &corev1.ServiceArgs{
		Metadata: awaitedByWorkload(metadata(args, HeadlessService)),
		Spec: &corev1.ServiceSpecArgs{
			ClusterIP: pulumi.String("None"),
			Selector:  labelSet(args).Selector(),
			Ports:     servicePorts(),
		},
	}
}

func servicePorts() corev1.ServicePortArray {
	return corev1.ServicePortArray{&corev1.ServicePortArgs{
		Name: pulumi.String(portName), Port: pulumi.Int(Port), TargetPort: pulumi.String(portName),
	}}
}

// budgetArgs lets a drain evict the one pod: holding it back would block the maintenance of its node forever.
func budgetArgs(args *Args) *policyv1.PodDisruptionBudgetArgs {
	return &policyv1.PodDisruptionBudgetArgs{
		Metadata: metadata(args, Service),
		Spec: &policyv1.PodDisruptionBudgetSpecArgs{
			MaxUnavailable: pulumi.Int(1),
			Selector:       &metav1.LabelSelectorArgs{MatchLabels: labelSet(args).Selector()},
		},
	}
}

func metadata(args *Args, name string) *metav1.ObjectMetaArgs {
	return &metav1.ObjectMetaArgs{
		Name: pulumi.String(name), Namespace: args.Namespace, Labels: labelSet(args).All(),
	}
}

// awaitedByWorkload spares the ten idle seconds that the provider spends on a Service whose pods are awaited
// by their workload anyway.
func awaitedByWorkload(metadata *metav1.ObjectMetaArgs) *metav1.ObjectMetaArgs {
	metadata.Annotations = pulumi.StringMap{"pulumi.com/skipAwait": pulumi.String("true")}
	return metadata
}
