package rules

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// workloadSelector wants every workload to own its pods alone: two that fight over a pod delete each other's.
func workloadSelector(p *plan, report report) {
	for _, w := range p.workloads {
		own := false
		for _, other := range p.selected(w.object.Namespace(), w.selector) {
			if identity(other.object) == identity(w.object) {
				own = true
				continue
			}
			report(w.object, "spec.selector matches the pods of %s too", identity(other.object))
		}
		if !own {
			report(w.object, "spec.selector does not match the labels of its own pods")
		}
	}
}

// serviceSelector wants every Service to lead to one workload, on ports that its pods have.
func serviceSelector(p *plan, report report) {
	for _, service := range p.services {
		targets := p.selected(service.object.Namespace(), labels.SelectorFromSet(service.typed.Spec.Selector))
		if len(targets) != 1 {
			report(service.object, "spec.selector matches the pods of %d workloads, want 1", len(targets))
			continue
		}
		for _, port := range service.typed.Spec.Ports {
			if !hasPort(targets[0].template.Spec.Containers, port.TargetPort) {
				report(service.object, "targetPort %s: %s has no such port", port.TargetPort.String(), identity(targets[0].object))
			}
		}
	}
}

func hasPort(containers []corev1.Container, port intstr.IntOrString) bool {
	for _, container := range containers {
		for _, p := range container.Ports {
			if p.Name == port.StrVal && port.Type == intstr.String || p.ContainerPort == port.IntVal && port.Type == intstr.Int {
				return true
			}
		}
	}
	return false
}

// governingService wants a StatefulSet's Service to be there and headless: it gives each pod its name.
func governingService(p *plan, report report) {
	for _, w := range p.workloads {
		if w.object.Kind() != "StatefulSet" {
			continue
		}
		service, found := find(p.services, w.object.Namespace(), w.service)
		if !found || service.Spec.ClusterIP != corev1.ClusterIPNone {
			report(w.object, "spec.serviceName %q is no headless Service of the stack", w.service)
		}
	}
}

// disruptionBudget wants exactly one budget for every workload: with two, no eviction succeeds at all.
func disruptionBudget(p *plan, report report) {
	budgets := map[string]int{}
	for _, budget := range p.budgets {
		targets := p.selected(budget.object.Namespace(), selector(budget.typed.Spec.Selector))
		if len(targets) != 1 {
			report(budget.object, "spec.selector matches the pods of %d workloads, want 1", len(targets))
		}
		for _, target := range targets {
			budgets[identity(target.object)]++
		}
	}
	for _, w := range p.workloads {
		if count := budgets[identity(w.object)]; count != 1 {
			report(w.object, "%d disruption budgets select its pods, want 1", count)
		}
	}
}

// autoscaler wants the number of a workload's pods to have one owner.
func autoscaler(p *plan, report report) {
	scaled := map[string]bool{}
	for _, hpa := range p.autoscalers {
		target := hpa.typed.Spec.ScaleTargetRef
		id := target.Kind + " " + hpa.object.Namespace() + "/" + target.Name
		scaled[id] = true
		if p.workload(id) == nil || target.APIVersion != apiVersions[target.Kind] {
			report(hpa.object, "spec.scaleTargetRef %s %s is not in the stack", target.APIVersion, id)
		}
	}
	for _, w := range p.workloads {
		if owned := scaled[identity(w.object)]; owned == (w.replicas != nil) {
			report(w.object, "spec.replicas given: %t; owned by an autoscaler: %t", w.replicas != nil, owned)
		}
	}
}

func (p *plan) workload(id string) *workload {
	for i := range p.workloads {
		if identity(p.workloads[i].object) == id {
			return &p.workloads[i]
		}
	}
	return nil
}
