package config

import "strings"

// Values that are wrong by themselves.
var valueProblems = []problemCase{
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
		`namespace: Invalid value: "kube-system": must not be a namespace of the cluster or of a well-known component: choose one for the site alone`,
	}},
	{"namespace of the network", `wordpress:namespace: kube-flannel`, []string{
		`namespace: Invalid value: "kube-flannel": must not be a namespace of the cluster or of a well-known component: choose one for the site alone`,
	}},
	{"namespace of a distribution, there already", `{wordpress:namespace: openshift-ingress, wordpress:createNamespace: false}`, []string{
		`namespace: Invalid value: "openshift-ingress": must not be a namespace of the cluster or of a well-known component: choose one for the site alone`,
	}},
	{"no answer to a question", `wordpress:createNamespace: "no"`, []string{
		`createNamespace: Invalid value: "no": must be true or false, without quotes`,
	}},
	{"registry with a scheme", `wordpress:imageRegistry: https://registry.example.com`, []string{
		`imageRegistry: Invalid value: "https://registry.example.com": must be a registry's host, and a path there if it has one, such as registry.example.com/dockerhub: without scheme, tag and slash at the end`,
	}},
	{"registry with a slash at the end", `wordpress:imageRegistry: registry.example.com/`, []string{
		`imageRegistry: Invalid value: "registry.example.com/": must be a registry's host, and a path there if it has one, such as registry.example.com/dockerhub: without scheme, tag and slash at the end`,
	}},
	{"path without a registry", `wordpress:imageRegistry: mirror`, []string{
		`imageRegistry: Invalid value: "mirror": must be a registry's host, and a path there if it has one, such as registry.example.com/dockerhub: without scheme, tag and slash at the end`,
	}},
	{"pull secrets that are none", `wordpress:imagePullSecrets: [registry, Registry, registry, ""]`, []string{
		`imagePullSecrets[1]: Invalid value: "Registry": must be a Secret's name: lower case letters, digits, - and .`,
		`imagePullSecrets[2]: Duplicate value: "registry"`,
		`imagePullSecrets[3]: Invalid value: "": must be a Secret's name: lower case letters, digits, - and .`,
	}},
	{"one pull secret without its list", `wordpress:imagePullSecrets: registry`, []string{
		`imagePullSecrets: Invalid value: "registry": must be a list of texts`,
	}},
	{"unknown pull policy", `wordpress:imagePullPolicy: Never`, []string{
		`imagePullPolicy: Unsupported value: "Never": supported values: "Always", "IfNotPresent"`,
	}},
	{"no host", `wordpress:site: {}`, []string{
		`site.host: Required value: the DNS name that visitors use, such as wordpress.example.com`,
	}},
	{"host with scheme", `wordpress:site: {host: "https://www.example.com"}`, []string{
		`site.host: Invalid value: "https://www.example.com": must be a DNS name in lower case such as wordpress.example.com, without scheme, port and path: write www.example.com`,
	}},
	{"host with port", `wordpress:site: {host: "www.example.com:8443"}`, []string{
		`site.host: Invalid value: "www.example.com:8443": must be a DNS name in lower case such as wordpress.example.com, without scheme, port and path: write www.example.com`,
	}},
	{"host in upper case", `wordpress:site: {host: WWW.example.com}`, []string{
		`site.host: Invalid value: "WWW.example.com": must be a DNS name in lower case such as wordpress.example.com, without scheme, port and path: write www.example.com`,
	}},
	{"host with an underscore", `wordpress:site: {host: my_site.example.com}`, []string{
		`site.host: Invalid value: "my_site.example.com": must be a DNS name in lower case such as wordpress.example.com, without scheme, port and path`,
	}},
	{"address as host", `wordpress:site: {host: 192.0.2.1}`, []string{
		`site.host: Invalid value: "192.0.2.1": must be a DNS name in lower case such as wordpress.example.com, without scheme, port and path`,
	}},
	{"malformed images", `{wordpress:frontend: {image: "WordPress:7"}, wordpress:database: {image: "mysql:"}}`, []string{
		`database.image: Invalid value: "mysql:": must be an image reference such as wordpress:7.1.4-php8.3-apache`,
		`frontend.image: Invalid value: "WordPress:7": must be an image reference such as wordpress:7.1.4-php8.3-apache`,
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
	{"optional quantity without end", `wordpress:frontend: {requestMemory: 1e999999999}`, []string{
		`frontend.requestMemory: Invalid value: "1e999999999": must be a quantity such as 200m, 256Mi or 20Gi`,
	}},
	{"requests of a wrong size", `wordpress:frontend: {requestMemory: 31Mi}`, []string{
		`frontend.requestMemory: Invalid value: "31Mi": must be at least 32Mi`,
	}},
	{"requests that nobody waits for", `wordpress:frontend: {requestMemory: 3Gi, workers: 6, resources: {memory: 4Gi}}`, []string{
		`frontend.requestMemory: Invalid value: "3Gi": must be at most 2Gi`,
	}},
	{"annotations of a Service that are none", `wordpress:frontend: {service: {annotations: {a b: c, pulumi.com/skipAwait: "false"}}}`, []string{
		`frontend.service.annotations: Invalid value: "a b": must be an annotation's name such as example.com/name`,
		`frontend.service.annotations[pulumi.com/skipAwait]: Forbidden: is for the program to set: remove it`,
	}},
	{"milli bytes", `wordpress:frontend: {resources: {memory: 256m}}`, []string{
		`frontend.resources.memory: Invalid value: "256m": must be at least 160Mi`,
	}},
	{"too small to run", `
wordpress:frontend: {resources: {cpu: 1m, memory: 64Mi, ephemeralStorage: "0"}, maxUploadSize: 1}
wordpress:database: {resources: {memory: 256Mi}}
wordpress:storage: {database: {size: -1Gi}, content: {size: 0}}`, []string{
		`database.resources.memory: Invalid value: "256Mi": must be at least 768Mi`,
		`frontend.maxUploadSize: Invalid value: "1": must be at least 1Mi`,
		`frontend.resources.cpu: Invalid value: "1m": must be at least 10m`,
		`frontend.resources.ephemeralStorage: Invalid value: "0": must be at least 64Mi`,
		`frontend.resources.memory: Invalid value: "64Mi": must be at least 160Mi`,
		`storage.content.size: Invalid value: "0": must be at least 64Mi`,
		`storage.database.size: Invalid value: "-1Gi": must be at least 1Gi`,
	}},
	{"upload that Apache cannot take", `wordpress:frontend: {maxUploadSize: 2Gi, resources: {ephemeralStorage: 4Gi}}`, []string{
		`frontend.maxUploadSize: Invalid value: "2Gi": must be at most 2046Mi`,
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
wordpress:frontend: {spread: always, service: {type: ExternalName}}
wordpress:database: {mode: cluster}
wordpress:storage: {content: {accessMode: RWX}}
wordpress:ingress: {kind: nginx}`, []string{
		`database.mode: Unsupported value: "cluster": supported values: "standalone", "external"`,
		`frontend.service.type: Unsupported value: "ExternalName": supported values: "ClusterIP", "NodePort"`,
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
		`autoscaling.cpuUtilization: Invalid value: 160: must be from 1 to 90 percent`,
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
	{"name that no server takes", `{wordpress:database: {mode: external, host: 192.0.2.7, name: "wp;prod"}, wordpress:databaseRootPassword: null}`, []string{
		`database.name: Invalid value: "wp;prod": must be 1 to 64 characters of A-Z, a-z, 0-9, _, $, -, . and @`,
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
	{"label that DNS cannot hold", `wordpress:site: {host: ` + strings.Repeat("a", 64) + `.example.com}`, []string{
		`site.host: Invalid value: "` + strings.Repeat("a", 64) + `.example.com": must be a DNS name in lower case such as wordpress.example.com, without scheme, port and path`,
	}},
	{"host that browsers read as an address", `wordpress:site: {host: 192.0.2.256}`, []string{
		`site.host: Invalid value: "192.0.2.256": must be a DNS name in lower case such as wordpress.example.com, without scheme, port and path`,
	}},
	{"host with a final dot", `wordpress:site: {host: www.example.com.}`, []string{
		`site.host: Invalid value: "www.example.com.": must be a DNS name in lower case such as wordpress.example.com, without scheme, port and path`,
	}},
	{"wildcard host", `wordpress:site: {host: "*.example.com"}`, []string{
		`site.host: Invalid value: "*.example.com": must be a DNS name in lower case such as wordpress.example.com, without scheme, port and path`,
	}},
	{"images without Apache or MySQL", `
wordpress:frontend: {image: "registry.example.com/library/wordpress:7.1.4-php8.3-fpm-alpine"}
wordpress:database: {image: "mariadb:12.3.2"}`, []string{
		`database.image: Invalid value: "mariadb:12.3.2": must be MySQL, such as mysql:9.7.4`,
		`frontend.image: Invalid value: "registry.example.com/library/wordpress:7.1.4-php8.3-fpm-alpine": must contain Apache: use the variant whose tag ends in -apache`,
	}},
	{"sizes as they are written elsewhere", `
wordpress:storage: {content: {size: 100GB}, database: {size: "20 gib"}}
wordpress:frontend: {requestMemory: 128kb}`, []string{
		`frontend.requestMemory: Invalid value: "128kb": must be a quantity such as 200m, 256Mi or 20Gi: write 128k, or 128Ki for the size in powers of two`,
		`storage.content.size: Invalid value: "100GB": must be a quantity such as 200m, 256Mi or 20Gi: write 100G, or 100Gi for the size in powers of two`,
		`storage.database.size: Invalid value: "20 gib": must be a quantity such as 200m, 256Mi or 20Gi: write 20Gi`,
	}},
	{"host beyond ASCII", `wordpress:site: {host: müller.de}`, []string{
		`site.host: Invalid value: "müller.de": must be a DNS name in lower case such as wordpress.example.com, without scheme, port and path: write xn--mller-kva.de`,
	}},
	{"host as an address", `wordpress:site: {host: "https://WWW.example.com:8443/"}`, []string{
		`site.host: Invalid value: "https://WWW.example.com:8443/": must be a DNS name in lower case such as wordpress.example.com, without scheme, port and path: write www.example.com`,
	}},
	{"site below a path", `wordpress:site: {host: "https://example.com/blog"}`, []string{
		`site.host: Invalid value: "https://example.com/blog": must be a DNS name in lower case such as wordpress.example.com, without scheme, port and path: a site below a path is not supported, give it a host of its own`,
	}},
	{"a load balancer for one site", `wordpress:frontend: {service: {type: LoadBalancer}}`, []string{
		`frontend.service.type: Invalid value: "LoadBalancer": must be ClusterIP, or NodePort in development: the load balancer is the ingress controller's, which serves every site of the cluster; ingress.kind says which one, or none for a Service of your own`,
	}},
	{"images that are too old", `
wordpress:frontend: {image: "registry.example.com/mirror/wordpress:4.9-apache"}
wordpress:database: {image: "mysql:8.0.44-bookworm"}`, []string{
		`database.image: Invalid value: "mysql:8.0.44-bookworm": must be MySQL 8.4 or newer, such as ` + DefaultDatabaseImage +
			`: older servers get no fixes any more; where the tag counts builds of your own, name the image by its digest alone`,
		`frontend.image: Invalid value: "registry.example.com/mirror/wordpress:4.9-apache": must be WordPress 5.6 or newer, such as ` + DefaultFrontendImage +
			`: older images lack the wp-config-docker.php that the program's settings go through; where the tag counts builds of your own, name the image by its digest alone`,
	}},
	{"images of another contract", `
wordpress:frontend: {image: "wordpress:cli-2.12.0"}
wordpress:database: {image: "bitnamilegacy/mysql:9"}`, []string{
		`database.image: Invalid value: "bitnamilegacy/mysql:9": must keep the contract of the official image, which Bitnami's do not`,
		`frontend.image: Invalid value: "wordpress:cli-2.12.0": must contain Apache: use the variant whose tag ends in -apache`,
	}},
	{"cores without the m", `{wordpress:frontend: {resources: {cpu: 200}}, wordpress:database: {resources: {cpu: 500, ephemeralStorage: 1Mi}}}`, []string{
		`database.resources.cpu: Invalid value: "500": must be at most 128 cores: a thousandth of a core is 1m`,
		`database.resources.ephemeralStorage: Invalid value: "1Mi": must be at least 64Mi`,
		`frontend.resources.cpu: Invalid value: "200": must be at most 128 cores: a thousandth of a core is 1m`,
	}},
	{"percentages beyond all numbers", `wordpress:frontend: {maxSurge: 99999999999999999999%, maxUnavailable: 101%}`, []string{
		`frontend.maxSurge: Invalid value: "99999999999999999999%": must be a count from 0 to 1000 or a percentage from 0% to 100%`,
		`frontend.maxUnavailable: Invalid value: "101%": must be a count from 0 to 1000 or a percentage from 0% to 100%`,
	}},
	{"target that no pod exceeds", `wordpress:autoscaling: {cpuUtilization: 91}`, []string{
		`autoscaling.cpuUtilization: Invalid value: 91: must be from 1 to 90 percent`,
	}},
	{"longest times exceeded", `wordpress:frontend: {maxRequestSeconds: 3601, drainSeconds: 3601, terminationGracePeriodSeconds: 7202}`, []string{
		`frontend.drainSeconds: Invalid value: 3601: must be from 1 to 3600 seconds`,
		`frontend.maxRequestSeconds: Invalid value: 3601: must be from 1 to 3600 seconds`,
		`frontend.terminationGracePeriodSeconds: Invalid value: 7202: must be from 1 to 7201 seconds`,
	}},
	{"external database in the pod itself", `{wordpress:database: {mode: external, host: 127.0.0.1}, wordpress:databaseRootPassword: null}`, []string{
		`database.host: Invalid value: "127.0.0.1": must not be the pod itself: name the server as the pods can reach it`,
	}},
	{"external database at localhost", `{wordpress:database: {mode: external, host: localhost, port: 0}, wordpress:databaseRootPassword: null}`, []string{
		`database.host: Invalid value: "localhost": must not be the pod itself: name the server as the pods can reach it`,
		`database.port: Invalid value: 0: must be from 1 to 65535`,
	}},
	{"a site that cannot be installed", `
wordpress:adminPassword: {secure: correct horse}
wordpress:site:
  host: a.example.com
  title: "two\nlines"
  admin: {user: "it's  me", email: admin@localhost, existingSecret: a_b}
  cron: {enabled: "no", everyMinutes: 31}`, []string{
		`site.admin.email: Invalid value: "admin@localhost": must be a mail address such as admin@example.com, of at most 100 characters`,
		`site.admin.existingSecret: Invalid value: "a_b": must be a Secret's name: lower case letters, digits, - and .`,
		`site.admin.user: Invalid value: "it's  me": must be 1 to 60 characters of A-Z, a-z, 0-9, space, _, ., - and @, without a space at either end or two in a row`,
		`site.cron.enabled: Invalid value: "no": must be true or false, without quotes`,
		`site.cron.everyMinutes: Invalid value: 31: must be from 1 to 30 minutes`,
		`site.title: Invalid value: "two\nlines": must be one line of at most 200 characters, without white space at either end`,
	}},
	{"addresses of mail that WordPress would not send to", `{wordpress:adminPassword: {secure: correct horse}, wordpress:site: {host: a.example.com, admin: {user: a, email: "A <a@b.c>"}}}`, []string{
		`site.admin.email: Invalid value: "A <a@b.c>": must be a mail address such as admin@example.com, of at most 100 characters`,
	}},
	{"domains that are none", `wordpress:ingress: {tls: {certResolver: a, domains: [www.example.com, 192.0.2.1, "*", "*.example.com.", EXAMPLE.com]}}`, []string{
		`ingress.tls.domains[1]: Invalid value: "192.0.2.1": must be a DNS name in lower case such as example.com, or a wildcard such as *.example.com`,
		`ingress.tls.domains[2]: Invalid value: "*": must be a DNS name in lower case such as example.com, or a wildcard such as *.example.com`,
		`ingress.tls.domains[3]: Invalid value: "*.example.com.": must be a DNS name in lower case such as example.com, or a wildcard such as *.example.com`,
		`ingress.tls.domains[4]: Invalid value: "EXAMPLE.com": must be a DNS name in lower case such as example.com, or a wildcard such as *.example.com`,
	}},
}
