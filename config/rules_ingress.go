package config

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

var ingressRules = []rule{
	{oneCertificateSource, []string{"ingress.tls"}},
	{traefikCertificateKeys, []string{"ingress.kind"}},
	{publishedKeys, []string{"ingress.kind"}},
	{annotationsOfIngress, []string{"ingress.kind"}},
	{oneIngressClass, []string{"ingress.kind", "ingress.className", "ingress.annotations"}},
	{oneCertificateOwner, []string{"ingress.kind", "ingress.tls.clusterIssuer", "ingress.annotations"}},
	{redirectOfTraefik, []string{"ingress.kind", "ingress.redirectToHTTPS"}},
	{redirectHasCertificate, []string{"profile", "ingress.kind", "ingress.redirectToHTTPS", "ingress.tls"}},
	{domainsOfResolver, []string{"ingress.tls.certResolver"}},
	{domainsCoverHost, []string{"site.host", "ingress.tls.domains"}},
}

// ingress.tls has at most one of certResolver, existingSecret, clusterIssuer and defaultCertificate: a site has one
// certificate, and which of two is served would be chance.
func oneCertificateSource(d *draft) field.ErrorList {
	t := d.stack.Ingress.TLS
	var sources []string
	for name, given := range map[string]bool{
		"certResolver":       t.CertResolver != "",
		"existingSecret":     t.ExistingSecret != "",
		"clusterIssuer":      t.ClusterIssuer != "",
		"defaultCertificate": t.DefaultCertificate,
	} {
		if given {
			sources = append(sources, name)
		}
	}
	if len(sources) <= 1 {
		return nil
	}
	slices.Sort(sources)
	return field.ErrorList{field.Forbidden(at("ingress.tls"), "a certificate has one source: keep one of "+list(sources))}
}

// ingress.tls.certResolver and ingress.tls.defaultCertificate go with ingress.kind traefik: the Ingress API has no
// field for them.
func traefikCertificateKeys(d *draft) field.ErrorList {
	if d.stack.Ingress.Kind != IngressStandard {
		return nil
	}
	return d.refuseGiven("goes with ingress.kind traefik only: use existingSecret or clusterIssuer",
		"ingress.tls.certResolver", "ingress.tls.defaultCertificate")
}

// ingress.kind none refuses ingress.tls and ingress.className: there is no object to carry them.
func publishedKeys(d *draft) field.ErrorList {
	if d.stack.Ingress.Kind != IngressNone {
		return nil
	}
	return d.refuseGiven("not used with ingress.kind none: remove it, or choose a kind", "ingress.tls", "ingress.className")
}

// ingress.annotations go with ingress.kind ingress: Traefik's own objects take their settings from fields.
func annotationsOfIngress(d *draft) field.ErrorList {
	if d.stack.Ingress.Kind == IngressStandard {
		return nil
	}
	return d.refuseGiven("goes with ingress.kind ingress only: remove it, or set the kind", "ingress.annotations")
}

// ingress.className and the annotation kubernetes.io/ingress.class say the same where both are given: the API server
// refuses an Ingress of two classes.
func oneIngressClass(d *draft) field.ErrorList {
	const annotation = "kubernetes.io/ingress.class"
	i := d.stack.Ingress
	class, given := i.Annotations[annotation]
	if !given || i.ClassName == "" || class == i.ClassName || i.Kind != IngressStandard {
		return nil
	}
	return field.ErrorList{field.Invalid(at("ingress.annotations").Key(annotation), class, "must be className, or be removed")}
}

// isIssuing reports whether an annotation of an Ingress has cert-manager make a certificate for it.
func isIssuing(annotation, value string) bool {
	switch annotation {
	case "cert-manager.io/cluster-issuer", "cert-manager.io/issuer":
		return value != ""
	case "kubernetes.io/tls-acme":
		return value == "true"
	}
	return false
}

// SolvesChallenges reports whether cert-manager may start pods in the namespace that prove to an authority whose host it is.
func (s *Stack) SolvesChallenges() bool {
	for annotation, value := range s.Ingress.Annotations {
		if isIssuing(annotation, value) {
			return true
		}
	}
	return s.Ingress.TLS.ClusterIssuer != ""
}

// ingress.tls.clusterIssuer goes without the annotations by which cert-manager makes certificates for an Ingress: two
// Certificates would write the same Secret in turn.
func oneCertificateOwner(d *draft) field.ErrorList {
	i := d.stack.Ingress
	if i.TLS.ClusterIssuer == "" || i.Kind != IngressStandard {
		return nil
	}
	var problems field.ErrorList
	for _, annotation := range slices.Sorted(maps.Keys(i.Annotations)) {
		if isIssuing(annotation, i.Annotations[annotation]) {
			problems = append(problems, field.Forbidden(at("ingress.annotations").Key(annotation),
				"tls.clusterIssuer requests the certificate already: remove one of the two"))
		}
	}
	return problems
}

// ingress.redirectToHTTPS goes with ingress.kind traefik: the Ingress API has no field for it.
func redirectOfTraefik(d *draft) field.ErrorList {
	i := d.stack.Ingress
	if !*i.RedirectToHTTPS || i.Kind == IngressTraefik {
		return nil
	}
	return invalid("ingress.redirectToHTTPS", true,
		"goes with ingress.kind traefik only: remove it, and redirect by the controller's own means")
}

// ingress.redirectToHTTPS needs a source of the certificate in ingress.tls: it would lead visitors to an error.
func redirectHasCertificate(d *draft) field.ErrorList {
	i := d.stack.Ingress
	// Production refuses a missing source by itself, with or without the redirect.
	if d.stack.Profile == Production || i.Kind != IngressTraefik || !*i.RedirectToHTTPS || i.TLS.Enabled() {
		return nil
	}
	return invalid("ingress.redirectToHTTPS", true, "needs a certificate: set one of ingress.tls.%s, or set this to false",
		list([]string{"certResolver", "existingSecret", "clusterIssuer", "defaultCertificate"}))
}

// ingress.tls.domains go with ingress.tls.certResolver: the other sources know their names themselves.
func domainsOfResolver(d *draft) field.ErrorList {
	if d.stack.Ingress.TLS.CertResolver != "" {
		return nil
	}
	return d.refuseGiven("goes with certResolver only: remove it, or set certResolver", "ingress.tls.domains")
}

// ingress.tls.domains cover site.host, by its name or by a wildcard of its parent: browsers refuse a certificate for
// other names, and a wildcard stands for exactly one label.
func domainsCoverHost(d *draft) field.ErrorList {
	domains := d.stack.Ingress.TLS.Domains
	covered := slices.ContainsFunc(domains, func(domain string) bool { return covers(domain, d.stack.Site.Host) })
	if len(domains) == 0 || covered {
		return nil
	}
	return invalid("ingress.tls.domains", domains, "must cover site.host: add it, or the wildcard of its parent domain")
}

// covers reports whether a certificate for the domain is good for the host: a wildcard stands for exactly one
// label.
func covers(domain, host string) bool {
	if parent, wildcard := strings.CutPrefix(domain, "*."); wildcard {
		_, rest, found := strings.Cut(host, ".")
		return found && rest == parent
	}
	return domain == host
}
