package frontend

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/limits"
)

// startupProbe waits for the database, five minutes at most: a database that comes up late must not restart the
// pod.
func startupProbe() *corev1.ProbeArgs {
	probe := timing{period: 2, timeout: 5, failures: 150}.probe()
	// A file of the health folder answers neither with a redirect nor with a page of the site. No visitor is there yet to wait behind.
	probe.HttpGet = &corev1.HTTPGetActionArgs{Path: pulumi.String("/" + startupKey), Port: pulumi.String(probePortName)}
	return probe
}

// readinessProbe opens a connection, which the kernel accepts for Apache as long as it listens. A request would wait behind visitors,
// since all ports share Apache's processes: whoever keeps them busy would have pod after pod taken out, and the site with them. A
// terminating pod is taken out at once, whatever the probe says.
func readinessProbe() *corev1.ProbeArgs {
	return connectProbe(timing{period: 5, timeout: 10, failures: 3})
}

// livenessProbe restarts a pod after limits.LivenessSeconds in which no connection could be opened. Whoever keeps Apache's processes busy
// does not have pods restarted either.
func livenessProbe() *corev1.ProbeArgs {
	const period = 10
	return connectProbe(timing{period: period, timeout: 10, failures: limits.LivenessSeconds / period})
}

// timing of a probe: period and timeout in seconds, and how many failures in a row count.
type timing struct {
	period, timeout, failures int
}

func connectProbe(t timing) *corev1.ProbeArgs {
	probe := t.probe()
	probe.TcpSocket = &corev1.TCPSocketActionArgs{Port: pulumi.String(probePortName)}
	return probe
}

func (t timing) probe() *corev1.ProbeArgs {
	return &corev1.ProbeArgs{
		PeriodSeconds:    pulumi.Int(t.period),
		TimeoutSeconds:   pulumi.Int(t.timeout),
		FailureThreshold: pulumi.Int(t.failures),
	}
}
