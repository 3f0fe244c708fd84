package config

import "k8s.io/apimachinery/pkg/util/validation/field"

var scalingRules = []rule{
	{oneOwnerOfReplicas, []string{"autoscaling.enabled", "frontend.replicas"}},
	{minWithinMax, []string{"autoscaling"}},
	{updateMakesProgress, []string{"frontend.maxSurge", "frontend.maxUnavailable"}},
	{updateKeepsAPod, []string{"autoscaling", "frontend.replicas", "frontend.maxUnavailable"}},
	{budgetCanBeMet, []string{"autoscaling", "frontend.replicas", "frontend.disruptionBudget"}},
	{spreadFitsOnNodes, []string{"autoscaling", "frontend.replicas", "frontend.spread", "frontend.nodes"}},
}

// frontend.replicas is refused while autoscaling is on: the next update would undo what the autoscaler did.
func oneOwnerOfReplicas(d *draft) field.ErrorList {
	if !*d.stack.Autoscaling.Enabled {
		return nil
	}
	return d.refuseGiven("the autoscaler owns the number of pods: remove it, or set autoscaling.enabled to false",
		"frontend.replicas")
}

// autoscaling.minReplicas is at most autoscaling.maxReplicas: the API server refuses such an autoscaler, half-way
// through an update.
func minWithinMax(d *draft) field.ErrorList {
	a := d.stack.Autoscaling
	if !*a.Enabled || a.MinReplicas <= a.MaxReplicas {
		return nil
	}
	return invalid("autoscaling.minReplicas", a.MinReplicas, "must be at most maxReplicas, which is %d", a.MaxReplicas)
}

// frontend.maxSurge and frontend.maxUnavailable are not both 0: such an update could neither add a pod nor
// take one away.
func updateMakesProgress(d *draft) field.ErrorList {
	f := d.stack.Frontend
	if f.MaxSurge.roundUp(100) > 0 || f.MaxUnavailable.roundUp(100) > 0 {
		return nil
	}
	return invalid("frontend.maxSurge", f.MaxSurge, "must be more than 0 while maxUnavailable is 0: no update could begin")
}

// frontend.maxUnavailable leaves at least one pod of several: an update must not take the site down.
func updateKeepsAPod(d *draft) field.ErrorList {
	least, _ := d.stack.ReplicaRange()
	unavailable := d.stack.Frontend.MaxUnavailable
	if least == 1 || unavailable.roundDown(least) < least {
		return nil
	}
	return invalid("frontend.maxUnavailable", unavailable,
		"must leave one of the %d pods to serve: use %d or less", least, least-1)
}

// frontend.disruptionBudget.maxUnavailable lets one pod go and keeps one of several: with 0 no node could ever be
// drained, and with all a drain takes the site down.
func budgetCanBeMet(d *draft) field.ErrorList {
	const key = "frontend.disruptionBudget.maxUnavailable"
	least, _ := d.stack.ReplicaRange()
	budget := d.stack.Frontend.DisruptionBudget.MaxUnavailable
	evictable := budget.roundUp(least)
	if evictable == 0 {
		return invalid(key, budget, "must be more than 0: no node that runs a pod could ever be drained")
	}
	if least > 1 && evictable >= least {
		return invalid(key, budget, "must leave one of the %d pods to serve: use %d or less", least, least-1)
	}
	return nil
}

// frontend.spread required needs a node for each pod, where frontend.nodes is stated: the pods beyond would stay
// pending. Those that an update adds are spread by themselves and may share a node with an outgoing one.
func spreadFitsOnNodes(d *draft) field.ErrorList {
	f := d.stack.Frontend
	_, pods := d.stack.ReplicaRange()
	if f.Spread != SpreadRequired || f.Nodes == 0 || pods <= f.Nodes {
		return nil
	}
	return invalid("frontend.spread", f.Spread,
		"needs %d nodes for as many pods, and nodes says %d: use preferred, or fewer pods", pods, f.Nodes)
}
