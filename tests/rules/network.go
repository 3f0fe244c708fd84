package rules

import (
	"maps"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// solverLabels are those of pods that cert-manager starts, which no workload here describes. Its names begin so.
const solverLabels = "acme.cert-manager.io/"

type networkPolicy = decoded[networkingv1.NetworkPolicy]

// networkPolicyRule wants every pod to be isolated in both directions where there are policies at all; each policy to select
// one workload, or all; and what it names of its own namespace to be there: pods, and the ports that they listen on.
func networkPolicyRule(p *plan, report report) {
	policies := p.policies
	for _, policy := range policies {
		p.checkSubject(policy, report)
		p.checkPeers(policy, report)
	}
	for _, w := range p.workloads {
		for _, way := range []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress} {
			isolates := func(policy networkPolicy) bool {
				spec := policy.typed.Spec
				return slices.Contains(spec.PolicyTypes, way) && selector(&spec.PodSelector).Matches(labels.Set(w.template.Labels))
			}
			if len(policies) > 0 && !slices.ContainsFunc(policies, isolates) {
				report(w.object, "no NetworkPolicy isolates its pods: %s", way)
			}
		}
	}
}

// checkSubject looks at the pods that a policy is for, and at the ports that it opens on them.
func (p *plan) checkSubject(policy networkPolicy, report report) {
	spec := policy.typed.Spec
	if len(spec.PodSelector.MatchLabels)+len(spec.PodSelector.MatchExpressions) == 0 {
		if len(spec.Ingress)+len(spec.Egress) > 0 {
			report(policy.object, "allows something for all pods of the namespace")
		}
		return
	}
	subjects := p.selected(policy.object.Namespace(), selector(&spec.PodSelector))
	if len(subjects) != 1 {
		if !isForSolver(spec) {
			report(policy.object, "spec.podSelector matches the pods of %d workloads, want 1", len(subjects))
		}
		return
	}
	for _, rule := range spec.Ingress {
		checkPolicyPorts(policy, subjects[0], rule.Ports, report)
	}
}

func isForSolver(spec networkingv1.NetworkPolicySpec) bool {
	names := slices.Collect(maps.Keys(spec.PodSelector.MatchLabels))
	return len(names) == 1 && strings.HasPrefix(names[0], solverLabels)
}

// checkPeers looks at those whom a policy lets reach its pods, and be reached by them. An empty list would mean everybody.
func (p *plan) checkPeers(policy networkPolicy, report report) {
	for _, rule := range policy.typed.Spec.Ingress {
		p.namedWorkloads(policy, rule.From, report)
	}
	for _, rule := range policy.typed.Spec.Egress {
		for _, w := range p.namedWorkloads(policy, rule.To, report) {
			checkPolicyPorts(policy, w, rule.Ports, report)
		}
	}
}

// namedWorkloads are the workloads of the policy's own namespace among the peers.
func (p *plan) namedWorkloads(policy networkPolicy, peers []networkingv1.NetworkPolicyPeer, report report) []workload {
	if len(peers) == 0 {
		report(policy.object, "a rule names no peers, which means everybody")
	}
	var named []workload
	for _, peer := range peers {
		if peer.PodSelector == nil || peer.NamespaceSelector != nil {
			continue
		}
		matching := p.selected(policy.object.Namespace(), selector(peer.PodSelector))
		if len(matching) != 1 {
			report(policy.object, "a rule names the pods of %d workloads of the namespace, want 1", len(matching))
		}
		named = append(named, matching...)
	}
	return named
}

// checkPolicyPorts wants the ports of pods, not those of their Service. An empty list would mean every port.
func checkPolicyPorts(policy networkPolicy, w workload, ports []networkingv1.NetworkPolicyPort, report report) {
	if len(ports) == 0 {
		report(policy.object, "a rule for %s names no ports, which means all", identity(w.object))
	}
	for _, port := range ports {
		if port.Port == nil {
			port.Port = &intstr.IntOrString{}
		}
		if !hasPort(w.template.Spec.Containers, *port.Port) {
			report(policy.object, "port %s: %s has no such port", port.Port.String(), identity(w.object))
		}
	}
}
