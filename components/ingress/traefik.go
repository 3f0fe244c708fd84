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

// classAnnotation selects a Traefik where several watch the same cluster.
const classAnnotation = "kubernetes.io/ingress.class"

// registerRoutes registers the site's route and, for the redirect, the route on plain http with its Middleware.
func registerRoutes(ctx *pulumi.Context, name string, args *Args, parent pulumi.ResourceOption) error {
	_, err := apiextensions.NewCustomResource(ctx, name+"-route",
		traefikObject(args, "IngressRoute", Name, siteRoute(args)), parent)
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
	spec := routeSpec(args, entryPoint, nil)
	if args.TLS != nil {
		spec["tls"] = routeTLS(args)
	}
	return spec
}

func redirectRoute(args *Args) pulumi.Map {
	return routeSpec(args, entryPointHTTP, pulumi.MapArray{pulumi.Map{"name": pulumi.String(RedirectName)}})
}

func routeSpec(args *Args, entryPoint string, middlewares pulumi.MapArray) pulumi.Map {
	route := pulumi.Map{
		"kind":  pulumi.String("Rule"),
		"match": pulumi.Sprintf("Host(`%s`)", args.Host),
		"services": pulumi.MapArray{pulumi.Map{
			"name": args.Service, "port": pulumi.String(args.ServicePort),
		}},
	}
	if middlewares != nil {
		route["middlewares"] = middlewares
	}
	return pulumi.Map{
		"entryPoints": pulumi.ToStringArray([]string{entryPoint}),
		"routes":      pulumi.MapArray{route},
	}
}

// routeTLS is empty for the default certificate of Traefik.
func routeTLS(args *Args) pulumi.Map {
	tls := pulumi.Map{}
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
