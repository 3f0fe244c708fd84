package config

// What production's rules say in several cases.
const (
	mustBePinned = "must have a tag with a full version in production, three numbers as in "
	wholeRange   = "must be the networks of the ingress controller or its nodes in production: this is a private range as a whole, every pod of the cluster included"
	clusterPort  = "must be a service's port in production: on this one the cluster's own servers listen, such as the API server and kubelets"
	orByDigest   = ", or a digest (NAME@sha256:...): any other tag may lead to another image tomorrow"
)

// What production refuses.
var productionProblems = []problemCase{
	{"latest images in production", `
wordpress:profile: production
wordpress:frontend: {image: wordpress}
wordpress:database: {image: "mysql:latest"}`, []string{
		`database.image: Invalid value: "mysql:latest": ` + mustBePinned + DefaultDatabaseImage + orByDigest,
		`frontend.image: Invalid value: "wordpress": ` + mustBePinned + DefaultFrontendImage + orByDigest,
	}},
	{"images of a line in production", `
wordpress:profile: production
wordpress:frontend: {image: "registry.example.com/wordpress:7.1-php8.3.29-apache"}
wordpress:database: {image: "mysql:lts"}`, []string{
		`database.image: Invalid value: "mysql:lts": ` + mustBePinned + DefaultDatabaseImage + orByDigest,
		`frontend.image: Invalid value: "registry.example.com/wordpress:7.1-php8.3.29-apache": ` + mustBePinned + DefaultFrontendImage + orByDigest,
	}},
	{"images that nobody can judge, in production", `
wordpress:profile: production
wordpress:frontend: {image: "mycorp/wp-fpm:1"}
wordpress:database: {image: "registry.example.com/db:9.7"}`, []string{
		`database.image: Invalid value: "registry.example.com/db:9.7": ` + mustBePinned + DefaultDatabaseImage + orByDigest,
		`frontend.image: Invalid value: "mycorp/wp-fpm:1": ` + mustBePinned + DefaultFrontendImage + orByDigest,
	}},
	{"everything that production refuses", `
wordpress:profile: production
wordpress:frontend: {service: {type: NodePort}}
wordpress:storage: {content: {storageClass: shared}, protect: false}
wordpress:autoscaling: {minReplicas: 1}
wordpress:ingress: {}
wordpress:databasePassword: hunter2hunter2
wordpress:authSecret: null`, []string{
		`authSecret: Required value: run: pulumi config set --secret wordpress:authSecret, or name a Secret in frontend.existingSecret`,
		`autoscaling.minReplicas: Invalid value: 1: must be at least 2 in production: storage that one pod alone can mount needs a class that can share, such as NFS or CephFS, or profile development, which drops every other guard of production as well`,
		`databasePassword: Forbidden: must not be in plain text: choose a new value and run: pulumi config set --secret wordpress:databasePassword`,
		`frontend.service.type: Invalid value: "NodePort": must be ClusterIP in production: visitors come through the ingress`,
		`ingress.clientAddress: Required value: clients are limited by it: connection where Traefik sees visitors' addresses (externalTrafficPolicy Local or PROXY protocol), forwarded behind proxies that tell them, or hidden with loginLimit.enabled false`,
		`ingress.tls: Required value: production is served over HTTPS: set one of certResolver, existingSecret, clusterIssuer or defaultCertificate`,
		`storage.protect: Invalid value: false: must be true in production: the data would go with the stack`,
	}},
	{"users of the node in production", `{wordpress:profile: production, wordpress:podSecurity: {frontend: {userID: 33}, database: {userID: 12000, groupID: 10000}}}`, []string{
		`podSecurity.database.groupID: Invalid value: 10000: must be at least 10001 in production, as no user of a node has: give the volume's folder to such a one`,
		`podSecurity.frontend.userID: Invalid value: 33: must be at least 10001 in production, as no user of a node has: give the volume's folder to such a one`,
	}},
	{"one fixed pod in production", `
wordpress:profile: production
wordpress:autoscaling: {enabled: false}
wordpress:frontend: {replicas: 1}`, []string{
		`frontend.replicas: Invalid value: 1: must be at least 2 in production: storage that one pod alone can mount needs a class that can share, such as NFS or CephFS, or profile development, which drops every other guard of production as well`,
	}},
	{"development left over in production", `
wordpress:profile: production
wordpress:site: {host: wordpress.localhost}
wordpress:frontend: {drainSeconds: 4}
wordpress:database: {resources: {memory: 1023Mi}, terminationGracePeriodSeconds: 29}`, []string{
		`database.resources.memory: Invalid value: "1023Mi": must be at least 1Gi in production`,
		`database.terminationGracePeriodSeconds: Invalid value: 29: must be at least 30 in production`,
		`frontend.drainSeconds: Invalid value: 4: must be at least 5 in production`,
		`site.host: Invalid value: "wordpress.localhost": must be a name that visitors can look up in production: none under localhost, test, example, invalid`,
	}},
	{"shared content of the cluster's default class", `
wordpress:profile: production
wordpress:storage: {content: {size: 20Gi}}`, []string{
		`storage.content.storageClass: Required value: the name of a class that offers ReadWriteMany, such as NFS, EFS, Filestore or CephFS: the cluster's default one mostly does not, and pods would wait for their volume for ever`,
	}},
	{"private ranges as a whole", `
wordpress:profile: production
wordpress:network: {edge: {namespace: edge, cidrs: [10.0.0.0/8, 192.168.0.0/16, "fc00::/7", 192.168.0.0/15]}}`, []string{
		`network.edge.cidrs[0]: Invalid value: "10.0.0.0/8": ` + wholeRange,
		`network.edge.cidrs[1]: Invalid value: "192.168.0.0/16": ` + wholeRange,
		`network.edge.cidrs[2]: Invalid value: "fc00::/7": ` + wholeRange,
		`network.edge.cidrs[3]: Invalid value: "192.168.0.0/15": ` + wholeRange,
	}},
	{"ways out to the cluster's own servers", `
wordpress:profile: production
wordpress:network: {edge: {namespace: edge}, egress: [{cidr: 10.96.0.1/32, ports: [443, 6443]}, {cidr: 100.64.0.0/16, ports: [10250]}, {cidr: 203.0.113.0/24, ports: [6443]}]}`, []string{
		`network.egress[0].ports[1]: Invalid value: 6443: ` + clusterPort,
		`network.egress[1].ports[0]: Invalid value: 10250: ` + clusterPort,
	}},
}
