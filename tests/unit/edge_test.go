package unit_test

import (
	"slices"
	"strings"
	"testing"

	"wordpress-on-kubernetes/components/frontend"
	"wordpress-on-kubernetes/components/headers"
	"wordpress-on-kubernetes/components/ingress"
)

func TestHeadersFollowThePolicy(t *testing.T) {
	usual := []headers.Header{
		{Name: "Permissions-Policy", Value: "camera=(), geolocation=(), microphone=()"},
		{Name: "Referrer-Policy", Value: "strict-origin-when-cross-origin"},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
		{Name: "X-Frame-Options", Value: "SAMEORIGIN"},
	}
	if got := (headers.Policy{}).Always(); !slices.Equal(got, usual) {
		t.Errorf("got %v, want %v", got, usual)
	}
	open := headers.Policy{Embedding: true, BrowserFeatures: []string{"microphone", "camera"}}
	want := slices.Clone(usual[:3])
	want[0].Value = "camera=(self), geolocation=(), microphone=(self)"
	if got := open.Always(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTLSIsSpokenWithSoundCiphersOnly(t *testing.T) {
	const ciphers = `
cipherSuites:
- TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
- TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
- TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
- TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
- TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
- TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
`
	for name, row := range map[string]struct {
		tls  ingress.TLSArgs
		want string
	}{
		"default certificate": {ingress.TLSArgs{MinVersion: "VersionTLS12"}, "minVersion: VersionTLS12\nsniStrict: false"},
		"resolver":            {ingress.TLSArgs{MinVersion: "VersionTLS12", CertResolver: "ali"}, "minVersion: VersionTLS12\nsniStrict: false"},
		"existing secret":     {ingress.TLSArgs{MinVersion: "VersionTLS13", ExistingSecret: "tls"}, "minVersion: VersionTLS13\nsniStrict: true"},
		"cluster issuer":      {ingress.TLSArgs{MinVersion: "VersionTLS12", ClusterIssuer: "acme"}, "minVersion: VersionTLS12\nsniStrict: true"},
	} {
		t.Run(name, func(t *testing.T) {
			p := runIngress(t, func(a *ingress.Args) { a.TLS = &row.tls })
			p.wantSpec("TLSOption", "wordpress", row.want+ciphers)
		})
	}
}

func TestEdgeSendsTheHeadersOnItsOwnAnswers(t *testing.T) {
	for name, row := range map[string]struct {
		policy headers.Policy
		want   string
	}{
		"plain http": {headers.Policy{}, `
headers:
  customResponseHeaders:
    Permissions-Policy: camera=(), geolocation=(), microphone=()
    Referrer-Policy: strict-origin-when-cross-origin
    X-Content-Type-Options: nosniff
    X-Frame-Options: SAMEORIGIN
`},
		"promise of HTTPS, embedding": {headers.Policy{HSTSSeconds: new(300), Embedding: true}, `
headers:
  customResponseHeaders:
    Permissions-Policy: camera=(), geolocation=(), microphone=()
    Referrer-Policy: strict-origin-when-cross-origin
    X-Content-Type-Options: nosniff
  stsSeconds: 300
`},
		"promise taken back, a feature": {headers.Policy{HSTSSeconds: new(0), BrowserFeatures: []string{"geolocation"}}, `
headers:
  customResponseHeaders:
    Permissions-Policy: camera=(), geolocation=(self), microphone=()
    Referrer-Policy: strict-origin-when-cross-origin
    X-Content-Type-Options: nosniff
    X-Frame-Options: SAMEORIGIN
`},
	} {
		t.Run(name, func(t *testing.T) {
			p := runIngress(t, func(a *ingress.Args) { a.Headers = row.policy })
			p.wantSpec("Middleware", "wordpress-headers", row.want)
		})
	}
}

func TestLoginsAreLimitedPerClient(t *testing.T) {
	p := runIngress(t, limited)
	p.wantObjects("IngressRoute wordpress", "Middleware wordpress-body", "Middleware wordpress-client", "Middleware wordpress-downloads",
		"Middleware wordpress-headers", "Middleware wordpress-login-concurrency", "Middleware wordpress-login-rate", "Middleware wordpress-retry",
		"ServersTransport wordpress")
	p.wantSpec("Middleware", "wordpress-login-rate", `
rateLimit: {average: 10, period: 1m, burst: 20, sourceCriterion: {ipStrategy: {depth: 2, ipv6Subnet: 64}}}
`)
	p.wantSpec("Middleware", "wordpress-login-concurrency", `
inFlightReq: {amount: 2, sourceCriterion: {ipStrategy: {depth: 2, ipv6Subnet: 64}}}
`)
	p.wantSpec("IngressRoute", "wordpress", `
entryPoints: [web]
`+knownRoutes+loginRoute("Path(`/wp-login.php`)"))
	for _, name := range []string{"wordpress-headers", "wordpress-login-rate", "wordpress-login-concurrency", "wordpress-retry"} {
		if needed := p.registration("Middleware", name).URN; !slices.Contains(p.registration("IngressRoute", "wordpress").DependsOn, needed) {
			t.Errorf("the route does not wait for %s", name)
		}
	}
}

// loginRoute goes through the limits, after the headers and before the second attempt. What too many connections at once are
// refused does not use up the rate.
func loginRoute(paths string) string {
	return `
- kind: Rule
  match: "Host(` + "`www.example.com`" + `) && ` + paths + `"
  services: [{name: wordpress, port: http, serversTransport: wordpress, strategy: p2c}]
  priority: 1000
  middlewares:
  - {name: wordpress-headers}
  - {name: wordpress-client}
  - {name: wordpress-body}
  - {name: wordpress-login-concurrency}
  - {name: wordpress-login-rate}
  - {name: wordpress-retry}
`
}

// knownRoutes are those of clients that can be told apart.
const knownRoutes = `
routes:
- kind: Rule
  match: "Host(` + "`www.example.com`" + `)"
  services: [{name: wordpress, port: http, serversTransport: wordpress, strategy: p2c}]
  middlewares: [{name: wordpress-headers}, {name: wordpress-client}, {name: wordpress-retry}]
- kind: Rule
  match: "Host(` + "`www.example.com`) && !Method(`GET`) && !Method(`HEAD`)" + `"
  services: [{name: wordpress, port: http, serversTransport: wordpress, strategy: p2c}]
  middlewares: [{name: wordpress-headers}, {name: wordpress-client}, {name: wordpress-body}, {name: wordpress-retry}]
- kind: Rule
  match: "Host(` + "`www.example.com`) && Method(`GET`) && PathPrefix(`/wp-content/`) && " +
	"!PathRegexp(`(?i)[.](avif|css|eot|gif|html?|ico|jpe?g|js|json|map|otf|php|png|svg|ttf|txt|webp|woff2?|xml)$`)" + `"
  services: [{name: wordpress, port: http, serversTransport: wordpress, strategy: p2c}]
  middlewares: [{name: wordpress-headers}, {name: wordpress-client}, {name: wordpress-downloads}, {name: wordpress-retry}]
`

func TestClientsHoldWhatTheyMayAlone(t *testing.T) {
	p := runIngress(t, known)
	p.wantSpec("IngressRoute", "wordpress", `
entryPoints: [web]
`+knownRoutes)
	p.wantSpec("Middleware", "wordpress-body", `
buffering: {maxRequestBodyBytes: 68157440, memRequestBodyBytes: 65536, memResponseBodyBytes: 1048576}
`)
	p.wantSpec("Middleware", "wordpress-client", `
inFlightReq: {amount: 320, sourceCriterion: {ipStrategy: {depth: 2, ipv6Subnet: 64}}}
`)
	p.wantSpec("Middleware", "wordpress-downloads", `
inFlightReq: {amount: 5, sourceCriterion: {ipStrategy: {depth: 2, ipv6Subnet: 64}}}
`)
}

func TestClientsOfTheirOwnConnectionAreCountedByIt(t *testing.T) {
	p := runIngress(t, limited, func(a *ingress.Args) { a.Clients.Proxies = 0 })
	p.wantSpec("Middleware", "wordpress-login-concurrency", `inFlightReq: {amount: 2, sourceCriterion: {ipStrategy: {ipv6Subnet: 64}}}`)
}

func TestXMLRPCIsLimitedWithLogins(t *testing.T) {
	p := runIngress(t, limited, func(a *ingress.Args) { a.LoginLimit.XMLRPC = true })
	p.wantSpec("IngressRoute", "wordpress", `
entryPoints: [web]
`+knownRoutes+loginRoute("(Path(`/wp-login.php`) || Path(`/xmlrpc.php`))"))
}

// What Apache makes of it is tried with the local images.
func TestPodsSendHeadersAndCloseXMLRPC(t *testing.T) {
	const (
		promise = `Header always set Strict-Transport-Security "max-age=`
		denied  = "<Files \"xmlrpc.php\">\n\t\tRequire all denied\n\t</Files>"
		frames  = `Header always set X-Frame-Options "SAMEORIGIN"`
	)
	for name, row := range map[string]struct {
		change        func(*frontend.Args)
		with, without []string
	}{
		"by default": {func(*frontend.Args) {}, []string{denied, frames, `Header always set X-Content-Type-Options "nosniff"`}, []string{promise}},
		"HTTPS":      {func(a *frontend.Args) { a.Headers.HSTSSeconds = new(300) }, []string{promise + `300" "expr=`}, nil},
		"HTTPS given up": {
			func(a *frontend.Args) { a.Headers.HSTSSeconds = new(0) }, []string{promise + `0" "expr=`}, nil,
		},
		"embedding": {func(a *frontend.Args) { a.Headers.Embedding = true }, nil, []string{"X-Frame-Options"}},
		"XML-RPC":   {func(a *frontend.Args) { a.XMLRPC = true }, []string{"Require expr %{THE_REQUEST} =~ m#^[A-Z]+ /xmlrpc"}, []string{denied, "X-Pingback"}},
	} {
		t.Run(name, func(t *testing.T) {
			text := siteFile(runFrontend(t, row.change), "site.conf")
			for _, part := range row.with {
				if !strings.Contains(text, part) {
					t.Errorf("site.conf lacks %q", part)
				}
			}
			for _, part := range row.without {
				if strings.Contains(text, part) {
					t.Errorf("site.conf has %q", part)
				}
			}
		})
	}
}

// What Apache makes of it is tried with the local images.
func TestBodiesComeWholeFromAnEdgeThatBuffers(t *testing.T) {
	const refused = "Transfer-Encoding"
	for buffers, rate := range map[bool]string{true: "body=10,MinRate=200000", false: "body=30,MinRate=20000"} {
		text := siteFile(runFrontend(t, func(a *frontend.Args) { a.BuffersBodies = buffers }), "site.conf")
		if !strings.Contains(text, rate) || strings.Contains(text, refused) != buffers {
			t.Errorf("an edge that buffers, %t:\n%s", buffers, text)
		}
	}
}

// What Apache makes of the patterns is tried with the local images.
func TestVisitorsAddressIsTakenFromTheEdgeAlone(t *testing.T) {
	const forwarded = "X-Forwarded-For} =~"
	for name, row := range map[string]struct {
		networks []string
		proxies  int
		want     []string
		patterns int
	}{
		"an edge":             {[]string{"10.0.0.0/8"}, 0, []string{"-ipmatch '10.0.0.0/8') &&", "{0}"}, 1},
		"two networks":        {[]string{"10.0.0.0/8", "2001:db8::/64"}, 0, []string{"'10.0.0.0/8' || %{CONN_REMOTE_ADDR} -ipmatch '2001:db8::/64')"}, 1},
		"one proxy before it": {[]string{"10.0.0.0/8"}, 1, []string{"{0,0}", "{1}"}, 2},
		"three proxies":       {[]string{"10.0.0.0/8"}, 3, []string{"{0,2}", "{3}"}, 2},
		"visitors themselves": {nil, 0, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			text := siteFile(runFrontend(t, func(a *frontend.Args) { a.TrustedProxies, a.Proxies = row.networks, row.proxies }), "site.conf")
			for _, part := range row.want {
				if !strings.Contains(text, part) {
					t.Errorf("site.conf lacks %q:\n%s", part, text)
				}
			}
			if n := strings.Count(text, forwarded); n != row.patterns {
				t.Errorf("%d patterns, want %d:\n%s", n, row.patterns, text)
			}
		})
	}
}

func TestNobodyEditsPHPInTheBrowser(t *testing.T) {
	if text := siteFile(runFrontend(t), "wp-config.php"); !strings.Contains(text, "define('DISALLOW_FILE_EDIT', true);") {
		t.Errorf("wp-config.php allows it:\n%s", text)
	}
}
