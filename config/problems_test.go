package config

import (
	"slices"
	"strings"
	"testing"
)

// Each case changes the minimal development stack and expects exactly these problems, in this order.
var problemCases = []struct {
	name, change string
	want         []string
}{
	// Keys and types.
	{"misspelt section", `wordpress:frontned: {replicas: 3}`, []string{
		`frontned: Forbidden: unknown key, did you mean "frontend"?`,
	}},
	{"unknown section", `wordpress:cache: {}`, []string{
		`cache: Forbidden: unknown key: remove it, or use one of profile, namespace, site, frontend, database, storage, autoscaling, ingress, databasePassword, databaseRootPassword, authSecret`,
	}},
	{"misspelt key in a section", `wordpress:frontend: {servce: {type: ClusterIP}}`, []string{
		`frontend.servce: Forbidden: unknown key, did you mean "service"?`,
	}},
	{"unknown key deep inside", `wordpress:storage: {content: {class: fast}}`, []string{
		`storage.content.class: Forbidden: unknown key: remove it, or use one of storageClass, size, accessMode`,
	}},
	{"wrong case", `wordpress:frontend: {maxsurge: 1}`, []string{
		`frontend.maxsurge: Forbidden: unknown key, did you mean "maxSurge"?`,
	}},
	{"dotted key of no section", `wordpress:cache.size: "5"`, []string{
		`cache.size: Forbidden: unknown key: remove it, or use one of profile, namespace, site, frontend, database, storage, autoscaling, ingress, databasePassword, databaseRootPassword, authSecret`,
	}},
	{"nested key without --path", `wordpress:frontend.replicas: "5"`, []string{
		`frontend.replicas: Forbidden: a key inside frontend needs --path: pulumi config rm 'wordpress:frontend.replicas', then pulumi config set --path 'wordpress:frontend.replicas' VALUE`,
	}},
	{"section as text", `wordpress:site: www.example.com`, []string{
		`site: Invalid value: "www.example.com": must be an object with the keys host`,
	}},
	{"section as list", `wordpress:site: [www.example.com]`, []string{
		`site: Invalid value: ["www.example.com"]: must be an object with the keys host`,
	}},
	{"object for a value", `wordpress:frontend: {image: {name: wordpress}}`, []string{
		`frontend.image: Invalid value: {"name":"wordpress"}: must be text: put numbers, true and false in quotes`,
	}},
	{"value for an object", `wordpress:frontend: {resources: 1}`, []string{
		`frontend.resources: Invalid value: 1: must be an object with the keys cpu, memory, ephemeralStorage`,
	}},
	{"number in quotes", `wordpress:frontend: {drainSeconds: "20"}`, []string{
		`frontend.drainSeconds: Invalid value: "20": must be a whole number such as 3, without quotes`,
	}},
	{"fraction", `wordpress:autoscaling: {minReplicas: 2.5}`, []string{
		`autoscaling.minReplicas: Invalid value: 2.5: must be a whole number such as 3, without quotes`,
	}},
	{"number too large for the type", `wordpress:frontend: {nodes: 99999999999999999999}`, []string{
		`frontend.nodes: Invalid value: 100000000000000000000: must be a whole number such as 3, without quotes`,
	}},
	{"switch in quotes", `wordpress:frontend: {livenessProbe: "yes"}`, []string{
		`frontend.livenessProbe: Invalid value: "yes": must be true or false, without quotes`,
	}},
	{"number for text", `wordpress:database: {name: 5}`, []string{
		`database.name: Invalid value: 5: must be text: put numbers, true and false in quotes`,
	}},
	{"number in a list", `wordpress:ingress: {tls: {certResolver: a, domains: [5]}}`, []string{
		`ingress.tls.domains: Invalid value: [5]: must be a list of texts`,
	}},
	{"switch in annotations", `wordpress:ingress: {kind: ingress, tls: {clusterIssuer: a}, annotations: {a: true}}`, []string{
		`ingress.annotations: Invalid value: {"a":true}: must be an object of texts: put numbers, true and false in quotes`,
	}},
	{"no value", `wordpress:frontend: {replicas: null}`, []string{
		`frontend.replicas: Required value: has no value: give it one, or remove the key`,
	}},
	{"empty text", `wordpress:storage: {database: {storageClass: ""}}`, []string{
		`storage.database.storageClass: Required value: is empty: give it a value, or remove the key`,
	}},
	{"several at once", `
wordpress:frontend: {replicas: three, colour: blue, resources: {cpu: 1 core}}
wordpress:site: {}
wordpress:authSecret: null`, []string{
		`authSecret: Required value: run: pulumi config set --secret wordpress:authSecret, or name a Secret in frontend.existingSecret`,
		`frontend.colour: Forbidden: unknown key: remove it, or use one of image, replicas, resources, workers, maxUploadSize, maxRequestSeconds, spread, nodes, maxSurge, maxUnavailable, disruptionBudget, drainSeconds, terminationGracePeriodSeconds, livenessProbe, service, existingSecret`,
		`frontend.replicas: Invalid value: "three": must be a whole number such as 3, without quotes`,
		`frontend.resources.cpu: Invalid value: "1 core": must be a quantity such as 200m, 256Mi or 20Gi`,
		`site.host: Required value: the DNS name that visitors use, such as wordpress.example.com`,
	}},

	// Single values.
	{"no profile", `wordpress:profile: null`, []string{
		`profile: Required value: production, or development for a stack that may lose its data`,
	}},
	{"unknown profile", `wordpress:profile: staging`, []string{
		`profile: Unsupported value: "staging": supported values: "production", "development"`,
	}},
	{"namespace with a dot", `wordpress:namespace: my.site`, []string{
		`namespace: Invalid value: "my.site": must be a namespace's name: at most 63 lower case letters, digits and -`,
	}},
	{"namespace of the cluster", `wordpress:namespace: kube-system`, []string{
		`namespace: Invalid value: "kube-system": must not be one of the cluster's own namespaces`,
	}},
	{"no host", `wordpress:site: {}`, []string{
		`site.host: Required value: the DNS name that visitors use, such as wordpress.example.com`,
	}},
	{"host with scheme", `wordpress:site: {host: "https://www.example.com"}`, []string{
		`site.host: Invalid value: "https://www.example.com": must be a DNS name in lower case such as wordpress.example.com, without scheme, port and path`,
	}},
	{"host with port", `wordpress:site: {host: "www.example.com:8443"}`, []string{
		`site.host: Invalid value: "www.example.com:8443": must be a DNS name in lower case such as wordpress.example.com, without scheme, port and path`,
	}},
	{"host in upper case", `wordpress:site: {host: WWW.example.com}`, []string{
		`site.host: Invalid value: "WWW.example.com": must be a DNS name in lower case such as wordpress.example.com, without scheme, port and path`,
	}},
	{"host with an underscore", `wordpress:site: {host: my_site.example.com}`, []string{
		`site.host: Invalid value: "my_site.example.com": must be a DNS name in lower case such as wordpress.example.com, without scheme, port and path`,
	}},
	{"address as host", `wordpress:site: {host: 192.0.2.1}`, []string{
		`site.host: Invalid value: "192.0.2.1": must be a DNS name in lower case such as wordpress.example.com, without scheme, port and path`,
	}},
	{"malformed images", `{wordpress:frontend: {image: "WordPress:7"}, wordpress:database: {image: "mysql:"}}`, []string{
		`database.image: Invalid value: "mysql:": must be an image reference such as wordpress:7.1.0-php8.3-apache`,
		`frontend.image: Invalid value: "WordPress:7": must be an image reference such as wordpress:7.1.0-php8.3-apache`,
	}},
	{"no replicas", `{wordpress:frontend: {replicas: 0}, wordpress:autoscaling: {enabled: false}}`, []string{
		`frontend.replicas: Invalid value: 0: must be from 1 to 1000 pods`,
	}},
	{"malformed quantity", `wordpress:frontend: {resources: {cpu: 200 millicores}}`, []string{
		`frontend.resources.cpu: Invalid value: "200 millicores": must be a quantity such as 200m, 256Mi or 20Gi`,
	}},
	{"quantity without end", `wordpress:storage: {content: {size: 1e999999999}}`, []string{
		`storage.content.size: Invalid value: "1e999999999": must be a quantity such as 200m, 256Mi or 20Gi`,
	}},
	{"milli bytes", `wordpress:frontend: {resources: {memory: 256m}}`, []string{
		`frontend.resources.memory: Invalid value: "256m": must be at least 128Mi`,
	}},
	{"too small to run", `
wordpress:frontend: {resources: {cpu: 1m, memory: 64Mi, ephemeralStorage: "0"}, maxUploadSize: 1}
wordpress:database: {resources: {memory: 256Mi}}
wordpress:storage: {database: {size: -1Gi}, content: {size: 0}}`, []string{
		`database.resources.memory: Invalid value: "256Mi": must be at least 512Mi`,
		`frontend.maxUploadSize: Invalid value: "1": must be at least 1Mi`,
		`frontend.resources.cpu: Invalid value: "1m": must be at least 10m`,
		`frontend.resources.ephemeralStorage: Invalid value: "0": must be at least 64Mi`,
		`frontend.resources.memory: Invalid value: "64Mi": must be at least 128Mi`,
		`storage.content.size: Invalid value: "0": must be at least 64Mi`,
		`storage.database.size: Invalid value: "-1Gi": must be at least 1Gi`,
	}},
	{"upload that Apache cannot take", `wordpress:frontend: {maxUploadSize: 2Gi, resources: {ephemeralStorage: 4Gi}}`, []string{
		`frontend.maxUploadSize: Invalid value: "2Gi": must be at most 2047Mi`,
	}},
	{"one worker", `wordpress:frontend: {workers: 1}`, []string{
		`frontend.workers: Invalid value: 1: must be from 2 to 256 workers`,
	}},
	{"times of zero", `wordpress:frontend: {maxRequestSeconds: 0, drainSeconds: 0, terminationGracePeriodSeconds: 0}`, []string{
		`frontend.drainSeconds: Invalid value: 0: must be from 1 to 3600 seconds`,
		`frontend.maxRequestSeconds: Invalid value: 0: must be from 1 to 3600 seconds`,
		`frontend.terminationGracePeriodSeconds: Invalid value: 0: must be from 1 to 7201 seconds`,
	}},
	{"unknown words", `
wordpress:frontend: {spread: always, service: {type: LoadBalancer}}
wordpress:database: {mode: cluster}
wordpress:storage: {content: {accessMode: RWX}}
wordpress:ingress: {kind: nginx}`, []string{
		`database.mode: Unsupported value: "cluster": supported values: "standalone", "external"`,
		`frontend.service.type: Unsupported value: "LoadBalancer": supported values: "ClusterIP", "NodePort"`,
		`frontend.spread: Unsupported value: "always": supported values: "preferred", "required"`,
		`ingress.kind: Unsupported value: "nginx": supported values: "traefik", "ingress", "none"`,
		`storage.content.accessMode: Unsupported value: "RWX": supported values: "ReadWriteOnce", "ReadWriteMany"`,
	}},
	{"malformed percentages", `wordpress:frontend: {maxSurge: 25 %, maxUnavailable: -1, disruptionBudget: {maxUnavailable: 120%}}`, []string{
		`frontend.disruptionBudget.maxUnavailable: Invalid value: "120%": must be a count from 0 to 1000 or a percentage from 0% to 100%`,
		`frontend.maxSurge: Invalid value: "25 %": must be a count from 0 to 1000 or a percentage from 0% to 100%`,
		`frontend.maxUnavailable: Invalid value: "-1": must be a count from 0 to 1000 or a percentage from 0% to 100%`,
	}},
	{"autoscaling out of range", `wordpress:autoscaling: {minReplicas: 0, maxReplicas: 5000, cpuUtilization: 160, scaleDownStabilizationSeconds: -1}`, []string{
		`autoscaling.cpuUtilization: Invalid value: 160: must be from 1 to 100 percent`,
		`autoscaling.maxReplicas: Invalid value: 5000: must be from 1 to 1000 pods`,
		`autoscaling.minReplicas: Invalid value: 0: must be from 1 to 1000 pods`,
		`autoscaling.scaleDownStabilizationSeconds: Invalid value: -1: must be from 0 to 3600 seconds`,
	}},
	{"node port out of range", `wordpress:frontend: {service: {type: NodePort, nodePort: 80}}`, []string{
		`frontend.service.nodePort: Invalid value: 80: must be from 30000 to 32767`,
	}},
	{"database names", `wordpress:database: {name: my-site, user: root}`, []string{
		`database.name: Invalid value: "my-site": must be 1 to 64 characters of A-Z, a-z, 0-9, _ and $`,
		`database.user: Invalid value: "root": must not be root: the site needs one database only`,
	}},
	{"database name that begins badly", `wordpress:database: {name: -site}`, []string{
		`database.name: Invalid value: "-site": must be 1 to 64 characters of A-Z, a-z, 0-9, _ and $`,
	}},
	{"database of MySQL itself", `wordpress:database: {name: MySQL, user: abcdefghijklmnopqrstuvwxyz0123456}`, []string{
		`database.name: Invalid value: "MySQL": must not be one of MySQL's own databases`,
		`database.user: Invalid value: "abcdefghijklmnopqrstuvwxyz0123456": must be 1 to 32 characters of A-Z, a-z, 0-9, _ and $`,
	}},
	{"database out of range", `
wordpress:database: {maxConnections: 200000, terminationGracePeriodSeconds: 0, port: 70000}
wordpress:frontend: {nodes: -1}`, []string{
		`database.maxConnections: Invalid value: 200000: must be from 1 to 100000 connections`,
		`database.port: Forbidden: goes with database.mode external only: remove it, or set the mode`,
		`database.port: Invalid value: 70000: must be from 1 to 65535`,
		`database.terminationGracePeriodSeconds: Invalid value: 0: must be from 1 to 3600 seconds`,
		`frontend.nodes: Invalid value: -1: must be from 0 to 5000 nodes`,
	}},
	{"external host with port", `{wordpress:database: {mode: external, host: "db:3306"}, wordpress:databaseRootPassword: null}`, []string{
		`database.host: Invalid value: "db:3306": must be a DNS name or an IPv4 address, without port: lower case letters, digits, - and .`,
	}},
	{"names of what exists", `
wordpress:database: {existingSecret: My_Password}
wordpress:databasePassword: null
wordpress:databaseRootPassword: null
wordpress:storage: {database: {storageClass: Block}}
wordpress:ingress: {tls: {existingSecret: My_TLS}}`, []string{
		`database.existingSecret: Invalid value: "My_Password": must be a Secret's name: lower case letters, digits, - and .`,
		`ingress.tls.existingSecret: Invalid value: "My_TLS": must be a Secret's name: lower case letters, digits, - and .`,
		`storage.database.storageClass: Invalid value: "Block": must be a StorageClass's name: lower case letters, digits, - and .`,
	}},
	{"malformed object names", `
wordpress:frontend: {existingSecret: My_Keys}
wordpress:authSecret: null
wordpress:storage: {content: {storageClass: Fast}, cephfs: {filesystem: my_fs, namespace: rook.ceph}}
wordpress:ingress: {className: Traefik, tls: {clusterIssuer: "let's encrypt"}}`, []string{
		`frontend.existingSecret: Invalid value: "My_Keys": must be a Secret's name: lower case letters, digits, - and .`,
		`ingress.className: Invalid value: "Traefik": must be an IngressClass's name: lower case letters, digits, - and .`,
		`ingress.tls.clusterIssuer: Invalid value: "let's encrypt": must be a ClusterIssuer's name: lower case letters, digits, - and .`,
		`storage.cephfs.filesystem: Invalid value: "my_fs": must be a CephFilesystem's name: lower case letters, digits, - and .`,
		`storage.cephfs.namespace: Invalid value: "rook.ceph": must be a namespace's name: at most 63 lower case letters, digits and -`,
		`storage.content.storageClass: Invalid value: "Fast": must be a StorageClass's name: lower case letters, digits, - and .`,
	}},
	{"resolver and domains", `wordpress:ingress: {tls: {certResolver: my resolver, domains: [www.example.com, "*.*.com", www.example.com]}}`, []string{
		`ingress.tls.certResolver: Invalid value: "my resolver": must be the name of a resolver in Traefik's static configuration: letters, digits, - and _`,
		`ingress.tls.domains[1]: Invalid value: "*.*.com": must be a DNS name in lower case such as example.com, or a wildcard such as *.example.com`,
		`ingress.tls.domains[2]: Duplicate value: "www.example.com"`,
	}},
	{"annotation without a name", `wordpress:ingress: {kind: ingress, tls: {clusterIssuer: a}, annotations: {"a b": c}}`, []string{
		`ingress.annotations: Invalid value: "a b": must be an annotation's name such as example.com/name`,
	}},

	// Replicas, updates and evictions.
	{"replicas beside the autoscaler", `wordpress:frontend: {replicas: 3}`, []string{
		`frontend.replicas: Forbidden: the autoscaler owns the number of pods: remove it, or set autoscaling.enabled to false`,
	}},
	{"minimum above maximum", `wordpress:autoscaling: {minReplicas: 7}`, []string{
		`autoscaling.minReplicas: Invalid value: 7: must be at most maxReplicas, which is 6`,
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
		`storage.content.accessMode: Invalid value: "ReadWriteOnce": must be ReadWriteMany for 6 pods on several nodes`,
	}},
	{"surge on a volume for one", `
wordpress:autoscaling: {enabled: false}
wordpress:frontend: {replicas: 1, maxSurge: 10%}
wordpress:storage: {content: {accessMode: ReadWriteOnce}}`, []string{
		`frontend.maxSurge: Invalid value: "10%": must be 0, and maxUnavailable 1, with a ReadWriteOnce content volume: a second pod cannot mount it on another node`,
	}},

	// Times and sizes.
	{"request longer than the grace period", `wordpress:frontend: {maxRequestSeconds: 40}`, []string{
		`frontend.terminationGracePeriodSeconds: Invalid value: 60: must be more than drainSeconds and maxRequestSeconds together, which is 60`,
	}},
	{"workers without memory", `wordpress:frontend: {workers: 7}`, []string{
		`frontend.workers: Invalid value: 7: need 288Mi of memory and resources.memory is 256Mi: use 6 or less, or more memory`,
	}},
	{"upload larger than the disk", `wordpress:frontend: {maxUploadSize: 1500Mi}`, []string{
		`frontend.maxUploadSize: Invalid value: "1500Mi": must be at most resources.ephemeralStorage, which is 1Gi`,
	}},
	{"node port without its type", `wordpress:frontend: {service: {nodePort: 30012}}`, []string{
		`frontend.service.nodePort: Invalid value: 30012: goes with type NodePort only: remove it, or set the type`,
	}},

	// Database and storage.
	{"too few connections", `wordpress:database: {maxConnections: 51}`, []string{
		`database.maxConnections: Invalid value: 51: must be at least 52: 7 pods with 6 workers each, and 10 in reserve`,
	}},
	{"external database without host", `{wordpress:database: {mode: external}, wordpress:databaseRootPassword: null}`, []string{
		`database.host: Required value: where the database of mode external is, such as mysql.example.com`,
	}},
	{"external database with a server", `
wordpress:database: {mode: external, host: db.example.com, image: "mysql:9.7.2", resources: {cpu: 1}, maxConnections: 100}
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
		`storage.content.accessMode: Invalid value: "ReadWriteOnce": must be ReadWriteMany for 6 pods on several nodes`,
		`storage.content.accessMode: Invalid value: "ReadWriteOnce": must be ReadWriteMany with cephfs.create`,
		`storage.content.storageClass: Required value: the name of the StorageClass that cephfs.create creates, such as csi-cephfs`,
	}},

	// Ingress.
	{"two certificates", `wordpress:ingress: {tls: {certResolver: a, existingSecret: b}}`, []string{
		`ingress.tls: Forbidden: a certificate has one source: keep one of certResolver, existingSecret`,
	}},
	{"redirect to nowhere", `wordpress:ingress: {redirectToHTTPS: true}`, []string{
		`ingress.redirectToHTTPS: Invalid value: true: needs a certificate: set one of ingress.tls.certResolver, existingSecret, clusterIssuer, defaultCertificate, or set this to false`,
	}},
	{"redirect by default to nowhere", `wordpress:ingress: null`, []string{
		`ingress.redirectToHTTPS: Invalid value: true: needs a certificate: set one of ingress.tls.certResolver, existingSecret, clusterIssuer, defaultCertificate, or set this to false`,
	}},
	{"standard ingress with Traefik's keys", `wordpress:ingress: {kind: ingress, tls: {certResolver: a}, redirectToHTTPS: true}`, []string{
		`ingress.redirectToHTTPS: Invalid value: true: goes with ingress.kind traefik only: remove it, and redirect by the controller's own means`,
		`ingress.tls.certResolver: Forbidden: goes with ingress.kind traefik only: use existingSecret or clusterIssuer`,
	}},
	{"no ingress with keys of one", `wordpress:ingress: {kind: none, className: traefik, tls: {existingSecret: a}}`, []string{
		`ingress.className: Forbidden: not used with ingress.kind none: remove it, or choose a kind`,
		`ingress.tls: Forbidden: not used with ingress.kind none: remove it, or choose a kind`,
	}},
	{"annotations for Traefik", `wordpress:ingress: {tls: {existingSecret: a}, annotations: {a: b}}`, []string{
		`ingress.annotations: Forbidden: goes with ingress.kind ingress only: remove it, or set the kind`,
	}},
	{"domains without resolver", `wordpress:ingress: {tls: {existingSecret: a, domains: [www.example.com]}}`, []string{
		`ingress.tls.domains: Forbidden: goes with certResolver only: remove it, or set certResolver`,
	}},
	{"domains of another site", `wordpress:ingress: {tls: {certResolver: a, domains: [example.com, "*.www.example.com"]}}`, []string{
		`ingress.tls.domains: Invalid value: ["example.com","*.www.example.com"]: must cover site.host: add it, or the wildcard of its parent domain`,
	}},

	// Secrets.
	{"secrets missing", `{wordpress:databasePassword: null, wordpress:databaseRootPassword: null, wordpress:authSecret: null}`, []string{
		`authSecret: Required value: run: pulumi config set --secret wordpress:authSecret, or name a Secret in frontend.existingSecret`,
		`databasePassword: Required value: run: pulumi config set --secret wordpress:databasePassword, or name a Secret in database.existingSecret`,
		`databaseRootPassword: Required value: run: pulumi config set --secret wordpress:databaseRootPassword, or name a Secret in database.existingSecret`,
	}},
	{"secret in plain text", `wordpress:databasePassword: ` + testPassword, []string{
		`databasePassword: Forbidden: must not be in plain text: choose a new value and run: pulumi config set --secret wordpress:databasePassword`,
	}},
	{"secrets too short", `{wordpress:databasePassword: {secure: short}, wordpress:authSecret: {secure: 31 characters are one too few..}}`, []string{
		`authSecret: Invalid value: "[secret]": must have at least 32 characters`,
		`databasePassword: Invalid value: "[secret]": must have at least 8 characters`,
	}},
	{"secret with a line break", `wordpress:databaseRootPassword: {secure: "root-password\n"}`, []string{
		`databaseRootPassword: Invalid value: "[secret]": must not contain a line break or NUL, nor begin or end with white space`,
	}},
	{"secret with white space around it", `wordpress:databasePassword: {secure: " password"}`, []string{
		`databasePassword: Invalid value: "[secret]": must not contain a line break or NUL, nor begin or end with white space`,
	}},
	{"empty secret", `wordpress:authSecret: ""`, []string{
		`authSecret: Required value: is empty: give it a value, or remove the key`,
	}},
	{"secrets given twice", `{wordpress:database: {existingSecret: db}, wordpress:frontend: {existingSecret: keys}}`, []string{
		`authSecret: Forbidden: frontend.existingSecret already holds it: remove one of the two`,
		`databasePassword: Forbidden: database.existingSecret already holds it: remove one of the two`,
		`databaseRootPassword: Forbidden: database.existingSecret already holds it: remove one of the two`,
	}},

	// Production.
	{"latest images in production", `
wordpress:profile: production
wordpress:frontend: {image: wordpress}
wordpress:database: {image: "mysql:latest"}`, []string{
		`database.image: Invalid value: "mysql:latest": must have a tag other than latest, or a digest, in production`,
		`frontend.image: Invalid value: "wordpress": must have a tag other than latest, or a digest, in production`,
	}},
	{"everything that production refuses", `
wordpress:profile: production
wordpress:frontend: {service: {type: NodePort}}
wordpress:storage: {protect: false}
wordpress:autoscaling: {minReplicas: 1}
wordpress:ingress: {}
wordpress:databasePassword: hunter2hunter2
wordpress:authSecret: null`, []string{
		`authSecret: Required value: run: pulumi config set --secret wordpress:authSecret, or name a Secret in frontend.existingSecret`,
		`autoscaling.minReplicas: Invalid value: 1: must be at least 2 in production`,
		`databasePassword: Forbidden: must not be in plain text: choose a new value and run: pulumi config set --secret wordpress:databasePassword`,
		`frontend.service.type: Invalid value: "NodePort": must be ClusterIP in production: visitors come through the ingress`,
		`ingress.tls: Required value: production is served over HTTPS: set one of certResolver, existingSecret, clusterIssuer or defaultCertificate`,
		`storage.protect: Invalid value: false: must be true in production: the data would go with the stack`,
	}},
	{"one fixed pod in production", `
wordpress:profile: production
wordpress:autoscaling: {enabled: false}
wordpress:frontend: {replicas: 1}`, []string{
		`frontend.replicas: Invalid value: 1: must be at least 2 in production`,
	}},
}

func TestProblems(t *testing.T) {
	for _, c := range problemCases {
		t.Run(c.name, func(t *testing.T) {
			if got := problemsOf(t, minimal, c.change); !slices.Equal(got, c.want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
		})
	}
}
