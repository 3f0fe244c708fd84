package config

// The ingress.
var ingressProblems = []problemCase{
	{"two certificates", `wordpress:ingress: {tls: {certResolver: a, existingSecret: b}}`, []string{
		`ingress.tls: Forbidden: a certificate has one source: keep one of certResolver, existingSecret`,
	}},
	{"redirect to nowhere", `wordpress:ingress: {redirectToHTTPS: true}`, []string{
		`ingress.redirectToHTTPS: Invalid value: true: needs a certificate: set one of ingress.tls.certResolver, existingSecret, clusterIssuer, defaultCertificate, or set this to false`,
	}},
	{"redirect by default to nowhere", `wordpress:ingress: null`, []string{
		`ingress.redirectToHTTPS: Invalid value: true: needs a certificate: set one of ingress.tls.certResolver, existingSecret, clusterIssuer, defaultCertificate, or set this to false; this value is the default`,
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
	{"two ingress classes", `wordpress:ingress: {kind: ingress, className: haproxy, tls: {existingSecret: a}, annotations: {kubernetes.io/ingress.class: traefik}}`, []string{
		`ingress.annotations[kubernetes.io/ingress.class]: Invalid value: "traefik": must be className, or be removed`,
	}},
	{"certificate requested twice", `wordpress:ingress: {kind: ingress, tls: {clusterIssuer: a}, annotations: {cert-manager.io/cluster-issuer: a, cert-manager.io/issuer: b, kubernetes.io/tls-acme: "true"}}`, []string{
		`ingress.annotations[cert-manager.io/cluster-issuer]: Forbidden: tls.clusterIssuer requests the certificate already: remove one of the two`,
		`ingress.annotations[cert-manager.io/issuer]: Forbidden: tls.clusterIssuer requests the certificate already: remove one of the two`,
		`ingress.annotations[kubernetes.io/tls-acme]: Forbidden: tls.clusterIssuer requests the certificate already: remove one of the two`,
	}},
	{"default certificate of a standard ingress", `wordpress:ingress: {kind: ingress, tls: {defaultCertificate: true, domains: [www.example.com]}}`, []string{
		`ingress.tls.defaultCertificate: Forbidden: goes with ingress.kind traefik only: use existingSecret or clusterIssuer`,
		`ingress.tls.domains: Forbidden: goes with certResolver only: remove it, or set certResolver`,
	}},
	{"wildcard two labels above the site", `{wordpress:site: {host: blog.www.example.com}, wordpress:ingress: {tls: {certResolver: a, domains: ["*.example.com"]}}}`, []string{
		`ingress.tls.domains: Invalid value: ["*.example.com"]: must cover site.host: add it, or the wildcard of its parent domain`,
	}},
}
