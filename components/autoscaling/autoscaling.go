// Package autoscaling is the component that owns the horizontal pod autoscaler of the frontend.
package autoscaling

import (
	"errors"
	"fmt"

	autoscalingv2 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/autoscaling/v2"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/labels"
)

// Type is the component's type token.
const Type = "wordpress:autoscaling:Autoscaling"

// Name of the autoscaler object.
const Name = "wordpress"

// How fast the autoscaler may change the number of pods. Up is fast, because visitors are already waiting;
// down takes one pod a minute, so that no more than one pod drains at a time.
const (
	scaleUpPercent       = 100
	scaleUpPods          = 4
	scaleUpPeriodSeconds = 15

	scaleDownPods          = 1
	scaleDownPeriodSeconds = 60
)

// Args are the inputs of New.
type Args struct {
	// Namespace of the Deployment. Required.
	Namespace pulumi.StringInput
	// Instance is the stack's name, for labels. Required.
	Instance string
	// Deployment is the name of what is scaled. Required.
	Deployment pulumi.StringInput
	// MinReplicas and MaxReplicas bound the number of pods, 1 ≤ MinReplicas ≤ MaxReplicas.
	MinReplicas, MaxReplicas int
	// CPUUtilization is the target in percent of the CPU request, above 0.
	CPUUtilization int
	// ScaleDownStabilizationSeconds is how long the load must stay low before pods go, 0 to 3600.
	ScaleDownStabilizationSeconds int
}

// Autoscaling is the autoscaler of the frontend.
type Autoscaling struct {
	pulumi.ResourceState

	// Name of the autoscaler object.
	Name pulumi.StringOutput
}

// New registers the autoscaler.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Autoscaling, error) {
	if err := args.check(); err != nil {
		return nil, fmt.Errorf("autoscaling %q: %w", name, err)
	}
	component := &Autoscaling{}
	if err := ctx.RegisterComponentResource(Type, name, component, opts...); err != nil {
		return nil, fmt.Errorf("autoscaling %q: %w", name, err)
	}
	autoscaler, err := autoscalingv2.NewHorizontalPodAutoscaler(ctx, name, autoscalerArgs(args), pulumi.Parent(component))
	if err != nil {
		return nil, fmt.Errorf("autoscaling %q: horizontal pod autoscaler: %w", name, err)
	}
	component.Name = autoscaler.Metadata.Name().Elem()
	if err := ctx.RegisterResourceOutputs(component, pulumi.Map{"name": component.Name}); err != nil {
		return nil, fmt.Errorf("autoscaling %q: outputs: %w", name, err)
	}
	return component, nil
}

func (a *Args) check() error {
	switch {
	case a == nil || a.Namespace == nil || a.Instance == "" || a.Deployment == nil:
		return errors.New("namespace, instance and deployment are required")
	case a.MinReplicas < 1 || a.MaxReplicas < a.MinReplicas:
		return fmt.Errorf("replicas from %d to %d: want 1 or more, and not more than the maximum", a.MinReplicas, a.MaxReplicas)
	case a.CPUUtilization < 1:
		return fmt.Errorf("CPU utilization %d: want a percentage above 0", a.CPUUtilization)
	}
	return nil
}

func autoscalerArgs(args *Args) *autoscalingv2.HorizontalPodAutoscalerArgs {
	return &autoscalingv2.HorizontalPodAutoscalerArgs{
		Metadata: &metav1.ObjectMetaArgs{
			Name:      pulumi.String(Name),
			Namespace: args.Namespace,
			Labels:    labels.Set{Name: "wordpress", Component: "autoscaling", Instance: args.Instance}.All(),
			// The autoscaler's conditions depend on metrics that exist only a while after the pods.
			Annotations: pulumi.StringMap{"pulumi.com/skipAwait": pulumi.String("true")},
		},
		Spec: &autoscalingv2.HorizontalPodAutoscalerSpecArgs{
			ScaleTargetRef: &autoscalingv2.CrossVersionObjectReferenceArgs{
				ApiVersion: pulumi.String("apps/v1"), Kind: pulumi.String("Deployment"), Name: args.Deployment,
			},
			MinReplicas: pulumi.Int(args.MinReplicas),
			MaxReplicas: pulumi.Int(args.MaxReplicas),
			Metrics:     autoscalingv2.MetricSpecArray{cpuMetric(args.CPUUtilization)},
			Behavior:    behavior(args.ScaleDownStabilizationSeconds),
		},
	}
}

func cpuMetric(percent int) *autoscalingv2.MetricSpecArgs {
	return &autoscalingv2.MetricSpecArgs{
		Type: pulumi.String("Resource"),
		Resource: &autoscalingv2.ResourceMetricSourceArgs{
			Name: pulumi.String("cpu"),
			Target: &autoscalingv2.MetricTargetArgs{
				Type: pulumi.String("Utilization"), AverageUtilization: pulumi.Int(percent),
			},
		},
	}
}

func behavior(scaleDownStabilizationSeconds int) *autoscalingv2.HorizontalPodAutoscalerBehaviorArgs {
	return &autoscalingv2.HorizontalPodAutoscalerBehaviorArgs{
		ScaleUp: &autoscalingv2.HPAScalingRulesArgs{
			StabilizationWindowSeconds: pulumi.Int(0),
			SelectPolicy:               pulumi.String("Max"),
			Policies: autoscalingv2.HPAScalingPolicyArray{
				policy("Percent", scaleUpPercent, scaleUpPeriodSeconds),
				policy("Pods", scaleUpPods, scaleUpPeriodSeconds),
			},
		},
		ScaleDown: &autoscalingv2.HPAScalingRulesArgs{
			StabilizationWindowSeconds: pulumi.Int(scaleDownStabilizationSeconds),
			Policies: autoscalingv2.HPAScalingPolicyArray{
				policy("Pods", scaleDownPods, scaleDownPeriodSeconds),
			},
		},
	}
}

func policy(kind string, value, periodSeconds int) *autoscalingv2.HPAScalingPolicyArgs {
	return &autoscalingv2.HPAScalingPolicyArgs{
		Type: pulumi.String(kind), Value: pulumi.Int(value), PeriodSeconds: pulumi.Int(periodSeconds),
	}
}
