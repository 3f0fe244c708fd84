package config

// Keys that nothing reads, and values of another type.
var keyProblems = []problemCase{
	{"a misspelt namespace", `{wordpres:autoscaling: {maxReplicas: 12}, Wordpress:site: {}, other:autoscaling: {}, kubernetes:context: mine}`, []string{
		`Wordpress:site: Forbidden: unknown namespace, did you mean "wordpress"?`,
		`wordpres:autoscaling: Forbidden: unknown namespace, did you mean "wordpress"?`,
	}},
	{"misspelt section", `wordpress:frontned: {replicas: 3}`, []string{
		`frontned: Forbidden: unknown key, did you mean "frontend"?`,
	}},
	{"unknown section", `wordpress:shelf: {}`, []string{
		`shelf: Forbidden: unknown key: remove it, or use one of profile, namespace, createNamespace, imageRegistry, imagePullPolicy, imagePullSecrets, site, frontend, cache, database, storage, backup, autoscaling, ingress, network, podSecurity, databasePassword, databaseRootPassword, authSecret, adminPassword, backupPassword, backupAccessKey, backupSecretKey`,
	}},
	{"misspelt key in a section", `wordpress:frontend: {servce: {type: ClusterIP}}`, []string{
		`frontend.servce: Forbidden: unknown key, did you mean "service"?`,
	}},
	{"unknown key deep inside", `wordpress:storage: {content: {class: fast}}`, []string{
		`storage.content.class: Forbidden: unknown key: remove it, or use one of storageClass, size, accessMode, existingClaim`,
	}},
	{"wrong case", `wordpress:frontend: {maxsurge: 1}`, []string{
		`frontend.maxsurge: Forbidden: unknown key, did you mean "maxSurge"?`,
	}},
	{"dotted key of no section", `wordpress:shelf.size: "5"`, []string{
		`shelf.size: Forbidden: unknown key: remove it, or use one of profile, namespace, createNamespace, imageRegistry, imagePullPolicy, imagePullSecrets, site, frontend, cache, database, storage, backup, autoscaling, ingress, network, podSecurity, databasePassword, databaseRootPassword, authSecret, adminPassword, backupPassword, backupAccessKey, backupSecretKey`,
	}},
	{"nested key without --path", `wordpress:frontend.replicas: "5"`, []string{
		`frontend.replicas: Forbidden: a key inside frontend needs --path: pulumi config rm 'wordpress:frontend.replicas', then pulumi config set --path 'wordpress:frontend.replicas' VALUE`,
	}},
	{"element of a list without --path", `"wordpress:network.egress[0].cidr": 203.0.113.0/24`, []string{
		`network.egress[0].cidr: Forbidden: a key inside network needs --path: pulumi config rm 'wordpress:network.egress[0].cidr', then pulumi config set --path 'wordpress:network.egress[0].cidr' VALUE`,
	}},
	{"unknown key without --path", `{"wordpress:site.multisite": "true", "wordpress:frontend.resources.memori": 1Gi}`, []string{
		`frontend.resources.memori: Forbidden: unknown key, did you mean "memory"?`,
		`site.multisite: Forbidden: unknown key: multisite is not supported: a stack is one site`,
	}},
	{"wishes that are met elsewhere", `{wordpress:site: {host: a.example.com, hosts: [a, b]}, wordpress:frontend: {phpIni: "max_input_vars = 5000"}, wordpress:database: {rootPassword: x}}`, []string{
		`database.rootPassword: Forbidden: unknown key: see databasePassword and databaseRootPassword, each by: pulumi config set --secret`,
		`frontend.phpIni: Forbidden: unknown key: see frontend.requestMemory, frontend.maxUploadSize and frontend.maxRequestSeconds; PHP's other settings come with an image of your own`,
		`site.hosts: Forbidden: unknown key: a site has one name: site.host`,
	}},
	{"section as text", `wordpress:site: www.example.com`, []string{
		`site: Invalid value: "www.example.com": must be an object with the keys host, title, admin, cron, hstsSeconds, embedding, browserFeatures, xmlrpc, robots, mail`,
	}},
	{"section as list", `wordpress:site: [www.example.com]`, []string{
		`site: Invalid value: ["www.example.com"]: must be an object with the keys host, title, admin, cron, hstsSeconds, embedding, browserFeatures, xmlrpc, robots, mail`,
	}},
	{"object for a value", `wordpress:frontend: {image: {name: wordpress}}`, []string{
		`frontend.image: Invalid value: {"name":"wordpress"}: must be text: put numbers, true and false in quotes`,
	}},
	{"value for an object", `wordpress:frontend: {resources: 1}`, []string{
		`frontend.resources: Invalid value: 1: must be an object with the keys cpu, cpuLimit, memory, ephemeralStorage`,
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
		`frontend.colour: Forbidden: unknown key: remove it, or use one of image, replicas, resources, workers, requestMemory, pictureMemory, maxUploadSize, maxRequestSeconds, spread, nodes, maxSurge, maxUnavailable, disruptionBudget, drainSeconds, terminationGracePeriodSeconds, livenessProbe, service, existingSecret`,
		`frontend.replicas: Invalid value: "three": must be a whole number such as 3, without quotes`,
		`frontend.resources.cpu: Invalid value: "1 core": must be a quantity such as 200m, 256Mi or 20Gi`,
		`site.host: Required value: the DNS name that visitors use, such as wordpress.example.com`,
	}},
	{"switches in quotes", `
wordpress:autoscaling: {enabled: "true"}
wordpress:storage: {cephfs: {create: "no"}, protect: 1}
wordpress:ingress: {redirectToHTTPS: "on", tls: {defaultCertificate: yes please}}`, []string{
		`autoscaling.enabled: Invalid value: "true": must be true or false, without quotes`,
		`ingress.redirectToHTTPS: Invalid value: "on": must be true or false, without quotes`,
		`ingress.tls.defaultCertificate: Invalid value: "yes please": must be true or false, without quotes`,
		`storage.cephfs.create: Invalid value: "no": must be true or false, without quotes`,
		`storage.protect: Invalid value: 1: must be true or false, without quotes`,
	}},
	{"keys of the right name in the wrong section", `
wordpress:site: {host: www.example.com, namespace: blog}
wordpress:frontend: {minReplicas: 2, storageClass: fast}
wordpress:database: {maxSurge: 1}`, []string{
		`database.maxSurge: Forbidden: unknown key: remove it, or use one of mode, image, name, tablePrefix, user, resources, maxConnections, terminationGracePeriodSeconds, host, port, tls, existingSecret`,
		`frontend.minReplicas: Forbidden: unknown key: remove it, or use one of image, replicas, resources, workers, requestMemory, pictureMemory, maxUploadSize, maxRequestSeconds, spread, nodes, maxSurge, maxUnavailable, disruptionBudget, drainSeconds, terminationGracePeriodSeconds, livenessProbe, service, existingSecret`,
		`frontend.storageClass: Forbidden: unknown key: remove it, or use one of image, replicas, resources, workers, requestMemory, pictureMemory, maxUploadSize, maxRequestSeconds, spread, nodes, maxSurge, maxUnavailable, disruptionBudget, drainSeconds, terminationGracePeriodSeconds, livenessProbe, service, existingSecret`,
		`site.namespace: Forbidden: unknown key: remove it, or use one of host, title, admin, cron, hstsSeconds, embedding, browserFeatures, xmlrpc, robots, mail`,
	}},
}
