package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

type policy = decoded[networkingv1.NetworkPolicy]

// networkPolicy wants every workload's pods to be closed both ways, and every policy to be for one workload or to close
// several: a pod that no policy selects may be reached by all, and reach all.
func networkPolicy(s *stack, report report) {
	for _, p := range s.policies {
		s.wantSubject(report, p)
	}
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

// wantSubject looks at the pods that a policy is for.
func (s *stack) wantSubject(report report, p policy) {
	spec := p.typed.Spec
	path := field.NewPath("spec", "podSelector")
	selector := selector(&spec.PodSelector)
	switch targets := s.selected(p.object.Namespace(), selector); {
	case selector.Empty():
		if len(spec.Ingress)+len(spec.Egress) > 0 {
			report(p.object, field.Forbidden(path, "allows something for all pods of the namespace: select one workload's"))
		}
	case len(spec.Ingress)+len(spec.Egress) == 0 && len(targets) > 0:
		// It closes the pods of a site whose namespace has others' too.
	case len(targets) != 1 && !areJobsOfOneKind(targets) && !isForSolver(spec.PodSelector.MatchLabels):
		report(p.object, wantOne(path, selector, targets))
	}
}

// solverLabels begin the labels of pods that cert-manager starts, which no workload here describes.
const solverLabels = "acme.cert-manager.io/"

func isForSolver(labels map[string]string) bool {
	for name := range labels {
		if strings.HasPrefix(name, solverLabels) {
			return true
		}
	}
	return false
}

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

// policyPort wants what a policy lets in to name ports of the pods: those of the Service in front are not what it sees, and no
// list means all.
func policyPort(s *stack, report report) {
	for _, p := range s.policies {
		targets := s.selected(p.object.Namespace(), selector(&p.typed.Spec.PodSelector))
		for i, rule := range p.typed.Spec.Ingress {
			wantPorts(report, p, targets, field.NewPath("spec", "ingress").Index(i), rule.Ports)
		}
	}
}

// policyPeer wants a policy to name peers, those in its own namespace to be the pods of one workload, and what it lets out to
// lead to their ports: a policy for nobody cuts off those that it was meant for, and no list means everybody.
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

// policyDatabase wants the pods of a StatefulSet to be reached by pods of their own namespace alone: nobody else has business with
// the site's data.
func policyDatabase(s *stack, report report) {
	for _, p := range s.policies {
		targets := s.selected(p.object.Namespace(), selector(&p.typed.Spec.PodSelector))
		if len(targets) != 1 || targets[0].service == "" {
			continue
		}
		for i, rule := range p.typed.Spec.Ingress {
			for j, peer := range rule.From {
				if peer.PodSelector == nil || peer.NamespaceSelector != nil {
					report(p.object, field.Forbidden(field.NewPath("spec", "ingress").Index(i).Child("from").Index(j),
						"lets others than pods of this namespace reach a StatefulSet: name those by a podSelector alone"))
				}
			}
		}
	}
}

// serviceExposure wants Services to be of type ClusterIP, or NodePort where no StatefulSet is behind, and without external addresses:
// visitors come through the ingress, and nobody else comes at all.
func serviceExposure(s *stack, report report) {
	for _, service := range s.services {
		spec := service.typed.Spec
		if len(spec.ExternalIPs) > 0 {
			report(service.object, field.Forbidden(field.NewPath("spec", "externalIPs"), "leads round the edge: visitors come through the ingress"))
		}
		targets := s.selected(service.object.Namespace(), labels.SelectorFromSet(spec.Selector))
		isInside := spec.Type == "" || spec.Type == corev1.ServiceTypeClusterIP
		isNodePort := spec.Type == corev1.ServiceTypeNodePort
		leadsToData := slices.ContainsFunc(targets, func(w workload) bool { return w.service != "" })
		if !isInside && (!isNodePort || leadsToData) {
			report(service.object, field.Invalid(field.NewPath("spec", "type"), spec.Type,
				"must be ClusterIP: whoever reaches the nodes would reach these pods past the edge"))
		}
	}
}

// areJobsOfOneKind tells of CronJobs that have all labels in common, and so are meant to have one network.
func areJobsOfOneKind(targets []workload) bool {
	if len(targets) == 0 {
		return false
	}
	return !slices.ContainsFunc(targets, func(w workload) bool { return !w.ends || !maps.Equal(w.template.Labels, targets[0].template.Labels) })
}

// wantPeers returns the workloads that the peers are, or none where others are among them, whose ports nobody knows.
func (s *stack) wantPeers(report report, p policy, path *field.Path, peers []networkingv1.NetworkPolicyPeer) []workload {
	if len(peers) == 0 {
		report(p.object, field.Required(path, "without peers the rule is for everybody: name them"))
	}
	var all []workload
	foreign := false
	for i, peer := range peers {
		if peer.PodSelector == nil || peer.NamespaceSelector != nil {
			if peer.NamespaceSelector != nil && selector(peer.NamespaceSelector).Empty() {
				report(p.object, field.Required(path.Index(i).Child("namespaceSelector"), "without labels it selects all namespaces: name one"))
			}
			foreign = true
			continue
		}
		selector := selector(peer.PodSelector)
		targets := s.selected(p.object.Namespace(), selector)
		if len(targets) != 1 && !areJobsOfOneKind(targets) {
			report(p.object, wantOne(path.Index(i).Child("podSelector"), selector, targets))
		}
		all = append(all, targets...)
	}
	if foreign {
		return nil
	}
	return all
}

// wantPorts wants ports that one of the workloads has. Without any workload there is nothing to compare with.
func wantPorts(report report, p policy, targets []workload, path *field.Path, ports []networkingv1.NetworkPolicyPort) {
	if len(ports) == 0 {
		report(p.object, field.Required(path.Child("ports"), "without ports the rule is for all of them: name them"))
	}
	var containers []container
	for _, target := range targets {
		containers = append(containers, target.mains()...)
	}
	for i, port := range ports {
		if port.EndPort != nil {
			report(p.object, field.Forbidden(path.Child("ports").Index(i).Child("endPort"), "opens a range of ports: name each that is needed"))
		}
		path := path.Child("ports").Index(i).Child("port")
		switch {
		case port.Port == nil:
			report(p.object, field.Required(path, "without a number the rule is for all of the protocol's: give one"))
		case len(targets) > 0 && !hasPort(containers, *port.Port):
			report(p.object, notFound(path, port.Port.String(), "name one of the ports of the pods: %s", portNames(containers)))
		}
	}
}
