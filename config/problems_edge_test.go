package config

// What the edge lets through.
var edgeProblems = []problemCase{
	{"edge of the wrong types", `{wordpress:site: {host: www.example.com, hstsSeconds: 1y, embedding: 1, browserFeatures: camera, xmlrpc: "on"}, wordpress:ingress: {tls: {existingSecret: a}, loginLimit: {enabled: "yes", concurrent: two}}}`, []string{
		`ingress.loginLimit.concurrent: Invalid value: "two": must be a whole number such as 3, without quotes`,
		`ingress.loginLimit.enabled: Invalid value: "yes": must be true or false, without quotes`,
		`site.browserFeatures: Invalid value: "camera": must be a list of texts`,
		`site.embedding: Invalid value: 1: must be true or false, without quotes`,
		`site.hstsSeconds: Invalid value: "1y": must be a whole number such as 3, without quotes`,
		`site.xmlrpc: Invalid value: "on": must be true or false, without quotes`,
	}},
	{"edge out of range", `{wordpress:site: {host: www.example.com, hstsSeconds: 63072001, browserFeatures: [camera, usb, camera]}, wordpress:ingress: {tls: {existingSecret: a, minVersion: TLSv1.1}, clientAddress: header, proxies: 0, loginLimit: {requestsPerMinute: 0, burst: 1001, concurrent: 257}}}`, []string{
		`ingress.clientAddress: Unsupported value: "header": supported values: "connection", "forwarded", "hidden"`,
		`ingress.loginLimit.burst: Invalid value: 1001: must be from 1 to 1000 requests`,
		`ingress.loginLimit.concurrent: Invalid value: 257: must be from 1 to 256 requests`,
		`ingress.loginLimit.requestsPerMinute: Invalid value: 0: must be from 1 to 6000 requests`,
		`ingress.proxies: Invalid value: 0: must be from 1 to 10 proxies`,
		`ingress.tls.minVersion: Unsupported value: "TLSv1.1": supported values: "TLSv1.2", "TLSv1.3"`,
		`site.browserFeatures[1]: Unsupported value: "usb": supported values: "camera", "geolocation", "microphone"`,
		`site.browserFeatures[2]: Duplicate value: "camera"`,
		`site.hstsSeconds: Invalid value: 63072001: must be from 0 to 63072000 seconds`,
	}},
	{"limit of log-ins on a standard ingress", `wordpress:ingress: {kind: ingress, tls: {existingSecret: a}, loginLimit: {enabled: true}}`, []string{
		`ingress.loginLimit.enabled: Invalid value: true: goes with ingress.kind traefik only: set this to false, and limit /wp-login.php for each client by the controller's own means, such as ingress.annotations`,
	}},
	{"limit of log-ins without an ingress", `wordpress:ingress: {kind: none, loginLimit: {enabled: true}}`, []string{
		`ingress.loginLimit.enabled: Invalid value: true: goes with ingress.kind traefik only: set this to false, and limit /wp-login.php for each client by the means of what stands before the Service`,
	}},
	{"edge of Traefik on a standard ingress", `wordpress:ingress: {kind: ingress, tls: {existingSecret: a, minVersion: TLSv1.3}, clientAddress: forwarded, proxies: 1, loginLimit: {requestsPerMinute: 5, burst: 5, concurrent: 1}}`, []string{
		`ingress.loginLimit.burst: Forbidden: goes with loginLimit.enabled only: remove it, or turn the limit on with ingress.kind traefik and clientAddress`,
		`ingress.loginLimit.concurrent: Forbidden: goes with loginLimit.enabled only: remove it, or turn the limit on with ingress.kind traefik and clientAddress`,
		`ingress.loginLimit.requestsPerMinute: Forbidden: goes with loginLimit.enabled only: remove it, or turn the limit on with ingress.kind traefik and clientAddress`,
		`ingress.tls.minVersion: Forbidden: goes with ingress.kind traefik only: remove it, and set the versions of TLS by the controller's own means`,
	}},
	{"limit of log-ins by hidden addresses", `wordpress:ingress: {tls: {existingSecret: a}, clientAddress: hidden, loginLimit: {enabled: true}}`, []string{
		`ingress.loginLimit.enabled: Invalid value: true: counts by the visitor's address, which is hidden unless clientAddress says otherwise: let Traefik see it (externalTrafficPolicy Local, PROXY protocol or trusted forwarded headers) and set clientAddress to connection or forwarded, or set this to false and limit /wp-login.php before the address is lost`,
	}},
	{"limit of log-ins by addresses that nobody spoke of", `wordpress:ingress: {tls: {existingSecret: a}, loginLimit: {enabled: true}}`, []string{
		`ingress.loginLimit.enabled: Invalid value: true: counts by the visitor's address, which is hidden unless clientAddress says otherwise: let Traefik see it (externalTrafficPolicy Local, PROXY protocol or trusted forwarded headers) and set clientAddress to connection or forwarded, or set this to false and limit /wp-login.php before the address is lost`,
	}},
	{"hidden addresses in production without a word on log-ins", `{wordpress:profile: production, wordpress:ingress: {tls: {existingSecret: a}, clientAddress: hidden}}`, []string{
		`ingress.loginLimit.enabled: Required value: clients with hidden addresses cannot be told apart: limit /wp-login.php before the address is lost, and then set this to false`,
	}},
	{"proxies that forward nothing", `wordpress:ingress: {tls: {existingSecret: a}, proxies: 2}`, []string{
		`ingress.proxies: Forbidden: goes with clientAddress forwarded only: remove it, or set that`,
	}},
	{"log-ins of one client on every worker", `{wordpress:frontend: {workers: 2, replicas: 1, maxSurge: 1}, wordpress:autoscaling: {enabled: false}, wordpress:ingress: {tls: {existingSecret: a}, clientAddress: connection, loginLimit: {concurrent: 2}}}`, []string{
		`ingress.loginLimit.concurrent: Invalid value: 2: must be less than the workers of one pod, which are 2`,
	}},
	{"promises of HTTPS on plain http", `{wordpress:site: {host: www.example.com, hstsSeconds: 300}, wordpress:ingress: {redirectToHTTPS: false, tls: {minVersion: TLSv1.3}}}`, []string{
		`ingress.tls.minVersion: Forbidden: needs a certificate: remove it, or set one of certResolver, existingSecret, clusterIssuer or defaultCertificate`,
		`site.hstsSeconds: Forbidden: goes with HTTPS: remove it, or give the site a certificate in ingress.tls`,
	}},
	{"standard ingress in production without a word on log-ins", `{wordpress:profile: production, wordpress:ingress: {kind: ingress, tls: {existingSecret: a}}}`, []string{
		`ingress.loginLimit.enabled: Required value: kind ingress cannot limit log-ins: limit /wp-login.php for each client by other means, such as the controller's or load balancer's own, and then set this to false`,
	}},
	{"standard ingress in production with a limit of log-ins", `{wordpress:profile: production, wordpress:ingress: {kind: ingress, tls: {existingSecret: a}, loginLimit: {enabled: true}}}`, []string{
		`ingress.loginLimit.enabled: Invalid value: true: goes with ingress.kind traefik only: set this to false, and limit /wp-login.php for each client by the controller's own means, such as ingress.annotations`,
	}},
}
