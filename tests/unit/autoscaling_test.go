package unit_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	autoscalingv2 "k8s.io/api/autoscaling/v2"

	"wordpress-on-kubernetes/components/autoscaling"
)

// scaling are valid args.
func scaling(changes ...func(*autoscaling.Args)) *autoscaling.Args {
	args := &autoscaling.Args{
		Namespace: namespaceInput, Instance: instance, Deployment: pulumi.String("wordpress"),
		MinReplicas: 3, MaxReplicas: 6, CPUUtilization: 60, ScaleDownStabilizationSeconds: 300,
	}
	for _, change := range changes {
		change(args)
	}
	return args
}

func autoscalingProgram(args *autoscaling.Args) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		component, err := autoscaling.New(ctx, "scale", args)
		if err != nil {
			return err
		}
		return expose(ctx, pulumi.StringMap{"name": component.Name})
	}
}

func TestAutoscalerFollowsTheCPU(t *testing.T) {
	p := run(t, autoscalingProgram(scaling()))
	p.wantObjects("HorizontalPodAutoscaler wordpress")
	p.wantOutputs(map[string]string{"name": "wordpress"})
	spec := get[autoscalingv2.HorizontalPodAutoscaler](p, "HorizontalPodAutoscaler", "wordpress").Spec
	want := autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "wordpress"}
	if spec.ScaleTargetRef != want {
		t.Errorf("scales %v, want %v", spec.ScaleTargetRef, want)
	}
	if *spec.MinReplicas != 3 || spec.MaxReplicas != 6 || len(spec.Metrics) != 1 ||
		spec.Metrics[0].Resource.Name != "cpu" || *spec.Metrics[0].Resource.Target.AverageUtilization != 60 {
		t.Errorf("got %d to %d replicas by %v, want 3 to 6 by 60 %% of the CPU", *spec.MinReplicas, spec.MaxReplicas, spec.Metrics)
	}
}

// Visitors are already waiting when the load rises; when it falls, pods may only go one after the other.
func TestAutoscalerGoesUpAtOnceAndDownPodByPod(t *testing.T) {
	p := run(t, autoscalingProgram(scaling()))
	behavior := get[autoscalingv2.HorizontalPodAutoscaler](p, "HorizontalPodAutoscaler", "wordpress").Spec.Behavior
	if up := behavior.ScaleUp; *up.StabilizationWindowSeconds != 0 || *up.SelectPolicy != autoscalingv2.MaxChangePolicySelect {
		t.Errorf("scales up by %v, want at once by the faster policy", up)
	}
	down := behavior.ScaleDown
	if *down.StabilizationWindowSeconds != 300 || len(down.Policies) != 1 ||
		down.Policies[0].Type != autoscalingv2.PodsScalingPolicy || down.Policies[0].Value != 1 {
		t.Errorf("scales down by %v, want by one pod at a time after 300 s", down)
	}
}

func TestAutoscalingRefusesIncompleteArgs(t *testing.T) {
	for name, row := range map[string]struct {
		spoil func(*autoscaling.Args)
		want  string
	}{
		"no namespace":  {func(a *autoscaling.Args) { a.Namespace = nil }, "namespace, instance and deployment are required"},
		"no instance":   {func(a *autoscaling.Args) { a.Instance = "" }, "namespace, instance and deployment are required"},
		"no deployment": {func(a *autoscaling.Args) { a.Deployment = nil }, "namespace, instance and deployment are required"},
		"no minimum":    {func(a *autoscaling.Args) { a.MinReplicas = 0 }, "replicas from 0 to 6"},
		"upside down":   {func(a *autoscaling.Args) { a.MaxReplicas = 2 }, "replicas from 3 to 2"},
		"no target":     {func(a *autoscaling.Args) { a.CPUUtilization = 0 }, "CPU utilization 0"},
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, autoscalingProgram(scaling(row.spoil)), `autoscaling "scale"`, row.want)
		})
	}
}
