package ingress

import (
	"fmt"

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
// be connected to is given up soon, and the request goes to another pod. Traefik does so only while nothing of the request
// has been sent, so that nothing is ever done twice.
const (
	// dialTimeout is far above what a connection inside a cluster takes; Traefik's own limit is 30 s.
	dialTimeout = "1s"
	// attempts at a request. Other requests take their turns in between, so that each attempt may meet a dead pod again: with one
	// of three pods dead, three attempts were seen to fail one request in thirty, and eight fail one in thousands.
	attempts = 8
	// retryInterval before the second attempt.
	retryInterval = "100ms"
)

// minTLSVersion is the oldest that every browser still in use speaks; 1.0 and 1.1 are deprecated by RFC 8996.
const minTLSVersion = "VersionTLS12"

// classAnnotation selects a Traefik where several watch the same cluster.
const classAnnotation = "kubernetes.io/ingress.class"

// registerRoutes registers the site's route with what passes over dead pods and, for the redirect, the route on plain
// http with its Middleware.
func registerRoutes(ctx *pulumi.Context, name string, args *Args, parent pulumi.ResourceOption) error {
	retry, err := apiextensions.NewCustomResource(ctx, name+"-retry-middleware",
		traefikObject(args, "Middleware", RetryName, retry()), parent)
	if err != nil {
		return fmt.Errorf("retry middleware: %w", err)
	}
	transport, err := apiextensions.NewCustomResource(ctx, name+"-transport",
		traefikObject(args, "ServersTransport", TransportName, transport()), parent)
	if err != nil {
		return fmt.Errorf("servers transport: %w", err)
	}
	needed := []pulumi.Resource{retry, transport}
	if args.TLS != nil {
		options, err := apiextensions.NewCustomResource(ctx, name+"-tls-option",
			traefikObject(args, "TLSOption", TLSOptionName, tlsOption()), parent)
		if err != nil {
			return fmt.Errorf("TLS option: %w", err)
		}
		needed = append(needed, options)
	}
	_, err = apiextensions.NewCustomResource(ctx, name+"-route",
		traefikObject(args, "IngressRoute", Name, siteRoute(args)), parent, pulumi.DependsOn(needed))
	if err != nil {
		return fmt.Errorf("ingress route: %w", err)
	}
	if !args.RedirectToHTTPS {
		return nil
	}
	middleware, err := apiextensions.NewCustomResource(ctx, name+"-redirect-middleware",
		traefikObject(args, "Middleware", RedirectName, redirect()), parent)
	if err != nil {
		return fmt.Errorf("redirect middleware: %w", err)
	}
	_, err = apiextensions.NewCustomResource(ctx, name+"-redirect-route",
		traefikObject(args, "IngressRoute", RedirectName, redirectRoute(args)),
		parent, pulumi.DependsOn([]pulumi.Resource{middleware}))
	if err != nil {
		return fmt.Errorf("redirect route: %w", err)
	}
	return nil
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
	service := backend(args)
	service["serversTransport"] = pulumi.String(TransportName)
	spec := routeSpec(args, entryPoint, RetryName, service)
	if args.TLS != nil {
		spec["tls"] = routeTLS(args)
	}
	return spec
}

func redirectRoute(args *Args) pulumi.Map {
	return routeSpec(args, entryPointHTTP, RedirectName, backend(args))
}

func backend(args *Args) pulumi.Map {
	return pulumi.Map{"name": args.Service, "port": pulumi.String(args.ServicePort)}
}

func routeSpec(args *Args, entryPoint, middleware string, service pulumi.Map) pulumi.Map {
	return pulumi.Map{
		"entryPoints": pulumi.ToStringArray([]string{entryPoint}),
		"routes": pulumi.MapArray{pulumi.Map{
			"kind":        pulumi.String("Rule"),
			"match":       pulumi.Sprintf("Host(`%s`)", args.Host),
			"middlewares": pulumi.MapArray{pulumi.Map{"name": pulumi.String(middleware)}},
			"services":    pulumi.MapArray{service},
		}},
	}
}

func retry() pulumi.Map {
	return pulumi.Map{"retry": pulumi.Map{
		"attempts": pulumi.Int(attempts), "initialInterval": pulumi.String(retryInterval),
	}}
}

func transport() pulumi.Map {
	return pulumi.Map{"forwardingTimeouts": pulumi.Map{"dialTimeout": pulumi.String(dialTimeout)}}
}

func tlsOption() pulumi.Map { return pulumi.Map{"minVersion": pulumi.String(minTLSVersion)} }

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
