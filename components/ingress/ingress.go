// Package ingress is the component that publishes the site: Traefik routes or a standard Ingress.
package ingress

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/headers"
	"wordpress-on-kubernetes/components/labels"
)

// Type is the component's type token.
const Type = "wordpress:ingress:Ingress"

// Names of the objects.
const (
	// Name of the route or Ingress, and of the Certificate.
	Name = "wordpress"
	// RedirectName is the name of the plain http route and of its Middleware.
	RedirectName = "wordpress-redirect-to-https"
	// RetryName is the name of the Middleware that tries another pod, and TransportName of the ServersTransport that
	// says how long one is waited for. Kind Traefik only.
	RetryName     = "wordpress-retry"
	TransportName = "wordpress"
	// TLSOptionName is the name of the TLSOption that says which versions of TLS and which ciphers are spoken. Kind Traefik with
	// TLS only.
	TLSOptionName = "wordpress"
	// HeadersName is the name of the Middleware that puts the security headers on what the edge answers by itself. Kind Traefik
	// only.
	HeadersName = "wordpress-headers"
	// LoginRateName and LoginConcurrencyName are the names of the Middlewares that limit log-ins. Kind Traefik only.
	LoginRateName        = "wordpress-login-rate"
	LoginConcurrencyName = "wordpress-login-concurrency"
	// BodyName is the name of the Middleware that reads a request's body before a pod is asked. ClientName and DownloadsName are the names
	// of those that bound what one client has under way. Kind Traefik only.
	BodyName      = "wordpress-body"
	ClientName    = "wordpress-client"
	DownloadsName = "wordpress-downloads"
	// CertificateSecret is where cert-manager stores the certificate it is asked for.
	CertificateSecret = "wordpress-tls"
)

// Kind is the kind of object that publishes the site.
type Kind string

// The kinds.
const (
	// Traefik writes Traefik 3 IngressRoutes.
	Traefik Kind = "traefik"
	// Standard writes a networking.k8s.io/v1 Ingress.
	Standard Kind = "ingress"
)

// Args are the inputs of New.
type Args struct {
	// Namespace that the objects live in. Required.
	Namespace pulumi.StringInput
	// Instance is the stack's name, for labels. Required.
	Instance string
	// Kind of object. Required.
	Kind Kind
	// ClassName selects the controller. Empty: the cluster's default.
	ClassName string
	// Annotations of the Ingress, which go before those that the component sets. Kind Standard only.
	Annotations map[string]string
	// MaxBodyBytes is the pods' limit of a request's body, above 0. Required.
	MaxBodyBytes int64
	// MaxRequestSeconds is the pods' limit of a request, above 0. Required.
	MaxRequestSeconds int
	// Host that visitors ask for. Required.
	Host string
	// Service and ServicePort are where requests go. Required. ServicePort is the port's name.
	Service     pulumi.StringInput
	ServicePort string
	// TLS is where the certificate comes from. Nil: plain http only.
	TLS *TLSArgs
	// RedirectToHTTPS answers plain http with a permanent redirect. Kind Traefik with TLS only.
	RedirectToHTTPS bool
	// Headers are the security headers of what the edge answers by itself; the pods send theirs. Kind Traefik only.
	Headers headers.Policy
	// Clients says how clients are told apart. Nil: they cannot be, and none is bounded. Kind Traefik only.
	Clients *ClientsArgs
	// LoginLimit bounds the log-ins of each client. Nil: not bounded. Kind Traefik with Clients only.
	LoginLimit *LoginLimitArgs
}

// LoginLimitArgs bound the log-ins of each client.
type LoginLimitArgs struct {
	// RequestsPerMinute on average, above 0, after Burst requests at once, above 0. Each Traefik counts for itself.
	RequestsPerMinute, Burst int
	// Concurrent requests in progress, above 0: so many of the pods' workers can one client hold.
	Concurrent int
	// XMLRPC counts requests of /xmlrpc.php, which tries passwords too, with those of /wp-login.php.
	XMLRPC bool
}

// ClientsArgs say how clients are told apart, each an IPv4 address or the /64 network that one subscriber has of IPv6, and what each
// may have under way.
type ClientsArgs struct {
	// Proxies before Traefik that append to X-Forwarded-For. 0: Traefik sees the client's own connection.
	Proxies int
	// Downloads at a time, above 0: so many of the pods' workers can one client hold by reading slowly.
	Downloads int
}

// TLSArgs are where the certificate comes from: none of the fields set means the controller's own default
// certificate.
type TLSArgs struct {
	// CertResolver is the name of Traefik's ACME resolver, and Domains what it asks a certificate for.
	CertResolver string
	Domains      []string
	// ExistingSecret is of type kubernetes.io/tls.
	ExistingSecret string
	// ClusterIssuer is the cert-manager ClusterIssuer that a Certificate is requested from.
	ClusterIssuer string
	// MinVersion of TLS, by Traefik's name for it, such as VersionTLS12. Kind Traefik only; required there.
	MinVersion string
}

// Ingress publishes the site.
type Ingress struct {
	pulumi.ResourceState

	// URL of the site.
	URL pulumi.StringOutput
}

// New registers what publishes the site.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Ingress, error) {
	if err := args.check(); err != nil {
		return nil, fmt.Errorf("ingress %q: %w", name, err)
	}
	component := &Ingress{URL: pulumi.String(args.url()).ToStringOutput()}
	if err := ctx.RegisterComponentResource(Type, name, component, opts...); err != nil {
		return nil, fmt.Errorf("ingress %q: %w", name, err)
	}
	if err := component.register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("ingress %q: %w", name, err)
	}
	if err := ctx.RegisterResourceOutputs(component, pulumi.Map{"url": component.URL}); err != nil {
		return nil, fmt.Errorf("ingress %q: outputs: %w", name, err)
	}
	return component, nil
}

func (a *Args) check() error {
	switch {
	case a == nil || a.Namespace == nil || a.Instance == "" || a.Host == "":
		return errors.New("namespace, instance and host are required")
	case a.Service == nil || a.ServicePort == "":
		return errors.New("service and its port are required")
	case a.MaxRequestSeconds < 1 || a.MaxBodyBytes < 1:
		return fmt.Errorf("a request may take %d seconds and have %d bytes, want 1 or more of each", a.MaxRequestSeconds, a.MaxBodyBytes)
	case a.RedirectToHTTPS && a.TLS == nil:
		return errors.New("a redirect to https needs a certificate")
	}
	switch a.Kind {
	case Traefik:
		return a.checkTraefik()
	case Standard:
		return a.checkStandard()
	default:
		return fmt.Errorf("kind %q: want %q or %q", a.Kind, Traefik, Standard)
	}
}

func (a *Args) checkTraefik() error {
	limit := a.LoginLimit
	switch {
	case a.TLS != nil && a.TLS.MinVersion == "":
		return errors.New("a minimum version of TLS is required")
	case a.Clients != nil && (a.Clients.Proxies < 0 || a.Clients.Downloads < 1):
		return errors.New("downloads of each client must be above 0, and proxies not below")
	case limit != nil && a.Clients == nil:
		return errors.New("log-ins cannot be limited for each client where clients cannot be told apart")
	case limit != nil && (limit.RequestsPerMinute < 1 || limit.Burst < 1 || limit.Concurrent < 1):
		return errors.New("requests per minute, burst and concurrent requests of the log-in limit must be above 0")
	}
	return nil
}

// checkStandard refuses what the Ingress API cannot say.
func (a *Args) checkStandard() error {
	switch {
	case a.LoginLimit != nil:
		return fmt.Errorf("kind %q cannot limit log-ins", a.Kind)
	case a.RedirectToHTTPS:
		return fmt.Errorf("kind %q cannot redirect to https", a.Kind)
	case a.TLS != nil && a.TLS.secret() == "":
		return fmt.Errorf("kind %q needs a secret with the certificate or a cluster issuer", a.Kind)
	}
	return nil
}

func (a *Args) url() string {
	if a.TLS == nil {
		return "http://" + a.Host
	}
	return "https://" + a.Host
}

// secret is the name of the Secret with the certificate, or empty where Traefik finds one by itself.
func (t *TLSArgs) secret() string {
	if t.ClusterIssuer != "" {
		return CertificateSecret
	}
	return t.ExistingSecret
}

func (i *Ingress) register(ctx *pulumi.Context, name string, args *Args) error {
	parent := pulumi.Parent(i)
	if args.TLS != nil && args.TLS.ClusterIssuer != "" {
		if err := registerCertificate(ctx, name, args, parent); err != nil {
			return err
		}
	}
	if args.Kind == Standard {
		return registerIngress(ctx, name, args, parent)
	}
	return registerRoutes(ctx, name, args, parent)
}

func labelSet(args *Args) labels.Set {
	return labels.Set{Name: "wordpress", Component: "ingress", Instance: args.Instance}
}
