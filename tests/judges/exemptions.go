package judges

import "strings"

// Exemption is a finding about the program's objects that stays, with the reason. They are all in this file.
type Exemption struct {
	// Criterion, Kind and a part of the Message of the findings.
	Criterion, Kind, Message string
	// Name of the object. Empty: any.
	Name string
	// Reason for which the object is right all the same.
	Reason string
}

// Exemptions of the program. The tutorial's manifests have none. One that covers no finding any more fails the run.
var Exemptions = []Exemption{
	{
		Criterion: Schema, Kind: "CephFilesystem", Message: "failed to locate OpenAPI spec for GV: ceph.rook.io/v1",
		Reason: "says nothing about the object: Rook's definitions are in no Go module that can be had, so there is nothing to judge it by",
	},
	{
		Criterion: KubeScoreCritical, Kind: "Deployment", Message: "pod-probes-identical:",
		Reason: "concerns stacks with a liveness probe: kube-score compares the pages that are asked and not the times. Readiness ends after " +
			"half a minute without an answer, and a restart comes after two, which no queue of requests explains",
	},
	{
		Criterion: KubeScoreCritical, Kind: "NetworkPolicy", Name: "wordpress-acme-solver", Message: "networkpolicy-targets-pod:",
		Reason: "is for pods that cert-manager makes while it solves a challenge, and takes away again",
	},
	{
		Criterion: KubeScoreWarning, Kind: "Deployment", Name: "wordpress-metrics-gateway", Message: "deployment-replicas:",
		Reason: "keeps numbers in its memory, of which each of two pods would know a part; nobody visits it, and the next run measures anew",
	},
}

func (e Exemption) covers(finding Finding) bool {
	return e.Criterion == finding.Criterion && e.Kind == finding.Kind && (e.Name == "" || e.Name == finding.Name) &&
		strings.Contains(finding.Message, e.Message)
}
