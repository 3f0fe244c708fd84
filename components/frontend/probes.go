package frontend

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/limits"
)

// startupProbe waits for the database, five minutes at most: a database that comes up late must not restart the
// pod.
func startupProbe() *corev1.ProbeArgs {
	return probe(startupKey, timing{period: 2, timeout: 5, failures: 150})
}

// readinessProbe takes a pod out only after half a minute without an answer: when slow pages fill every
// process, the probe waits in the same queue, and taking out pod after pod would make it worse. A terminating
// pod is taken out at once, whatever the probe says.
func readinessProbe() *corev1.ProbeArgs {
	return probe(readyKey, timing{period: 5, timeout: 10, failures: 3})
}

// livenessProbe restarts a pod after limits.LivenessSeconds without an answer, which no queue explains.
func livenessProbe() *corev1.ProbeArgs {
	const period = 10
	return probe(readyKey, timing{period: period, timeout: 10, failures: limits.LivenessSeconds / period})
}

// timing of a probe: period and timeout in seconds, and how many failures in a row count.
type timing struct {
	period, timeout, failures int
}

// probe asks a file of the health folder, which answers neither with a redirect nor with a page of the site.
func probe(file string, t timing) *corev1.ProbeArgs {
	return &corev1.ProbeArgs{
		HttpGet: &corev1.HTTPGetActionArgs{
			Path: pulumi.String("/" + file), Port: pulumi.String(probePortName),
		},
		PeriodSeconds:    pulumi.Int(t.period),
		TimeoutSeconds:   pulumi.Int(t.timeout),
		FailureThreshold: pulumi.Int(t.failures),
	}
}
