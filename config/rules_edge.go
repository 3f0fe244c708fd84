package config

import "k8s.io/apimachinery/pkg/util/validation/field"

var edgeRules = []rule{
	{promiseOfHTTPS, []string{"profile", "ingress.kind", "ingress.tls"}},
	{tlsVersionOfTraefik, []string{"ingress.kind"}},
	{tlsVersionHasCertificate, []string{"ingress.kind", "ingress.tls"}},
	{proxiesForward, []string{"ingress.clientAddress"}},
	{loginLimitOfTraefik, []string{"ingress.kind", "ingress.loginLimit.enabled"}},
	{loginLimitIsOn, []string{"ingress.kind", "ingress.loginLimit.enabled"}},
	{loginLimitSeesClients, []string{"ingress.kind", "ingress.clientAddress", "ingress.loginLimit.enabled"}},
	{loginLimitLeavesWorkers, []string{
		"ingress.kind", "ingress.loginLimit", "frontend.workers", "frontend.resources.memory", "frontend.replicas", "autoscaling",
	}},
}

// site.hstsSeconds goes with HTTPS: browsers ignore the promise on plain http, as they must.
func promiseOfHTTPS(d *draft) field.ErrorList {
	if d.stack.HTTPS() {
		return nil
	}
	return d.refuseGiven("goes with HTTPS: remove it, or give the site a certificate in ingress.tls", "site.hstsSeconds")
}

// ingress.tls.minVersion goes with ingress.kind traefik: the Ingress API has no field for it.
func tlsVersionOfTraefik(d *draft) field.ErrorList {
	if d.stack.Ingress.Kind != IngressStandard {
		return nil
	}
	return d.refuseGiven("goes with ingress.kind traefik only: remove it, and set the versions of TLS by the controller's own means",
		"ingress.tls.minVersion")
}

// ingress.tls.minVersion needs a source of the certificate in ingress.tls: without one there is no TLS.
func tlsVersionHasCertificate(d *draft) field.ErrorList {
	i := d.stack.Ingress
	if i.Kind != IngressTraefik || i.TLS.Enabled() {
		return nil
	}
	return d.refuseGiven("needs a certificate: remove it, or set one of certResolver, existingSecret, clusterIssuer or defaultCertificate",
		"ingress.tls.minVersion")
}

// ingress.proxies go with ingress.clientAddress forwarded: otherwise X-Forwarded-For is not looked at.
func proxiesForward(d *draft) field.ErrorList {
	if d.stack.Ingress.ClientAddress == AddressForwarded {
		return nil
	}
	return d.refuseGiven("goes with clientAddress forwarded only: remove it, or set that", "ingress.proxies")
}

// ingress.loginLimit.enabled goes with ingress.kind traefik: the Ingress API has no field for a limit, and without an object of
// ours there is nothing to carry one.
func loginLimitOfTraefik(d *draft) field.ErrorList {
	i := d.stack.Ingress
	if !*i.LoginLimit.Enabled || i.Kind == IngressTraefik {
		return nil
	}
	const remedy = "goes with ingress.kind traefik only: set this to false, and limit /wp-login.php for each client by "
	if i.Kind == IngressNone {
		return invalid("ingress.loginLimit.enabled", true, remedy+"the means of what stands before the Service")
	}
	return invalid("ingress.loginLimit.enabled", true, remedy+"the controller's own means, such as ingress.annotations")
}

// ingress.loginLimit has numbers only where it is enabled: they would limit nothing.
func loginLimitIsOn(d *draft) field.ErrorList {
	if *d.stack.Ingress.LoginLimit.Enabled {
		return nil
	}
	return d.refuseGiven("goes with loginLimit.enabled only: remove it, or turn the limit on with ingress.kind traefik and clientAddress",
		"ingress.loginLimit.requestsPerMinute", "ingress.loginLimit.burst", "ingress.loginLimit.concurrent")
}

// ingress.loginLimit.enabled is refused with ingress.clientAddress hidden: all visitors would seem to be one client, and a single
// guesser of passwords would lock everybody out.
func loginLimitSeesClients(d *draft) field.ErrorList {
	i := d.stack.Ingress
	if !*i.LoginLimit.Enabled || i.Kind != IngressTraefik || i.ClientAddress != AddressHidden {
		return nil
	}
	return invalid("ingress.loginLimit.enabled", true, "counts by the visitor's address, which is hidden unless clientAddress says "+
		"otherwise: let Traefik see it (externalTrafficPolicy Local, PROXY protocol or trusted forwarded headers) and set clientAddress to "+
		"connection or forwarded, or set this to false and limit /wp-login.php before the address is lost")
}

// ingress.loginLimit.concurrent is less than the workers of one pod: log-ins of one client could hold them all, and the other
// visitors whom the edge sends there would wait.
func loginLimitLeavesWorkers(d *draft) field.ErrorList {
	i := d.stack.Ingress
	if !*i.LoginLimit.Enabled || i.Kind != IngressTraefik || *i.LoginLimit.Concurrent < *d.stack.Frontend.Workers {
		return nil
	}
	return invalid("ingress.loginLimit.concurrent", *i.LoginLimit.Concurrent,
		"must be less than the workers of one pod, which are %d", *d.stack.Frontend.Workers)
}
