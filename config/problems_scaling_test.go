package config

// The number of pods, updates and evictions.
var scalingProblems = []problemCase{
	{"replicas beside the autoscaler", `wordpress:frontend: {replicas: 3}`, []string{
		`frontend.replicas: Forbidden: the autoscaler owns the number of pods: remove it, or set autoscaling.enabled to false`,
	}},
	{"minimum above maximum", `wordpress:autoscaling: {minReplicas: 7}`, []string{
		`autoscaling.minReplicas: Invalid value: 7: must be at most maxReplicas, which is 6`,
	}},
	{"a target that busy pods exceed by a limit alone", `
wordpress:autoscaling: {cpuUtilization: 181}
wordpress:frontend: {resources: {cpu: 500m, cpuLimit: 1}}`, []string{
		`autoscaling.cpuUtilization: Invalid value: 181: must be from 1 to 180 percent`,
	}},
	{"update without a first step", `wordpress:frontend: {maxSurge: 0%, maxUnavailable: 0}`, []string{
		`frontend.maxSurge: Invalid value: "0%": must be more than 0 while maxUnavailable is 0: no update could begin`,
	}},
	{"update without pods", `wordpress:frontend: {maxUnavailable: 100%}`, []string{
		`frontend.maxUnavailable: Invalid value: "100%": must leave one of the 3 pods to serve: use 2 or less`,
	}},
	{"budget that stops every drain", `wordpress:frontend: {disruptionBudget: {maxUnavailable: 0}}`, []string{
		`frontend.disruptionBudget.maxUnavailable: Invalid value: "0": must be more than 0: no node that runs a pod could ever be drained`,
	}},
	{"budget that evicts all", `wordpress:frontend: {disruptionBudget: {maxUnavailable: 3}}`, []string{
		`frontend.disruptionBudget.maxUnavailable: Invalid value: "3": must leave one of the 3 pods to serve: use 2 or less`,
	}},
	{"budget that evicts all by rounding up", `{wordpress:autoscaling: {minReplicas: 2}, wordpress:frontend: {disruptionBudget: {maxUnavailable: 51%}}}`, []string{
		`frontend.disruptionBudget.maxUnavailable: Invalid value: "51%": must leave one of the 2 pods to serve: use 1 or less`,
	}},
	{"spread over too few nodes", `wordpress:frontend: {spread: required, nodes: 5}`, []string{
		`frontend.spread: Invalid value: "required": needs 6 nodes for as many pods, and nodes says 5: use preferred, or fewer pods`,
	}},
	{"several pods on a volume for one", `wordpress:storage: {content: {accessMode: ReadWriteOnce}}`, []string{
		`storage.content.accessMode: Invalid value: "ReadWriteOnce": must be ReadWriteMany for 6 pods on several nodes` + shareOrOne,
	}},
	{"surge on a volume for one", `
wordpress:autoscaling: {enabled: false}
wordpress:frontend: {replicas: 1, maxSurge: 10%}
wordpress:storage: {content: {accessMode: ReadWriteOnce}}`, []string{
		`frontend.maxSurge: Invalid value: "10%": must be 0, and maxUnavailable 1, with a ReadWriteOnce content volume: a second pod cannot mount it on another node`,
	}},
	{"fixed number with an update and a budget that take all", `
wordpress:autoscaling: {enabled: false}
wordpress:frontend: {replicas: 2, maxUnavailable: 2, disruptionBudget: {maxUnavailable: 100%}, spread: required, nodes: 1}`, []string{
		`frontend.disruptionBudget.maxUnavailable: Invalid value: "100%": must leave one of the 2 pods to serve: use 1 or less`,
		`frontend.maxUnavailable: Invalid value: "2": must leave one of the 2 pods to serve: use 1 or less`,
		`frontend.spread: Invalid value: "required": needs 2 nodes for as many pods, and nodes says 1: use preferred, or fewer pods`,
	}},
	{"an autoscaler that outgrows everything", `
wordpress:autoscaling: {maxReplicas: 30}
wordpress:frontend: {spread: required, nodes: 10, maxSurge: 50%}
wordpress:storage: {content: {accessMode: ReadWriteOnce}}`, []string{
		`database.maxConnections: Invalid value: 151: must be at least 235: 45 pods with 5 workers each, as many as frontend.resources give, 768Mi of memory and 500m of cpu, and 10 in reserve; this value is the default`,
		`frontend.spread: Invalid value: "required": needs 30 nodes for as many pods, and nodes says 10: use preferred, or fewer pods`,
		`storage.content.accessMode: Invalid value: "ReadWriteOnce": must be ReadWriteMany for 30 pods on several nodes` + shareOrOne,
	}},
}
