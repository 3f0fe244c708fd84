package config

import "strings"

// Storage and the database.
// shareOrOne is the way out of several pods on a volume for one.
const shareOrOne = ": use a class that can share, such as NFS or CephFS, or one pod (autoscaling.enabled false, frontend.replicas 1), which profile development alone allows"

var storageProblems = []problemCase{
	{"too few connections", `wordpress:database: {maxConnections: 44}`, []string{
		`database.maxConnections: Invalid value: 44: must be at least 45: 7 pods with 5 workers each, as many as frontend.resources give, 768Mi of memory and 500m of cpu, and 10 in reserve`,
	}},
	{"external database without host", `{wordpress:database: {mode: external}, wordpress:databaseRootPassword: null}`, []string{
		`database.host: Required value: where the database of mode external is, such as mysql.example.com`,
	}},
	{"external database with a server", `
wordpress:network: {database: {cidrs: [192.0.2.0/24]}}
wordpress:database: {mode: external, host: db.example.com, image: "mysql:9.7.4", resources: {cpu: 1}, maxConnections: 100}
wordpress:storage: {database: {size: 20Gi}}`, []string{
		`database.image: Forbidden: not used with database.mode external: remove it, or use mode standalone`,
		`database.maxConnections: Forbidden: not used with database.mode external: remove it, or use mode standalone`,
		`database.resources: Forbidden: not used with database.mode external: remove it, or use mode standalone`,
		`databaseRootPassword: Forbidden: not used with database.mode external: remove it, or use mode standalone`,
		`storage.database: Forbidden: not used with database.mode external: remove it, or use mode standalone`,
	}},
	{"own database with an address", `wordpress:database: {host: db.example.com, port: 3307}`, []string{
		`database.host: Forbidden: goes with database.mode external only: remove it, or set the mode`,
		`database.port: Forbidden: goes with database.mode external only: remove it, or set the mode`,
	}},
	{"file system without a class", `wordpress:storage: {cephfs: {create: true}, content: {accessMode: ReadWriteOnce}}`, []string{
		`storage.content.accessMode: Invalid value: "ReadWriteOnce": must be ReadWriteMany for 6 pods on several nodes` + shareOrOne,
		`storage.content.accessMode: Invalid value: "ReadWriteOnce": must be ReadWriteMany with cephfs.create`,
		`storage.content.storageClass: Required value: the name of the StorageClass that cephfs.create creates, such as csi-cephfs`,
	}},
	{"operator in no namespace", `wordpress:storage: {cephfs: {operatorNamespace: Rook}}`, []string{
		`storage.cephfs.operatorNamespace: Invalid value: "Rook": must be a namespace's name: at most 63 lower case letters, digits and -`,
	}},
	{"more connections than memory", `wordpress:database: {maxConnections: 513}`, []string{
		`database.maxConnections: Invalid value: 513: must be at most 512, one for each 768Ki above 640Mi of resources.memory, which is 1Gi: use fewer, or at least 1025Mi of memory`,
	}},
	{"name that the grant cannot hold", `wordpress:database: {name: ` + strings.Repeat("a", 63) + `_}`, []string{
		`database.name: Invalid value: "` + strings.Repeat("a", 63) + `_": must have at most 64 characters with each underscore counted twice, and has 65`,
	}},
	{"namespace of Rook", `
wordpress:namespace: ceph
wordpress:storage: {cephfs: {create: true, namespace: ceph}, content: {storageClass: csi-cephfs}}`, []string{
		`namespace: Invalid value: "ceph": must not be storage.cephfs.namespace, which is Rook's own: choose another name`,
	}},
	{"one claim for both", `wordpress:storage: {content: {existingClaim: data}, database: {existingClaim: data}}`, []string{
		`storage.database.existingClaim: Invalid value: "data": must be another claim than storage.content.existingClaim`,
	}},
	{"existing claims that are none", `wordpress:storage: {content: {existingClaim: Files}, database: {existingClaim: "my data"}}`, []string{
		`storage.content.existingClaim: Invalid value: "Files": must be a PersistentVolumeClaim's name: lower case letters, digits, - and .`,
		`storage.database.existingClaim: Invalid value: "my data": must be a PersistentVolumeClaim's name: lower case letters, digits, - and .`,
	}},
	{"existing claim on a file system to be made", `
wordpress:storage: {cephfs: {create: true}, content: {existingClaim: files}}`, []string{
		`storage.content.existingClaim: Forbidden: goes without storage.cephfs.create only: leave one of them out`,
	}},
	{"existing claim of an external database", `
wordpress:database: {mode: external, host: 192.0.2.7}
wordpress:databaseRootPassword: null
wordpress:storage: {database: {existingClaim: data}}`, []string{
		`storage.database: Forbidden: not used with database.mode external: remove it, or use mode standalone`,
	}},
}
