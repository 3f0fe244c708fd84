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

// What Traefik keeps of a body in memory, in bytes; the rest is on its disk, in /tmp.
const (
	// memoryOfRequest holds a form. Hundreds of slow uploads together must not use up Traefik's memory.
	memoryOfRequest = 64 << 10
	// memoryOfAnswer holds what WordPress answers to a form. Traefik 3.6 leaves the file of a larger answer behind when the client hangs up
	// while the pod is still sending it, which is why answers to GET, the large ones, do not pass through here.
	memoryOfAnswer = 1 << 20
)

// body has Traefik read the whole body of a request before it asks a pod, so that whoever sends slowly holds none of the pods' workers,
// and no body that is too large comes to a pod.
func body(args *Args) pulumi.Map {
	return pulumi.Map{"buffering": pulumi.Map{
		"maxRequestBodyBytes":  pulumi.Int(int(args.MaxBodyBytes)),
		"memRequestBodyBytes":  pulumi.Int(memoryOfRequest),
		"memResponseBodyBytes": pulumi.Int(memoryOfAnswer),
	}}
}

// bodyMatch are the requests that have a body. The pods refuse GET and HEAD with one.
const bodyMatch = "!Method(`GET`) && !Method(`HEAD`)"

// downloadMatch are the files that visitors uploaded, but for those that make up a page, which are small or many.
const downloadMatch = "Method(`GET`) && PathPrefix(`/wp-content/`) && " +
	"!PathRegexp(`(?i)[.](avif|css|eot|gif|html?|ico|jpe?g|js|json|map|otf|php|png|svg|ttf|txt|webp|woff2?|xml)$`)"

// clientRequests of one client at a time. Fifty people behind one address, each with the six connections of a browser, make three hundred.
const clientRequests = 320

// inFlight bounds the requests that each client has under way.
func inFlight(requests int, clients *ClientsArgs) pulumi.Map {
	return pulumi.Map{"inFlightReq": pulumi.Map{"amount": pulumi.Int(requests), "sourceCriterion": client(clients)}}
}

func loginRate(limit *LoginLimitArgs, clients *ClientsArgs) pulumi.Map {
	return pulumi.Map{"rateLimit": pulumi.Map{
		"average": pulumi.Int(limit.RequestsPerMinute), "period": pulumi.String("1m"), "burst": pulumi.Int(limit.Burst),
		"sourceCriterion": client(clients),
	}}
}

// client is whom a limit counts for.
func client(clients *ClientsArgs) pulumi.Map {
	strategy := pulumi.Map{"ipv6Subnet": pulumi.Int(subscriberBits)}
	if clients.Proxies > 0 {
		strategy["depth"] = pulumi.Int(clients.Proxies)
	}
	return pulumi.Map{"ipStrategy": strategy}
}
