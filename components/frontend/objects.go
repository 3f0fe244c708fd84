package frontend

import (
	"strconv"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	policyv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/policy/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func authSecretArgs(args *Args, keys pulumi.StringMapInput) *corev1.SecretArgs {
	return &corev1.SecretArgs{
		Metadata:   metadata(args, AuthSecret),
		Type:       pulumi.String("Opaque"),
		StringData: keys,
	}
}

func serviceArgs(args *Args, behind Behind) *corev1.ServiceArgs {
	port := servicePort(ServicePort, behind.Port)
	if args.NodePort != 0 {
		port.NodePort = pulumi.Int(args.NodePort)
	}
	meta := metadata(args, Name)
	annotations := pulumi.ToStringMap(args.ServiceAnnotations)
	// The Deployment is awaited; waiting for the same pods here again costs ten idle seconds.
	annotations["pulumi.com/skipAwait"] = pulumi.String("true")
	meta.Annotations = annotations
	return &corev1.ServiceArgs{
		Metadata: meta,
		Spec: &corev1.ServiceSpecArgs{
			Type:     pulumi.String(args.ServiceType),
			Selector: behind.Selector,
			Ports:    corev1.ServicePortArray{port},
		},
	}
}

func servicePort(port int, target string) *corev1.ServicePortArgs {
	return &corev1.ServicePortArgs{
		Name: pulumi.String(ServicePortName), Port: pulumi.Int(port), TargetPort: pulumi.String(target),
	}
}

// phpServiceArgs are of the Service that leads to the pods past the cache.
func phpServiceArgs(args *Args) *corev1.ServiceArgs {
	return &corev1.ServiceArgs{
		Metadata: unawaited(args, PHPService),
		Spec: &corev1.ServiceSpecArgs{
			Type:     pulumi.String("ClusterIP"),
			Selector: labelSet(args).Selector(),
			Ports:    corev1.ServicePortArray{servicePort(ServicePort, sitePortName)},
		},
	}
}

// podsServiceArgs are of the Service by which the cache finds each pod.
func podsServiceArgs(args *Args) *corev1.ServiceArgs {
	return &corev1.ServiceArgs{
		Metadata: unawaited(args, PodsService),
		Spec: &corev1.ServiceSpecArgs{
			ClusterIP: pulumi.String("None"),
			Selector:  labelSet(args).Selector(),
			Ports:     corev1.ServicePortArray{servicePort(SitePort, sitePortName)},
		},
	}
}

// unawaited is for Services: the Deployment is awaited, and waiting for the same pods once more costs ten idle seconds.
func unawaited(args *Args, name string) *metav1.ObjectMetaArgs {
	meta := metadata(args, name)
	meta.Annotations = pulumi.StringMap{"pulumi.com/skipAwait": pulumi.String("true")}
	return meta
}

func budgetArgs(args *Args) *policyv1.PodDisruptionBudgetArgs {
	return &policyv1.PodDisruptionBudgetArgs{
		Metadata: metadata(args, Name),
		Spec: &policyv1.PodDisruptionBudgetSpecArgs{
			MaxUnavailable: intOrString(args.DisruptionBudget),
			Selector:       &metav1.LabelSelectorArgs{MatchLabels: labelSet(args).Selector()},
			// A pod that is not ready serves nobody; keeping it would only block a drain.
			UnhealthyPodEvictionPolicy: pulumi.String("AlwaysAllow"),
		},
	}
}

func metadata(args *Args, name string) *metav1.ObjectMetaArgs {
	return &metav1.ObjectMetaArgs{
		Name: pulumi.String(name), Namespace: args.Namespace, Labels: labelSet(args).All(),
	}
}

// intOrString is a count as a number and a percentage as text, which is what the API server tells apart.
func intOrString(value string) pulumi.Input {
	if count, err := strconv.Atoi(value); err == nil {
		return pulumi.Int(count)
	}
	return pulumi.String(value)
}
