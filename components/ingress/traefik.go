package ingress

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const traefikVersion = "traefik.io/v1alpha1"

// Traefik's entry points, by the names that its chart gives them.
const (
	entryPointHTTP  = "web"
	entryPointHTTPS = "websecure"
)

// A pod that died with its node stays in Traefik's list until the cluster has noticed, most of a minute later. What cannot
// be connected to is given up soon, and the request goes to another pod. Traefik 3.6 does so only while nothing of the request
// has been sent, so that nothing is ever done twice; other versions may have rules of their own.
const (
	// dialTimeout is far above what a connection inside a cluster takes; Traefik's own limit is 30 s.
	dialTimeout = "1s"
	// strategy chooses two pods at random and of these the one with fewer requests under way. Those that try to reach a dead pod
	// are under way for a second each, so that it is soon passed over. Taking turns, Traefik's default, sends it every third
	// request of three pods for as long as it is in the list. Traefik's passive health check would take a dead pod out after the
	// first attempt, but counts errors of WordPress as well: a page that always fails would take out all pods. Traefik has this
	// as of 3.4; an older one drops the route.
	strategy = "p2c"
	// attempts at a request, each of which may meet a dead pod. With two of three pods dead and turns being taken, sixteen were
	// seen to be too few for two requests in fifteen hundred; with one of three they were enough.
	attempts = 16
	// retryInterval before the second attempt.
	retryInterval = "100ms"
)

// classAnnotation selects a Traefik where several watch the same cluster.
const classAnnotation = "kubernetes.io/ingress.class"

// part is one object that routes need.
type part struct {
	// suffix of its resource's name.
	suffix     string
	kind, name string
	spec       pulumi.Map
}

// registerRoutes registers the site's route and, for the redirect, the one on plain http, each after what it needs.
func registerRoutes(ctx *pulumi.Context, name string, args *Args, parent pulumi.ResourceOption) error {
	headers, err := registerParts(ctx, name, args, parent, part{"headers-middleware", "Middleware", HeadersName, answerHeaders(args)})
	if err != nil {
		return err
	}
	needed, err := registerParts(ctx, name, args, parent, siteParts(args)...)
	if err != nil {
		return err
	}
	_, err = apiextensions.NewCustomResource(ctx, name+"-route", traefikObject(args, "IngressRoute", Name, siteRoute(args)),
		parent, pulumi.DependsOn(slices.Concat(headers, needed)))
	if err != nil {
		return fmt.Errorf("ingress route: %w", err)
	}
	if !args.RedirectToHTTPS {
		return nil
	}
	redirection, err := registerParts(ctx, name, args, parent, part{"redirect-middleware", "Middleware", RedirectName, redirect()})
	if err != nil {
		return err
	}
	_, err = apiextensions.NewCustomResource(ctx, name+"-redirect-route",
		traefikObject(args, "IngressRoute", RedirectName, redirectRoute(args)),
		parent, pulumi.DependsOn(slices.Concat(headers, needed, redirection)))
	if err != nil {
		return fmt.Errorf("redirect route: %w", err)
	}
	return nil
}

// siteParts are what the site's route needs of its own: what reads bodies, what passes over dead pods, how TLS is spoken, and the limits
// of each client.
func siteParts(args *Args) []part {
	parts := []part{
		{"body-middleware", "Middleware", BodyName, body(args)},
		{"retry-middleware", "Middleware", RetryName, retry()},
		{"transport", "ServersTransport", TransportName, transport(args)},
	}
	if args.TLS != nil {
		parts = append(parts, part{"tls-option", "TLSOption", TLSOptionName, tlsOption(args.TLS)})
	}
	if clients := args.Clients; clients != nil {
		parts = append(parts,
			part{"client-middleware", "Middleware", ClientName, inFlight(clientRequests, clients)},
			part{"downloads-middleware", "Middleware", DownloadsName, inFlight(clients.Downloads, clients)})
	}
	if limit := args.LoginLimit; limit != nil {
		parts = append(parts,
			part{"login-rate-middleware", "Middleware", LoginRateName, loginRate(limit, args.Clients)},
			// Keeps the burst that the rate allows from holding the workers of all pods at the same time.
			part{"login-concurrency-middleware", "Middleware", LoginConcurrencyName, inFlight(limit.Concurrent, args.Clients)})
	}
	return parts
}

func registerParts(
	ctx *pulumi.Context, name string, args *Args, parent pulumi.ResourceOption, parts ...part,
) ([]pulumi.Resource, error) {
	resources := make([]pulumi.Resource, 0, len(parts))
	for _, p := range parts {
		object, err := apiextensions.NewCustomResource(ctx, name+"-"+p.suffix, traefikObject(args, p.kind, p.name, p.spec), parent)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.suffix, err)
		}
		resources = append(resources, object)
	}
	return resources, nil
}

func traefikObject(args *Args, kind, name string, spec pulumi.Map) *apiextensions.CustomResourceArgs {
	metadata := &metav1.ObjectMetaArgs{
		Name: pulumi.String(name), Namespace: args.Namespace, Labels: labelSet(args).All(),
	}
	if args.ClassName != "" {
		metadata.Annotations = pulumi.StringMap{classAnnotation: pulumi.String(args.ClassName)}
	}
	return &apiextensions.CustomResourceArgs{
		ApiVersion:  pulumi.String(traefikVersion),
		Kind:        pulumi.String(kind),
		Metadata:    metadata,
		OtherFields: kubernetes.UntypedArgs{"spec": spec},
	}
}

func siteRoute(args *Args) pulumi.Map {
	entryPoint := entryPointHTTP
	if args.TLS != nil {
		entryPoint = entryPointHTTPS
	}
	spec := routeSpec(entryPoint, siteRules(args, HeadersName))
	if args.TLS != nil {
		spec["tls"] = routeTLS(args)
	}
	return spec
}

// redirectRoute serves the site as well: the redirect lets through what came over HTTPS to a proxy whose headers Traefik trusts. The
// same limits must hold there.
func redirectRoute(args *Args) pulumi.Map {
	return routeSpec(entryPointHTTP, siteRules(args, HeadersName, RedirectName))
}

// loginPriority is above the length of every other match of the site, which is the priority that Traefik gives where none is stated.
const loginPriority = 1000

// siteRules lead the site's requests through the first middlewares, then to the limits and the pods. Of two that match, the longer one
// comes first.
func siteRules(args *Args, first ...string) pulumi.MapArray {
	if args.Clients != nil {
		first = append(slices.Clone(first), ClientName)
	}
	rules := pulumi.MapArray{
		siteRule(args, "", first, RetryName),
		siteRule(args, bodyMatch, first, BodyName, RetryName),
	}
	if args.Clients != nil {
		rules = append(rules, siteRule(args, downloadMatch, first, DownloadsName, RetryName))
	}
	if args.LoginLimit != nil {
		// A body that trickles in must not keep others of the same address from logging in. And what is refused because another log-in is
		// under way must not use up the rate: a page that opens several connections would lock its visitor out for minutes.
		login := siteRule(args, loginMatch(args.LoginLimit), first, BodyName, LoginConcurrencyName, LoginRateName, RetryName)
		login["priority"] = pulumi.Int(loginPriority)
		rules = append(rules, login)
	}
	return rules
}

// siteRule leads what else matches, or all of the site where that is empty, through the middlewares.
func siteRule(args *Args, match string, first []string, then ...string) pulumi.Map {
	service := backend(args)
	service["serversTransport"] = pulumi.String(TransportName)
	service["strategy"] = pulumi.String(strategy)
	whole := hostMatch(args)
	if match != "" {
		whole += " && " + match
	}
	return routeRule(whole, service, slices.Concat(first, then)...)
}

func hostMatch(args *Args) string { return fmt.Sprintf("Host(`%s`)", args.Host) }

func backend(args *Args) pulumi.Map {
	return pulumi.Map{"name": args.Service, "port": pulumi.String(args.ServicePort)}
}

func routeSpec(entryPoint string, rules pulumi.MapArray) pulumi.Map {
	return pulumi.Map{"entryPoints": pulumi.ToStringArray([]string{entryPoint}), "routes": rules}
}

// routeRule leads requests through the middlewares, in their order, to the service.
func routeRule(match string, service pulumi.Map, middlewares ...string) pulumi.Map {
	chain := make(pulumi.MapArray, 0, len(middlewares))
	for _, name := range middlewares {
		chain = append(chain, pulumi.Map{"name": pulumi.String(name)})
	}
	return pulumi.Map{
		"kind": pulumi.String("Rule"), "match": pulumi.String(match),
		"middlewares": chain, "services": pulumi.MapArray{service},
	}
}

func retry() pulumi.Map {
	return pulumi.Map{"retry": pulumi.Map{
		"attempts": pulumi.Int(attempts), "initialInterval": pulumi.String(retryInterval),
	}}
}

// transport limits what Traefik waits for. It would wait without end for the answer of a pod that has lost its power, and nobody would
// ever close that connection.
func transport(args *Args) pulumi.Map {
	return pulumi.Map{"forwardingTimeouts": pulumi.Map{
		"dialTimeout":           pulumi.String(dialTimeout),
		"responseHeaderTimeout": pulumi.String(fmt.Sprintf("%ds", args.MaxRequestSeconds)),
	}}
}

// routeTLS names the TLS options, and a certificate's source, or none for the default certificate of Traefik. Without the
// options it could become empty, and when the last field of an object goes, provider 4.25 sends null for the object, which the
// API server refuses.
func routeTLS(args *Args) pulumi.Map {
	tls := pulumi.Map{"options": pulumi.Map{"name": pulumi.String(TLSOptionName)}}
	if secret := args.TLS.secret(); secret != "" {
		tls["secretName"] = pulumi.String(secret)
	}
	if args.TLS.CertResolver != "" {
		tls["certResolver"] = pulumi.String(args.TLS.CertResolver)
	}
	if len(args.TLS.Domains) > 0 {
		tls["domains"] = domains(args.TLS.Domains)
	}
	return tls
}

func domains(names []string) pulumi.MapArray {
	list := make(pulumi.MapArray, 0, len(names))
	for _, name := range names {
		list = append(list, pulumi.Map{"main": pulumi.String(name)})
	}
	return list
}

// redirect keeps path and query, which is what redirectScheme does by itself.
func redirect() pulumi.Map {
	return pulumi.Map{"redirectScheme": pulumi.Map{
		"scheme": pulumi.String("https"), "permanent": pulumi.Bool(true),
	}}
}
