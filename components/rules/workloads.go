package rules

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// workloadSelector wants every workload to own its pods alone: two that fight over a pod delete each other's.
func workloadSelector(s *stack, report report) {
	for _, w := range s.served() {
		own := false
		for _, other := range s.selected(w.object.Namespace(), w.selector) {
			if identity(other.object) == identity(w.object) {
				own = true
				continue
			}
			report(w.object, field.Invalid(selectorPath, w.selector.String(),
				fmt.Sprintf("must not match the pods of %s too: add a label that these lack", identity(other.object))))
		}
		if !own {
			report(w.object, field.Invalid(selectorPath, w.selector.String(),
				"must match the labels of its own pods: use the same labels in spec.template"))
		}
	}
}

// serviceSelector wants every Service to lead to one workload, on ports that its pods have: requests fail on any other.
func serviceSelector(s *stack, report report) {
	for _, service := range s.services {
		selector := labels.SelectorFromSet(service.typed.Spec.Selector)
		targets := s.selected(service.object.Namespace(), selector)
		if len(targets) != 1 {
			report(service.object, wantOne(selectorPath, selector, targets))
			continue
		}
		if targets[0].ends {
			report(service.object, field.Forbidden(selectorPath, fmt.Sprintf("leads to the pods of %s, which end by themselves: select pods that serve",
				identity(targets[0].object))))
		}
		for _, port := range service.typed.Spec.Ports {
			if !hasPort(targets[0].mains(), port.TargetPort) {
				report(service.object, notFound(field.NewPath("spec", "ports").Key(port.Name).Child("targetPort"), port.TargetPort.String(),
					"name one of the ports of %s: %s", identity(targets[0].object), portNames(targets[0].mains())))
			}
		}
	}
}

// wantOne is the problem of a selector that matches no workload's pods, or those of several.
func wantOne(path *field.Path, selector labels.Selector, targets []workload) *field.Error {
	if len(targets) == 0 {
		return notFound(path, selector.String(), "use the labels of one workload's pods")
	}
	names := make([]string, 0, len(targets))
	for _, target := range targets {
		names = append(names, identity(target.object))
	}
	return field.Invalid(path, selector.String(), fmt.Sprintf("must match the pods of one workload alone, not of %q", names))
}

func hasPort(containers []container, port intstr.IntOrString) bool {
	for _, c := range containers {
		for _, p := range c.Ports {
			if p.Name == port.StrVal && port.Type == intstr.String || p.ContainerPort == port.IntVal && port.Type == intstr.Int {
				return true
			}
		}
	}
	return false
}

// portNames are the ports of containers as a message shows them.
func portNames(containers []container) []string {
	var names []string
	for _, c := range containers {
		for _, p := range c.Ports {
			names = append(names, fmt.Sprintf("%s (%d)", p.Name, p.ContainerPort))
		}
	}
	return names
}

// governingService wants a StatefulSet's Service to be there and headless: it gives each pod its name.
func governingService(s *stack, report report) {
	path := field.NewPath("spec", "serviceName")
	for _, w := range s.workloads {
		if w.object.Kind() != "StatefulSet" {
			continue
		}
		service, found := find(s.services, w.object.Namespace(), w.service)
		switch {
		case !found:
			report(w.object, notFound(path, w.service, "name a headless Service of the stack"))
		case service.Spec.ClusterIP != corev1.ClusterIPNone:
			report(w.object, field.Invalid(path, w.service, "must be headless: give that Service the clusterIP None"))
		}
	}
}

// disruptionBudget wants exactly one budget for every workload: with two, no eviction succeeds at all.
func disruptionBudget(s *stack, report report) {
	budgets := map[string]int{}
	for _, budget := range s.budgets {
		selector := selector(budget.typed.Spec.Selector)
		targets := s.selected(budget.object.Namespace(), selector)
		if len(targets) != 1 {
			report(budget.object, wantOne(selectorPath, selector, targets))
		}
		for _, target := range targets {
			if target.ends {
				report(budget.object, field.Forbidden(selectorPath, fmt.Sprintf("selects the pods of %s, which end by themselves, and each of which that is done "+
					"counts as one that is away: select pods that serve", identity(target.object))))
			}
			budgets[identity(target.object)]++
		}
	}
	for _, w := range s.served() {
		switch count := budgets[identity(w.object)]; {
		case count == 0:
			report(w.object, field.Required(podLabels, "a PodDisruptionBudget that selects these pods: add one, or a drain evicts all at once"))
		case count > 1:
			report(w.object, field.Forbidden(podLabels,
				fmt.Sprintf("%d PodDisruptionBudgets select these pods, and then none can be evicted: keep one", count)))
		}
	}
}

// autoscaler wants the number of a workload's pods to have one owner: with two, every update resets it.
func autoscaler(s *stack, report report) {
	scaled := map[string]bool{}
	for _, hpa := range s.autoscalers {
		target := hpa.typed.Spec.ScaleTargetRef
		id := target.Kind + " " + hpa.object.Namespace() + "/" + target.Name
		scaled[id] = true
		path := field.NewPath("spec", "scaleTargetRef")
		if !slices.ContainsFunc(s.workloads, func(w workload) bool { return identity(w.object) == id }) {
			report(hpa.object, notFound(path, id, "name a workload of the stack"))
		} else if want := apiVersions[target.Kind]; target.APIVersion != want {
			report(hpa.object, field.Invalid(path.Child("apiVersion"), target.APIVersion, fmt.Sprintf("must be %q", want)))
		}
	}
	for _, w := range s.served() {
		path := field.NewPath("spec", "replicas")
		switch owned := scaled[identity(w.object)]; {
		case owned && w.replicas != nil:
			report(w.object, field.Invalid(path, *w.replicas, "must be left out: an autoscaler owns the number, and every update would reset it"))
		case !owned && w.replicas == nil:
			report(w.object, field.Required(path, "no autoscaler owns the number: give one"))
		}
	}
}
