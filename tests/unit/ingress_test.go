package unit_test

import (
	"reflect"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"

	"wordpress-on-kubernetes/components/ingress"
)

// edge are valid args of a Traefik route on plain http.
func edge(changes ...func(*ingress.Args)) *ingress.Args {
	args := &ingress.Args{
		Namespace: namespaceInput, Instance: instance, Kind: ingress.Traefik, Host: "www.example.com",
		Service: pulumi.String("wordpress"), ServicePort: "http", MaxRequestSeconds: 30, MaxBodyBytes: 65 << 20,
	}
	for _, change := range changes {
		change(args)
	}
	return args
}

func standard(a *ingress.Args)   { a.Kind = ingress.Standard }
func redirect(a *ingress.Args)   { a.RedirectToHTTPS = true }
func defaultTLS(a *ingress.Args) { a.TLS = &ingress.TLSArgs{MinVersion: "VersionTLS12"} }

// known are clients that can be told apart, behind two proxies.
func known(a *ingress.Args) { a.Clients = &ingress.ClientsArgs{Proxies: 2, Downloads: 5} }

// limited are log-ins of such clients.
func limited(a *ingress.Args) {
	known(a)
	a.LoginLimit = &ingress.LoginLimitArgs{RequestsPerMinute: 10, Burst: 20, Concurrent: 2}
}

func ingressProgram(args *ingress.Args) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		component, err := ingress.New(ctx, "edge", args)
		if err != nil {
			return err
		}
		return expose(ctx, pulumi.StringMap{"url": component.URL})
	}
}

func runIngress(t *testing.T, changes ...func(*ingress.Args)) planned {
	t.Helper()
	return run(t, ingressProgram(edge(changes...)))
}

// wantSpec compares the spec of an object with YAML.
func (p planned) wantSpec(kind, name, want string) {
	p.t.Helper()
	var object struct {
		Spec map[string]any `json:"spec"`
	}
	p.into(kind, name, &object)
	var wanted map[string]any
	if err := yaml.UnmarshalStrict([]byte(want), &wanted); err != nil {
		p.t.Fatal(err)
	}
	if !reflect.DeepEqual(object.Spec, wanted) {
		p.t.Errorf("%s %s: got\n%v\nwant\n%v", kind, name, object.Spec, wanted)
	}
}

func TestPlainRouteIsOnHTTP(t *testing.T) {
	p := runIngress(t)
	p.wantObjects("IngressRoute wordpress", "Middleware wordpress-body", "Middleware wordpress-headers", "Middleware wordpress-retry",
		"ServersTransport wordpress")
	p.wantOutputs(map[string]string{"url": "http://www.example.com"})
	p.wantSpec("IngressRoute", "wordpress", `
entryPoints: [web]
`+siteRoutes)
}

// siteRoutes are what visitors' requests go through.
const siteRoutes = `
routes:
- kind: Rule
  match: "Host(` + "`www.example.com`" + `)"
  services: [{name: wordpress, port: http, serversTransport: wordpress, strategy: p2c}]
  middlewares: [{name: wordpress-headers}, {name: wordpress-retry}]
- kind: Rule
  match: "Host(` + "`www.example.com`) && !Method(`GET`) && !Method(`HEAD`)" + `"
  services: [{name: wordpress, port: http, serversTransport: wordpress, strategy: p2c}]
  middlewares: [{name: wordpress-headers}, {name: wordpress-body}, {name: wordpress-retry}]
`

func TestDeadPodIsPassedOver(t *testing.T) {
	p := runIngress(t)
	p.wantSpec("Middleware", "wordpress-retry", `retry: {attempts: 16, initialInterval: 100ms}`)
	p.wantSpec("ServersTransport", "wordpress", `forwardingTimeouts: {dialTimeout: 1s, responseHeaderTimeout: 30s}`)
}

func TestRedirectKeepsARouteOnPlainHTTP(t *testing.T) {
	p := runIngress(t, defaultTLS, redirect)
	p.wantObjects("IngressRoute wordpress", "IngressRoute wordpress-redirect-to-https",
		"Middleware wordpress-body", "Middleware wordpress-headers", "Middleware wordpress-redirect-to-https", "Middleware wordpress-retry", "ServersTransport wordpress", "TLSOption wordpress")
	p.wantOutputs(map[string]string{"url": "https://www.example.com"})
	p.wantSpec("Middleware", "wordpress-redirect-to-https", `redirectScheme: {scheme: https, permanent: true}`)
	p.wantSpec("IngressRoute", "wordpress-redirect-to-https", `
entryPoints: [web]
routes:
- kind: Rule
  match: "Host(`+"`www.example.com`"+`)"
  services: [{name: wordpress, port: http, serversTransport: wordpress, strategy: p2c}]
  middlewares: [{name: wordpress-headers}, {name: wordpress-redirect-to-https}, {name: wordpress-retry}]
- kind: Rule
  match: "Host(`+"`www.example.com`) && !Method(`GET`) && !Method(`HEAD`)"+`"
  services: [{name: wordpress, port: http, serversTransport: wordpress, strategy: p2c}]
  middlewares: [{name: wordpress-headers}, {name: wordpress-redirect-to-https}, {name: wordpress-body}, {name: wordpress-retry}]
`)
}

func TestTraefikTakesACertificateFromEverySource(t *testing.T) {
	for name, row := range map[string]struct {
		tls  ingress.TLSArgs
		want string
	}{
		"default certificate": {ingress.TLSArgs{}, `{options: {name: wordpress}}`},
		"resolver":            {ingress.TLSArgs{CertResolver: "ali"}, `{options: {name: wordpress}, certResolver: ali}`},
		"resolver with domains": {
			ingress.TLSArgs{CertResolver: "ali", Domains: []string{"*.example.com", "example.com"}},
			`{options: {name: wordpress}, certResolver: ali, domains: [{main: "*.example.com"}, {main: example.com}]}`,
		},
		"existing secret": {ingress.TLSArgs{ExistingSecret: "www-tls"}, `{options: {name: wordpress}, secretName: www-tls}`},
		"cluster issuer":  {ingress.TLSArgs{ClusterIssuer: "letsencrypt"}, `{options: {name: wordpress}, secretName: wordpress-tls}`},
	} {
		t.Run(name, func(t *testing.T) {
			row.tls.MinVersion = "VersionTLS13"
			p := runIngress(t, func(a *ingress.Args) { a.TLS = &row.tls })
			p.wantSpec("IngressRoute", "wordpress", `
entryPoints: [websecure]
tls: `+row.want+siteRoutes)
		})
	}
}

func TestClusterIssuerIsAskedForACertificate(t *testing.T) {
	for _, kind := range []ingress.Kind{ingress.Traefik, ingress.Standard} {
		p := runIngress(t, func(a *ingress.Args) {
			a.Kind, a.TLS = kind, &ingress.TLSArgs{ClusterIssuer: "letsencrypt", MinVersion: "VersionTLS12"}
		})
		p.wantSpec("Certificate", "wordpress", `
secretName: wordpress-tls
dnsNames: [www.example.com]
issuerRef: {kind: ClusterIssuer, name: letsencrypt}
`)
	}
}

func TestStandardIngressLeadsToTheService(t *testing.T) {
	p := runIngress(t, standard, func(a *ingress.Args) {
		a.ClassName, a.TLS = "nginx", &ingress.TLSArgs{ExistingSecret: "www-tls"}
		a.Annotations = map[string]string{"example.com/limit": "10"}
	})
	p.wantObjects("Ingress wordpress")
	p.wantOutputs(map[string]string{"url": "https://www.example.com"})
	p.wantSpec("Ingress", "wordpress", `
ingressClassName: nginx
tls: [{hosts: [www.example.com], secretName: www-tls}]
rules:
- host: www.example.com
  http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: wordpress, port: {name: http}}}}]}
`)
	if got := get[networkingv1.Ingress](p, "Ingress", "wordpress").Annotations["example.com/limit"]; got != "10" {
		t.Errorf("the annotation is %q, want 10", got)
	}
}

func TestIngressTakesWhatThePodsTake(t *testing.T) {
	const body, read = "nginx.ingress.kubernetes.io/proxy-body-size", "nginx.ingress.kubernetes.io/proxy-read-timeout"
	p := runIngress(t, standard, func(a *ingress.Args) {
		a.MaxBodyBytes, a.MaxRequestSeconds = 65<<20, 90
		a.Annotations = map[string]string{read: "120"}
	})
	annotations := get[networkingv1.Ingress](p, "Ingress", "wordpress").Annotations
	for name, want := range map[string]string{body: "68157440", read: "120", "nginx.ingress.kubernetes.io/proxy-send-timeout": "90"} {
		if got := annotations[name]; got != want {
			t.Errorf("%s is %q, want %s", name, got, want)
		}
	}
}

func TestStandardIngressWithoutClassOrCertificateHasNeither(t *testing.T) {
	p := runIngress(t, standard)
	spec := get[networkingv1.Ingress](p, "Ingress", "wordpress").Spec
	if spec.IngressClassName != nil || spec.TLS != nil {
		t.Errorf("got the class %v and tls %v, want neither", spec.IngressClassName, spec.TLS)
	}
	p.wantOutputs(map[string]string{"url": "http://www.example.com"})
}

func TestClassSelectsATraefik(t *testing.T) {
	p := runIngress(t, defaultTLS, redirect, func(a *ingress.Args) { a.ClassName = "internal" })
	for identity, object := range p.objects() {
		metadata := object["metadata"].(map[string]any)
		annotations, _ := metadata["annotations"].(map[string]any)
		if annotations["kubernetes.io/ingress.class"] != "internal" {
			t.Errorf("%s has the annotations %v, want the class", identity, annotations)
		}
	}
}

func TestIngressRefusesWhatItCannotSay(t *testing.T) {
	for name, row := range map[string]struct {
		spoil func(*ingress.Args)
		want  string
	}{
		"no namespace":     {func(a *ingress.Args) { a.Namespace = nil }, "namespace, instance and host are required"},
		"no instance":      {func(a *ingress.Args) { a.Instance = "" }, "namespace, instance and host are required"},
		"no host":          {func(a *ingress.Args) { a.Host = "" }, "namespace, instance and host are required"},
		"no service":       {func(a *ingress.Args) { a.Service = nil }, "service and its port are required"},
		"no port":          {func(a *ingress.Args) { a.ServicePort = "" }, "service and its port are required"},
		"no request time":  {func(a *ingress.Args) { a.MaxRequestSeconds = 0 }, "a request may take 0 seconds"},
		"no body":          {func(a *ingress.Args) { a.MaxBodyBytes = 0 }, "and have 0 bytes"},
		"redirect nowhere": {redirect, "a redirect to https needs a certificate"},
		"unknown kind":     {func(a *ingress.Args) { a.Kind = "gateway" }, `kind "gateway": want "traefik" or "ingress"`},
		"standard redirect": {
			func(a *ingress.Args) { standard(a); redirect(a); a.TLS = &ingress.TLSArgs{ExistingSecret: "s"} },
			`kind "ingress" cannot redirect to https`,
		},
		"no version of TLS": {func(a *ingress.Args) { a.TLS = &ingress.TLSArgs{} }, "a minimum version of TLS is required"},
		"no log-ins at all": {func(a *ingress.Args) { limited(a); a.LoginLimit.RequestsPerMinute = 0 }, "must be above 0"},
		"no burst":          {func(a *ingress.Args) { limited(a); a.LoginLimit.Burst = 0 }, "must be above 0"},
		"no concurrency":    {func(a *ingress.Args) { limited(a); a.LoginLimit.Concurrent = 0 }, "must be above 0"},
		"fewer proxies":     {func(a *ingress.Args) { known(a); a.Clients.Proxies = -1 }, "proxies not below"},
		"no downloads":      {func(a *ingress.Args) { known(a); a.Clients.Downloads = 0 }, "must be above 0"},
		"a limit for all":   {func(a *ingress.Args) { limited(a); a.Clients = nil }, "clients cannot be told apart"},
		"standard limit":    {func(a *ingress.Args) { standard(a); limited(a) }, `kind "ingress" cannot limit log-ins`},
		"standard without secret": {
			func(a *ingress.Args) { standard(a); a.TLS = &ingress.TLSArgs{CertResolver: "ali"} },
			"needs a secret with the certificate or a cluster issuer",
		},
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, ingressProgram(edge(row.spoil)), `ingress "edge"`, row.want)
		})
	}
}
