package config

const (
	clusterSets = "is the cluster's to set with podSecurity.fromCluster: leave one of them out"
	isRoot      = "must not be 0, which is root's: no pod of the program runs as root"
)

// Times, sizes and users.
var podProblems = []problemCase{
	{"request longer than the grace period", `wordpress:frontend: {maxRequestSeconds: 40}`, []string{
		`frontend.terminationGracePeriodSeconds: Invalid value: 60: must be more than drainSeconds and maxRequestSeconds together, which is 60; this value is the default`,
	}},
	{"workers without memory", `wordpress:frontend: {workers: 20, resources: {memory: 735Mi}}`, []string{
		`frontend.workers: Invalid value: 20: need 736Mi of memory and resources.memory is 735Mi: use 19 or less, or more memory`,
	}},
	{"a request that takes the whole pod", `wordpress:frontend: {requestMemory: 768Mi}`, []string{
		`frontend.requestMemory: Invalid value: "768Mi": must leave 64Mi of resources.memory, which is 768Mi: use 704Mi or less, or more memory`,
	}},
	{"a picture that takes the whole pod", `wordpress:frontend: {pictureMemory: 545Mi}`, []string{
		`frontend.pictureMemory: Invalid value: "545Mi": must leave 64Mi of resources.memory, which is 768Mi, and 32Mi for each of 5 workers: use 544Mi or less, or more memory`,
	}},
	{"a picture of no size", `wordpress:frontend: {pictureMemory: 31Mi}`, []string{
		`frontend.pictureMemory: Invalid value: "31Mi": must be at least 32Mi`,
	}},
	{"limits of processor time below the requests", `
wordpress:frontend: {resources: {cpu: 500m, cpuLimit: 499m}}
wordpress:database: {resources: {cpuLimit: 100m}}`, []string{
		`database.resources.cpuLimit: Invalid value: "100m": must be at least cpu, which is 500m: use more, or remove it`,
		`frontend.resources.cpuLimit: Invalid value: "499m": must be at least cpu, which is 500m: use more, or remove it`,
	}},
	{"a limit of processor time without its unit", `wordpress:frontend: {resources: {cpuLimit: 2000}}`, []string{
		`frontend.resources.cpuLimit: Invalid value: "2k": must be at most 128 cores: a thousandth of a core is 1m`,
	}},
	{"upload larger than the disk", `wordpress:frontend: {maxUploadSize: 1500Mi}`, []string{
		`frontend.maxUploadSize: Invalid value: "1500Mi": must leave 64Mi of resources.ephemeralStorage, which is 1Gi, to logs: use less, or at least 1564Mi there`,
	}},
	{"node port without its type", `wordpress:frontend: {service: {nodePort: 30012}}`, []string{
		`frontend.service.nodePort: Invalid value: 30012: goes with type NodePort only: remove it, or set the type`,
	}},
	{"upload larger than the volume", `{wordpress:frontend: {maxUploadSize: 512Mi}, wordpress:storage: {content: {size: 256Mi}}}`, []string{
		`frontend.maxUploadSize: Invalid value: "512Mi": must be at most storage.content.size, which is 256Mi`,
	}},
	{"users of the cluster's and of one's own", `wordpress:podSecurity: {fromCluster: true, seLinuxLevel: s0, frontend: {userID: 1000}, database: {fsGroup: 1000}}`, []string{
		`podSecurity.database: Forbidden: ` + clusterSets,
		`podSecurity.frontend: Forbidden: ` + clusterSets,
		`podSecurity.seLinuxLevel: Forbidden: ` + clusterSets,
	}},
	{"pods of root's", `wordpress:podSecurity: {frontend: {userID: 0, groupID: 0, fsGroup: 0}}`, []string{
		`podSecurity.frontend.fsGroup: Invalid value: 0: ` + isRoot,
		`podSecurity.frontend.groupID: Invalid value: 0: ` + isRoot,
		`podSecurity.frontend.userID: Invalid value: 0: ` + isRoot,
	}},
	{"users that Kubernetes does not know", `wordpress:podSecurity: {fromCluster: 1, seLinuxLevel: "s0:c1 c2", frontend: {userID: -1}, database: {userID: mysql, groupID: 2147483648, fsGroup: -5}}`, []string{
		`podSecurity.database.fsGroup: Invalid value: -5: must be from 1 to 2147483647`,
		`podSecurity.database.groupID: Invalid value: 2147483648: must be from 1 to 2147483647`,
		`podSecurity.database.userID: Invalid value: "mysql": must be a whole number such as 3, without quotes`,
		`podSecurity.fromCluster: Invalid value: 1: must be true or false, without quotes`,
		`podSecurity.frontend.userID: Invalid value: -1: must be from 1 to 2147483647`,
		`podSecurity.seLinuxLevel: Invalid value: "s0:c1 c2": must be a level such as s0:c123,c456`,
	}},
	{"user of a server that is somebody else's", `
wordpress:database: {mode: external, host: 192.0.2.7}
wordpress:databaseRootPassword: null
wordpress:podSecurity: {database: {userID: 12000}}`, []string{
		`podSecurity.database: Forbidden: not used with database.mode external: remove it, or use mode standalone`,
	}},
	{"probe that kills busy pods", `wordpress:frontend: {livenessProbe: true, maxRequestSeconds: 300, terminationGracePeriodSeconds: 330}`, []string{
		`frontend.livenessProbe: Invalid value: true: restarts a pod after 120 seconds without an answer, and maxRequestSeconds is 300: use 119 or less there, or no probe`,
	}},
	{"everything a little too large", `
wordpress:frontend:
  resources: {memory: 200Mi, ephemeralStorage: 256Mi}
  workers: 5
  maxUploadSize: 200Mi
  drainSeconds: 30
  service: {nodePort: 30080}
wordpress:storage: {content: {size: 100Mi}}`, []string{
		`frontend.maxUploadSize: Invalid value: "200Mi": must be at most storage.content.size, which is 100Mi`,
		`frontend.maxUploadSize: Invalid value: "200Mi": must leave 64Mi of resources.ephemeralStorage, which is 256Mi, to logs: use less, or at least 264Mi there`,
		`frontend.service.nodePort: Invalid value: 30080: goes with type NodePort only: remove it, or set the type`,
		`frontend.terminationGracePeriodSeconds: Invalid value: 60: must be more than drainSeconds and maxRequestSeconds together, which is 60; this value is the default`,
		`frontend.workers: Invalid value: 5: need 256Mi of memory and resources.memory is 200Mi: use 3 or less, or more memory`,
	}},
}
