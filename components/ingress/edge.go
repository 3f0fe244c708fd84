package ingress

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// cipherSuites of TLS 1.2 that agree on a key of their own for each connection and authenticate what they encrypt; those of
// TLS 1.3 all do and cannot be chosen. Every browser that speaks TLS 1.2 and is still in use has one of them.
var cipherSuites = []string{
	"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
	"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
	"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
	"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
	"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
	"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
}

// subscriberBits of an IPv6 address are the network that one subscriber has: counting single addresses would count nothing.
const subscriberBits = 64

// tlsOption is Traefik's for this host alone. That the host has options of its own also makes Traefik refuse, with status 421,
// a request for it on a connection that was opened for another name or for none.
func tlsOption(tls *TLSArgs) pulumi.Map {
	return pulumi.Map{
		"minVersion":   pulumi.String(tls.MinVersion),
		"cipherSuites": pulumi.ToStringArray(cipherSuites),
		// Rather no connection than one with a certificate of another name. A resolver's certificate may come later, or be the
		// default one after all, which being strict leaves out of account.
		"sniStrict": pulumi.Bool(tls.secret() != ""),
	}
}

// answerHeaders come first of a route's middlewares, so that they are on what the others and Traefik itself answer: redirects,
// refused log-ins, and that no pod can be reached. Traefik adds Strict-Transport-Security on HTTPS only.
func answerHeaders(args *Args) pulumi.Map {
	always := pulumi.StringMap{}
	for _, header := range args.Headers.Always() {
		always[header.Name] = pulumi.String(header.Value)
	}
	settings := pulumi.Map{"customResponseHeaders": always}
	// With 0, which Traefik takes for no setting, the pods alone tell browsers to forget.
	if seconds := args.Headers.HSTSSeconds; seconds != nil && *seconds > 0 {
		settings["stsSeconds"] = pulumi.Int(*seconds)
	}
	return pulumi.Map{"headers": settings}
}

// loginMatch are the paths that take passwords. The pods refuse them in any other spelling.
func loginMatch(limit *LoginLimitArgs) string {
	if limit.XMLRPC {
		return "(Path(`/wp-login.php`) || Path(`/xmlrpc.php`))"
	}
	return "Path(`/wp-login.php`)"
}

func loginRate(limit *LoginLimitArgs) pulumi.Map {
	return pulumi.Map{"rateLimit": pulumi.Map{
		"average": pulumi.Int(limit.RequestsPerMinute), "period": pulumi.String("1m"), "burst": pulumi.Int(limit.Burst),
		"sourceCriterion": client(limit),
	}}
}

// loginConcurrency keeps the burst that the rate allows from holding the workers of all pods at the same time.
func loginConcurrency(limit *LoginLimitArgs) pulumi.Map {
	return pulumi.Map{"inFlightReq": pulumi.Map{
		"amount": pulumi.Int(limit.Concurrent), "sourceCriterion": client(limit),
	}}
}

// client is whom a limit counts for.
func client(limit *LoginLimitArgs) pulumi.Map {
	strategy := pulumi.Map{"ipv6Subnet": pulumi.Int(subscriberBits)}
	if limit.Proxies > 0 {
		strategy["depth"] = pulumi.Int(limit.Proxies)
	}
	return pulumi.Map{"ipStrategy": strategy}
}
