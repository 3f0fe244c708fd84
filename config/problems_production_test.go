package config

// What is said of an image that may be another one tomorrow.
const (
	mustBePinned = "must have a tag with a full version in production, three numbers as in "
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
wordpress:storage: {protect: false}
wordpress:autoscaling: {minReplicas: 1}
wordpress:ingress: {}
wordpress:databasePassword: hunter2hunter2
wordpress:authSecret: null`, []string{
		`authSecret: Required value: run: pulumi config set --secret wordpress:authSecret, or name a Secret in frontend.existingSecret`,
		`autoscaling.minReplicas: Invalid value: 1: must be at least 2 in production`,
		`databasePassword: Forbidden: must not be in plain text: choose a new value and run: pulumi config set --secret wordpress:databasePassword`,
		`frontend.service.type: Invalid value: "NodePort": must be ClusterIP in production: visitors come through the ingress`,
		`ingress.clientAddress: Required value: log-ins are counted by it: connection where Traefik sees visitors' addresses (externalTrafficPolicy Local or PROXY protocol), forwarded behind proxies that tell them, or hidden with loginLimit.enabled false`,
		`ingress.tls: Required value: production is served over HTTPS: set one of certResolver, existingSecret, clusterIssuer or defaultCertificate`,
		`storage.protect: Invalid value: false: must be true in production: the data would go with the stack`,
	}},
	{"one fixed pod in production", `
wordpress:profile: production
wordpress:autoscaling: {enabled: false}
wordpress:frontend: {replicas: 1}`, []string{
		`frontend.replicas: Invalid value: 1: must be at least 2 in production`,
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
}
