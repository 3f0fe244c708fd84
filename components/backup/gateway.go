package backup

import (
	"fmt"

	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	policyv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/policy/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/api/resource"

	"wordpress-on-kubernetes/components/labels"
	"wordpress-on-kubernetes/components/pod"
)

const (
	// GatewayName of the objects of the metrics gateway.
	GatewayName = "wordpress-metrics-gateway"
	// GatewayPort takes what is measured, and shows it under /metrics.
	GatewayPort = 9091

	gatewayPortName = "metrics"
)

// What the gateway needs for some dozen numbers.
const (
	gatewayCPU              = "20m"
	gatewayMemory           = "64Mi"
	gatewayEphemeralStorage = "64Mi"
)

// GatewayArgs are of a Pushgateway. It keeps what Jobs measure, which have gone when somebody asks, for as long as its pod lives.
type GatewayArgs struct {
	// Image keeps the contract of prom/pushgateway. Required.
	Image string
}

// GatewaySelector matches the labels of the gateway's pod, and of no other.
func GatewaySelector() pulumi.StringMap { return gatewaySet(&Args{}).Selector() }

func gatewaySet(args *Args) labels.Set {
	return labels.Set{Name: "pushgateway", Component: "metrics-gateway", Instance: args.Instance}
}

func registerGateway(ctx *pulumi.Context, name string, args *Args, parent pulumi.ResourceOption) error {
	if _, err := corev1.NewService(ctx, name+"-service", gatewayServiceArgs(args), parent); err != nil {
		return fmt.Errorf("service: %w", err)
	}
	if _, err := policyv1.NewPodDisruptionBudget(ctx, name+"-budget", gatewayBudgetArgs(args), parent); err != nil {
		return fmt.Errorf("pod disruption budget: %w", err)
	}
	if _, err := appsv1.NewDeployment(ctx, name+"-deployment", gatewayDeploymentArgs(args), parent, pulumi.DependsOn(args.After)); err != nil {
		return fmt.Errorf("deployment: %w", err)
	}
	return nil
}

func gatewayMetadata(args *Args) *metav1.ObjectMetaArgs {
	return &metav1.ObjectMetaArgs{Name: pulumi.String(GatewayName), Namespace: args.Namespace, Labels: gatewaySet(args).All()}
}

func gatewayServiceArgs(args *Args) *corev1.ServiceArgs {
	meta := gatewayMetadata(args)
	// Nothing of an update waits for somebody who measures.
	meta.Annotations = pulumi.StringMap{"pulumi.com/skipAwait": pulumi.String("true")}
	return &corev1.ServiceArgs{
		Metadata: meta,
		Spec: &corev1.ServiceSpecArgs{
			Selector: gatewaySet(args).Selector(),
			Ports: corev1.ServicePortArray{&corev1.ServicePortArgs{
				Name: pulumi.String(gatewayPortName), Port: pulumi.Int(GatewayPort), TargetPort: pulumi.String(gatewayPortName),
			}},
		},
	}
}

// gatewayBudgetArgs let the one pod go: what it kept is measured anew by the next run.
func gatewayBudgetArgs(args *Args) *policyv1.PodDisruptionBudgetArgs {
	return &policyv1.PodDisruptionBudgetArgs{
		Metadata: gatewayMetadata(args),
		Spec:     pod.OneAtATime(gatewaySet(args).Selector()),
	}
}

func gatewayDeploymentArgs(args *Args) *appsv1.DeploymentArgs {
	meta := gatewayMetadata(args)
	meta.Annotations = pulumi.StringMap{"pulumi.com/skipAwait": pulumi.String("true")}
	return &appsv1.DeploymentArgs{
		Metadata: meta,
		Spec: &appsv1.DeploymentSpecArgs{
			// Two would each know a part.
			Replicas: pulumi.Int(1),
			Selector: &metav1.LabelSelectorArgs{MatchLabels: gatewaySet(args).Selector()},
			Strategy: &appsv1.DeploymentStrategyArgs{Type: pulumi.String("RollingUpdate")},
			Template: &corev1.PodTemplateSpecArgs{
				Metadata: &metav1.ObjectMetaArgs{Labels: gatewaySet(args).All()},
				Spec:     gatewayPodSpec(args),
			},
		},
	}
}

func gatewayPodSpec(args *Args) *corev1.PodSpecArgs {
	probe := func(period, failures int) *corev1.ProbeArgs {
		return &corev1.ProbeArgs{
			HttpGet:       &corev1.HTTPGetActionArgs{Path: pulumi.String("/-/ready"), Port: pulumi.String(gatewayPortName)},
			PeriodSeconds: pulumi.Int(period), TimeoutSeconds: pulumi.Int(5), FailureThreshold: pulumi.Int(failures),
		}
	}
	return &corev1.PodSpecArgs{
		AutomountServiceAccountToken: pulumi.Bool(false),
		EnableServiceLinks:           pulumi.Bool(false),
		SecurityContext:              pod.SecurityContext(args.User),
		ImagePullSecrets:             pod.PullSecrets(args.ImagePullSecrets),
		Containers: corev1.ContainerArray{&corev1.ContainerArgs{
			Name:            pulumi.String("pushgateway"),
			Image:           pulumi.String(args.Gateway.Image),
			ImagePullPolicy: pulumi.String(args.ImagePullPolicy),
			Args:            pulumi.ToStringArray([]string{fmt.Sprintf("--web.listen-address=:%d", GatewayPort)}),
			Ports: corev1.ContainerPortArray{&corev1.ContainerPortArgs{
				Name: pulumi.String(gatewayPortName), ContainerPort: pulumi.Int(GatewayPort),
			}},
			Resources: pod.Resources{
				CPU: resource.MustParse(gatewayCPU), Memory: resource.MustParse(gatewayMemory),
				EphemeralStorage: resource.MustParse(gatewayEphemeralStorage),
			}.Requirements(),
			SecurityContext: pod.ContainerSecurityContext(),
			StartupProbe:    probe(1, 60),
			ReadinessProbe:  probe(10, 3),
			VolumeMounts:    pod.ScratchMounts([2]string{"tmp", "/tmp"}),
		}},
		Volumes:     corev1.VolumeArray{pod.Scratch()},
		Tolerations: pod.Tolerations(),
	}
}
