package backup

import (
	"errors"
	"fmt"
	"strconv"

	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	policyv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/policy/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/labels"
	"wordpress-on-kubernetes/components/pod"
)

const (
	// BinlogName of the Deployment that brings the binary log to the storage, and of its disruption budget.
	BinlogName = "wordpress-binlog"
	// BinlogUser is the account that the program makes for it in its own server.
	BinlogUser = "wordpress-binlog"
	// BinlogServerSeconds is how long the server keeps its log, and so how long the storage may be away before something is lost.
	BinlogServerSeconds = 24 * 3600

	binlogContainer = "binlog"
	replayContainer = "replay"

	binlogKey = "binlog.sh"
	shipKey   = "ship.sh"
	replayKey = "replay.sh"

	// binlogFolder of the repository is one of the log's own: what works on the one has no lock that the other waits for, and runs
	// are listed without the hundreds of snapshots of a day of the log.
	binlogFolder = "binlog"
	// binlogFiles begin with this name.
	binlogFiles = "binlog"
	// looksPerPeriod: of two looks in a period one may come late, and nothing is older than the period.
	looksPerPeriod = 2
	// retrySeconds after a look that failed.
	retrySeconds = 15
	// lookSeconds is how long one may take. One that has much to catch up with is cut off there, and the next goes on with the next file.
	lookSeconds = 3600
	// fetchSeconds is how long MySQL may take for one file.
	fetchSeconds = 600
	// skewSeconds that the clocks of pods are apart at the most.
	skewSeconds = 600
)

// BinlogArgs are of what brings MySQL's binary log to the storage, so that a site is restored to a second.
type BinlogArgs struct {
	// Image is of the server's release, keeps the contract of the official mysql image, and has mysqlbinlog, which that one lacks. Required.
	Image string
	// Seconds is how old what the storage has may be at the most. Required.
	Seconds int
	// KeepDays is how long the log is kept in the storage. Required.
	KeepDays int
	// Account reads the log, of all databases. Required.
	Account Account
	// ReplayResources are of a restore to a second, which has a MySQL of its own.
	ReplayResources pod.Resources
}

func (b *BinlogArgs) check() error {
	if b != nil && (b.Image == "" || b.Seconds < looksPerPeriod || b.KeepDays < 1 || b.Account.isIncomplete()) {
		return errors.New("image, seconds, days and account of the binary log are required")
	}
	return nil
}

// BinlogSelector matches the labels of the pod that brings the log to the storage, and of no other.
func BinlogSelector() pulumi.StringMap { return binlogSet(&Args{}).Selector() }

func binlogSet(args *Args) labels.Set {
	return labels.Set{Name: "restic", Component: "binlog", Instance: args.Instance}
}

func binlogMetadata(args *Args) *metav1.ObjectMetaArgs {
	return &metav1.ObjectMetaArgs{Name: pulumi.String(BinlogName), Namespace: args.Namespace, Labels: binlogSet(args).All()}
}

func registerBinlog(ctx *pulumi.Context, name string, args *Args, names mounted, parent pulumi.ResourceOption) error {
	if _, err := policyv1.NewPodDisruptionBudget(ctx, name+"-budget", binlogBudgetArgs(args), parent); err != nil {
		return fmt.Errorf("pod disruption budget: %w", err)
	}
	if _, err := appsv1.NewDeployment(ctx, name+"-deployment", binlogDeploymentArgs(args, names), parent, pulumi.DependsOn(args.After)); err != nil {
		return fmt.Errorf("deployment: %w", err)
	}
	return nil
}

// binlogBudgetArgs let the one pod go: another one goes on where it was.
func binlogBudgetArgs(args *Args) *policyv1.PodDisruptionBudgetArgs {
	return &policyv1.PodDisruptionBudgetArgs{
		Metadata: binlogMetadata(args),
		Spec:     pod.OneAtATime(binlogSet(args).Selector()),
	}
}

func binlogDeploymentArgs(args *Args, names mounted) *appsv1.DeploymentArgs {
	meta := binlogMetadata(args)
	// Its account is made when the update has come to its end.
	meta.Annotations = pulumi.StringMap{"pulumi.com/skipAwait": pulumi.String("true")}
	return &appsv1.DeploymentArgs{
		Metadata: meta,
		Spec: &appsv1.DeploymentSpecArgs{
			Replicas: pulumi.Int(1),
			Selector: &metav1.LabelSelectorArgs{MatchLabels: binlogSet(args).Selector()},
			Strategy: &appsv1.DeploymentStrategyArgs{Type: pulumi.String("Recreate")},
			Template: &corev1.PodTemplateSpecArgs{
				Metadata: &metav1.ObjectMetaArgs{Labels: binlogSet(args).All()},
				Spec:     binlogSpec(args, names),
			},
		},
	}
}

func binlogSpec(args *Args, names mounted) *corev1.PodSpecArgs {
	ship := clientStep(args, binlogContainer, binlogKey)
	ship.Image = pulumi.String(args.Binlog.Image)
	ship.Env = corev1.EnvVarArray{
		variable("BINLOG_USER", args.Binlog.Account.User), variable("BINLOG_PASSWORD_FILE", accountsPath+"/"+binlogContainer),
		variable("EVERY_SECONDS", strconv.Itoa(args.Binlog.Seconds/looksPerPeriod)),
	}
	ship.VolumeMounts = append(ship.VolumeMounts.(corev1.VolumeMountArray), accountsMount())
	ship.StartupProbe = execProbe(1, 60, "test", "-e", "/tmp/begun")
	// Nobody is led to it: this is for people who look at the Deployment.
	ship.ReadinessProbe = execProbe(30, 1, "sh", "-c",
		fmt.Sprintf(`[ -n "$(find /tmp/shipped -newermt '-%d seconds' 2>/dev/null)" ]`, args.Binlog.Seconds))
	spec := podSpec(args, []*corev1.ContainerArgs{toolStep(args), ship}, volumes(args, names, volumesOf{binlog: true}))
	spec.RestartPolicy = pulumi.String("Always")
	spec.Tolerations = pod.Tolerations()
	return spec
}

func execProbe(period, failures int, command ...string) *corev1.ProbeArgs {
	return &corev1.ProbeArgs{
		Exec:          &corev1.ExecActionArgs{Command: pulumi.ToStringArray(command)},
		PeriodSeconds: pulumi.Int(period), TimeoutSeconds: pulumi.Int(5), FailureThreshold: pulumi.Int(failures),
	}
}

// replayStep makes the database of a second, where a restore is to one. It comes before what is there is saved, which need not be for a second that
// cannot be had.
func replayStep(args *Args) *corev1.ContainerArgs {
	step := clientStep(args, replayContainer, replayKey)
	step.Image = pulumi.String(args.Binlog.Image)
	step.Resources = args.Binlog.ReplayResources.Requirements()
	step.Env = corev1.EnvVarArray{variable("SNAPSHOT", "latest"), variable("AT", "")}
	step.VolumeMounts = append(step.VolumeMounts.(corev1.VolumeMountArray), pod.ScratchMounts([2]string{"drill", drillPath})...)
	return step
}

// binlogValues are what the scripts know of the log.
func binlogValues(args *Args) map[string]any {
	values := map[string]any{"HasBinlog": args.Binlog != nil, "BinlogFolder": binlogFolder}
	if args.Binlog != nil {
		values["BinlogFiles"], values["BinlogKeepDays"] = binlogFiles, args.Binlog.KeepDays
		values["RetrySeconds"], values["LookSeconds"], values["FetchSeconds"], values["SkewSeconds"] = retrySeconds, lookSeconds, fetchSeconds, skewSeconds
	}
	return values
}

// binlogScripts are those beside the others. Nil: there is no log.
func binlogScripts(args *Args) []string {
	if args.Binlog == nil {
		return nil
	}
	return []string{binlogKey, shipKey, replayKey}
}
