package rules

import (
	"fmt"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// networkPolicy wants every workload's pods to be closed both ways: a pod that no policy selects may be reached by all, and reach
// all.
func networkPolicy(s *stack, report report) {
	if s.terms.OpenNetwork {
		return
	}
	for _, w := range s.workloads {
		for _, way := range []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress} {
			if !slices.ContainsFunc(s.policies, func(p policy) bool { return closes(p, w, way) }) {
				report(w.object, field.Required(podLabels,
					fmt.Sprintf("a NetworkPolicy of type %s that selects these pods: add one that allows what they need and no more", way)))
			}
		}
	}
}

type policy = decoded[networkingv1.NetworkPolicy]

// closes reports whether a policy selects a workload's pods for one of the two ways.
func closes(p policy, w workload, way networkingv1.PolicyType) bool {
	spec := p.typed.Spec
	types := spec.PolicyTypes
	if len(types) == 0 {
		// The API server's default.
		types = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}
		if len(spec.Egress) > 0 {
			types = append(types, networkingv1.PolicyTypeEgress)
		}
	}
	return slices.Contains(types, way) && p.object.Namespace() == w.object.Namespace() &&
		selector(&spec.PodSelector).Matches(labels.Set(w.template.Labels))
}

// policyPort wants what a policy lets in to lead to ports of the pods: those of the Service in front are not what it sees. A
// policy for pods that the stack does not run is left alone.
func policyPort(s *stack, report report) {
	for _, p := range s.policies {
		targets := s.selected(p.object.Namespace(), selector(&p.typed.Spec.PodSelector))
		for i, rule := range p.typed.Spec.Ingress {
			wantPorts(report, p, targets, field.NewPath("spec", "ingress").Index(i), rule.Ports)
		}
	}
}

// policyPeer wants pods of the same namespace that a policy names to be those of a workload, and what it lets out to lead to
// their ports: a policy for nobody cuts off those that it was meant for.
func policyPeer(s *stack, report report) {
	for _, p := range s.policies {
		for i, rule := range p.typed.Spec.Ingress {
			s.wantPeers(report, p, field.NewPath("spec", "ingress").Index(i).Child("from"), rule.From)
		}
		for i, rule := range p.typed.Spec.Egress {
			path := field.NewPath("spec", "egress").Index(i)
			targets := s.wantPeers(report, p, path.Child("to"), rule.To)
			wantPorts(report, p, targets, path, rule.Ports)
		}
	}
}

// wantPeers returns the workloads that the peers are, or none where others are among them, whose ports nobody knows.
func (s *stack) wantPeers(report report, p policy, path *field.Path, peers []networkingv1.NetworkPolicyPeer) []workload {
	var all []workload
	foreign := false
	for i, peer := range peers {
		if peer.PodSelector == nil || peer.NamespaceSelector != nil {
			foreign = true
			continue
		}
		selector := selector(peer.PodSelector)
		targets := s.selected(p.object.Namespace(), selector)
		if len(targets) == 0 {
			report(p.object, notFound(path.Index(i).Child("podSelector"), selector.String(), "use the labels of a workload's pods"))
		}
		all = append(all, targets...)
	}
	if foreign {
		return nil
	}
	return all
}

// wantPorts reports the ports that none of the workloads has; without any workload there is nothing to compare with.
func wantPorts(report report, p policy, targets []workload, path *field.Path, ports []networkingv1.NetworkPolicyPort) {
	var containers []container
	for _, target := range targets {
		containers = append(containers, target.mains()...)
	}
	for i, port := range ports {
		if port.Port != nil && len(targets) > 0 && !hasPort(containers, *port.Port) {
			report(p.object, notFound(path.Child("ports").Index(i).Child("port"), portValue(*port.Port),
				"name one of the ports of the pods: %s", portNames(containers)))
		}
	}
}

// portValue is a port's number or name, as the user wrote it.
func portValue(port intstr.IntOrString) any {
	if port.Type == intstr.Int {
		return port.IntVal
	}
	return port.StrVal
}
