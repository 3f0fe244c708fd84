package images

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/util/cert"
)

// plannedEdge is a real Traefik with the objects that the program plans for the development stack. It has them from a file,
// since there is no API server, and a server of the test's in place of the pods.
type plannedEdge struct {
	http, https string // addresses
	roots       *x509.CertPool
}

// planned is what Traefik reads of its custom resources. Their specs are those of its file, but for routes.
type planned struct {
	Kind     string
	Metadata struct{ Name string }
	Spec     json.RawMessage
}

type plannedRoute struct {
	EntryPoints []string
	Routes      []struct {
		Match       string
		Priority    int
		Middlewares []struct{ Name string }
		Services    []struct{ ServersTransport string }
	}
	TLS *struct{ Options struct{ Name string } }
}

// proxyAddress is that of a proxy which ends TLS and whose headers the edge trusts.
const proxyAddress = "127.0.0.7"

func startEdge(t *testing.T, backend string, change func(settings string) string) *plannedEdge {
	t.Helper()
	root := unpack(t, "traefik-3.6")
	e := &plannedEdge{
		http: fmt.Sprintf("127.0.0.1:%d", freePort(t)), https: fmt.Sprintf("127.0.0.1:%d", freePort(t)), roots: x509.NewCertPool(),
	}
	certificate, key, err := cert.GenerateSelfSignedCertKey(plannedHost, nil, nil)
	noError(t, err)
	e.roots.AppendCertsFromPEM(certificate)
	settings := edgeSettings(t, backend)
	settings["tls"].(map[string]any)["stores"] = map[string]any{"default": map[string]any{
		"defaultCertificate": map[string]any{"certFile": file(t, string(certificate)), "keyFile": file(t, string(key))},
	}}
	text, err := json.Marshal(settings)
	noError(t, err)
	// Traefik takes the format from the name; JSON is YAML.
	path := filepath.Join(t.TempDir(), "dynamic.yaml")
	noError(t, os.WriteFile(path, []byte(change(string(text))), 0o600))
	command := exec.Command(filepath.Join(root, "traefik"),
		"--entrypoints.web.address="+e.http, "--entrypoints.websecure.address="+e.https, "--providers.file.filename="+path,
		"--entrypoints.web.forwardedheaders.trustedips="+proxyAddress, "--global.checknewversion=false", "--global.sendanonymoususage=false")
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	c := launch(t, command, true)
	c.await(t, "routes", func() bool {
		got, err := e.visit(t.Context(), "127.0.0.9", http.MethodGet, "/")
		return err == nil && got.status != http.StatusNotFound
	})
	return e
}

// edgeSettings are the golden manifests in the form of Traefik's file.
func edgeSettings(t *testing.T, backend string) map[string]any {
	t.Helper()
	manifests, err := os.Open(filepath.Join(repository(t), "tests", "testdata", "manifests-dev.golden.yaml"))
	noError(t, err)
	defer func() { _ = manifests.Close() }()
	routers, middlewares, transports, options := map[string]any{}, map[string]any{}, map[string]any{}, map[string]any{}
	for documents := utilyaml.NewYAMLOrJSONDecoder(bufio.NewReader(manifests), 4096); ; {
		var object planned
		err := documents.Decode(&object)
		if errors.Is(err, io.EOF) {
			break
		}
		noError(t, err)
		switch name := object.Metadata.Name; object.Kind {
		case "Middleware":
			middlewares[name] = object.Spec
		case "ServersTransport":
			transports[name] = object.Spec
		case "TLSOption":
			options[name] = object.Spec
		case "IngressRoute":
			addRouters(t, routers, object)
		}
	}
	if len(routers) < 2 || len(options) == 0 {
		t.Fatalf("the golden manifests have %d routes and %d options of TLS", len(routers), len(options))
	}
	return map[string]any{
		"http": map[string]any{
			"routers": routers, "middlewares": middlewares, "serversTransports": transports,
			"services": map[string]any{"site": map[string]any{"loadBalancer": map[string]any{
				"servers": []any{map[string]any{"url": backend}}, "serversTransport": "wordpress",
			}}},
		},
		"tls": map[string]any{"options": options},
	}
}

func addRouters(t *testing.T, routers map[string]any, object planned) {
	t.Helper()
	var route plannedRoute
	noError(t, json.Unmarshal(object.Spec, &route))
	for i, rule := range route.Routes {
		var chain []string
		for _, middleware := range rule.Middlewares {
			chain = append(chain, middleware.Name)
		}
		router := map[string]any{
			"entryPoints": route.EntryPoints, "rule": rule.Match, "middlewares": chain, "service": "site", "priority": rule.Priority,
		}
		if route.TLS != nil {
			router["tls"] = map[string]any{"options": route.TLS.Options.Name}
		}
		routers[fmt.Sprintf("%s-%d", object.Metadata.Name, i)] = router
	}
}

// visit asks over HTTPS from an address of this machine; all of 127.0.0.0/8 are.
func (e *plannedEdge) visit(ctx context.Context, from, method, path string) (answer, error) {
	return e.visitBy(ctx, from, method, "https://"+plannedHost+path, nil, nil)
}

func (e *plannedEdge) visitBy(ctx context.Context, from, method, url string, header http.Header, change func(*tls.Config)) (answer, error) {
	settings := &tls.Config{RootCAs: e.roots, ServerName: plannedHost}
	if change != nil {
		change(settings)
	}
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	client := &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   settings,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				if strings.HasSuffix(address, ":80") {
					return dialer.DialContext(ctx, network, e.http)
				}
				return dialer.DialContext(ctx, network, e.https)
			},
		},
	}
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return answer{}, err
	}
	maps.Copy(request.Header, header)
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(page)}, err
}

func (e *plannedEdge) mustVisit(t *testing.T, from, path string) answer {
	t.Helper()
	got, err := e.visit(t.Context(), from, http.MethodGet, path)
	noError(t, err)
	return got
}

// pods stand in for the site's: they answer a log-in only when they are told to.
type pods struct {
	*httptest.Server
	most, now atomic.Int32
	finish    chan struct{}
	// last is the path of the last request, as it came.
	last atomic.Value
}

func startPods(t *testing.T) *pods {
	t.Helper()
	p := &pods{finish: make(chan struct{})}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.last.Store(r.RequestURI)
		w.Header().Set("X-Frame-Options", "SAMEORIGIN")
		if r.URL.Path != "/wp-login.php" || r.Method != http.MethodPost {
			return
		}
		now := p.now.Add(1)
		defer p.now.Add(-1)
		for most := p.most.Load(); now > most && !p.most.CompareAndSwap(most, now); most = p.most.Load() {
		}
		<-p.finish
	}))
	t.Cleanup(p.Close)
	return p
}

// TestPlannedEdgeIsHard runs Traefik with the very objects that the program plans.
func TestPlannedEdgeIsHard(t *testing.T) {
	p := startPods(t)
	e := startEdge(t, p.URL, func(settings string) string { return settings })

	t.Run("redirects have the headers and promise nothing", e.redirectsHaveHeaders)
	t.Run("pages have each header once", func(t *testing.T) {
		got := e.mustVisit(t, "127.0.0.2", "/")
		wantUsual(t, "a page", got, http.StatusOK)
	})
	t.Run("weak TLS is refused", e.weakTLSIsRefused)
	t.Run("another name's connection is refused", e.otherNamesAreRefused)
	t.Run("one client floods the log-in", func(t *testing.T) { e.floodIsContained(t, p) })
	t.Run("the burst is used up", e.burstIsUsedUp)
	t.Run("no other spelling leads round the limit", func(t *testing.T) { e.noWayRoundTheLimit(t, p) })
	t.Run("a proxy that ends TLS leads round no limit", e.trustedProxyIsLimited)
	t.Run("no pod answers", func(t *testing.T) {
		p.Close()
		wantUsual(t, "no pod", e.mustVisit(t, "127.0.0.2", "/"), http.StatusBadGateway)
	})
}

// TestPlannedEdgeGivesUpSilentPods has a pod never answer, as one whose node has lost its power. What it may have begun is not asked of
// another one.
func TestPlannedEdgeGivesUpSilentPods(t *testing.T) {
	var asked atomic.Int32
	silent := make(chan struct{})
	p := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked.Add(1)
		<-silent
	}))
	defer p.Close()
	defer close(silent)
	// The wait is what the program plans, only shorter.
	const planned, shorter = `"responseHeaderTimeout":"30s"`, `"responseHeaderTimeout":"1s"`
	e := startEdge(t, p.URL, func(settings string) string {
		if !strings.Contains(settings, planned) {
			t.Fatalf("Traefik is not told %s", planned)
		}
		return strings.ReplaceAll(settings, planned, shorter)
	})
	asked.Store(0) // startEdge has come by
	wantUsual(t, "a silent pod", e.mustVisit(t, "127.0.0.2", "/"), http.StatusGatewayTimeout)
	if n := asked.Load(); n != 1 {
		t.Errorf("pods were asked %d times, want once", n)
	}
}

func (e *plannedEdge) redirectsHaveHeaders(t *testing.T) {
	got, err := e.visitBy(t.Context(), "127.0.0.2", http.MethodGet, "http://"+plannedHost+"/a?b=c", nil, nil)
	noError(t, err)
	if want := "https://" + plannedHost + "/a?b=c"; got.status != http.StatusMovedPermanently || got.header.Get("Location") != want {
		t.Errorf("status %d, location %q, want %q", got.status, got.header.Get("Location"), want)
	}
	if promise := got.header.Get("Strict-Transport-Security"); promise != "" {
		t.Errorf("plain http promises %q", promise)
	}
	got.header.Set("Strict-Transport-Security", usualHeaders["Strict-Transport-Security"])
	wantUsual(t, "the redirect", got, got.status)
}

func (e *plannedEdge) weakTLSIsRefused(t *testing.T) {
	for name, row := range map[string]struct {
		change   func(*tls.Config)
		accepted bool
	}{
		"TLS 1.1":          {func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, false},
		"TLS 1.2":          {func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, true},
		"TLS 1.3":          {func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }, true},
		"1.2, CBC":         {ciphers(tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA), false},
		"1.2, no exchange": {ciphers(tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384), false},
		"1.2, AES-GCM":     {ciphers(tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256), true},
		"1.2, ChaCha20":    {ciphers(tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256), true},
	} {
		_, err := e.visitBy(t.Context(), "127.0.0.2", http.MethodGet, "https://"+plannedHost+"/", nil, row.change)
		if (err == nil) != row.accepted {
			t.Errorf("%s: accepted %t, want %t: %v", name, err == nil, row.accepted, err)
		}
	}
}

func ciphers(suites ...uint16) func(*tls.Config) {
	return func(c *tls.Config) { c.MaxVersion, c.CipherSuites = tls.VersionTLS12, suites }
}

func (e *plannedEdge) otherNamesAreRefused(t *testing.T) {
	got, err := e.visitBy(t.Context(), "127.0.0.2", http.MethodGet, "https://"+plannedHost+"/", nil, func(c *tls.Config) {
		c.ServerName, c.InsecureSkipVerify = "other.example.com", true
	})
	noError(t, err)
	if got.status != http.StatusMisdirectedRequest {
		t.Errorf("status %d, want 421", got.status)
	}
}

// What the planned objects allow of one client that does not pause: as many as plannedBurst log-ins; then one more every
// plannedRefill.
const (
	plannedBurst      = 10
	plannedConcurrent = 1
	plannedRefill     = 6 * time.Second
)

// floodIsContained has one client try more log-ins at once than it may, and another one come by meanwhile.
func (e *plannedEdge) floodIsContained(t *testing.T, p *pods) {
	const tries = 100
	var refused atomic.Int32
	var all sync.WaitGroup
	finish := sync.OnceFunc(func() { close(p.finish) })
	defer finish()
	for range tries {
		all.Go(func() {
			got, err := e.visit(t.Context(), "127.0.0.3", http.MethodPost, "/wp-login.php")
			if err != nil {
				t.Error(err)
			}
			if got.status == http.StatusTooManyRequests {
				refused.Add(1)
				wantUsual(t, "a refused log-in", got, got.status)
			}
		})
	}
	// The pods answer none of the flood's log-ins yet, so that those let through stay in progress.
	await(t, "the flood is refused", func() bool { return refused.Load() == tries-plannedConcurrent })
	wantUsual(t, "another client's log-in", e.mustVisit(t, "127.0.0.4", "/wp-login.php"), http.StatusOK)
	wantUsual(t, "a page for the flooding client", e.mustVisit(t, "127.0.0.3", "/"), http.StatusOK)
	finish()
	all.Wait()
	if most := p.most.Load(); most != plannedConcurrent {
		t.Errorf("the flood held %d workers at once, want %d", most, plannedConcurrent)
	}
}

// burstIsUsedUp has the client of the flood log in one by one, until it may not. What was refused of the flood for being at the same
// time does not count: people who share an address would wait for log-ins that never came to WordPress.
func (e *plannedEdge) burstIsUsedUp(t *testing.T) {
	usesUpBurst(t, plannedConcurrent, func() int { return e.mustVisit(t, "127.0.0.3", "/wp-login.php").status })
}

// usesUpBurst logs in until it is refused; so many log-ins have passed already.
func usesUpBurst(t *testing.T, passed int, login func() int) {
	t.Helper()
	for began := time.Now(); login() != http.StatusTooManyRequests; {
		passed++
		if most := plannedBurst + 1 + int(time.Since(began)/plannedRefill); passed > most {
			t.Fatalf("%d log-ins passed, want %d at most", passed, most)
		}
	}
	if passed < plannedBurst {
		t.Errorf("%d log-ins passed, want %d", passed, plannedBurst)
	}
}

// trustedProxyIsLimited comes by plain http with a header that says it was HTTPS, which redirects none but untrusted clients.
func (e *plannedEdge) trustedProxyIsLimited(t *testing.T) {
	visit := func(from, path string) int {
		got, err := e.visitBy(t.Context(), from, http.MethodGet, "http://"+plannedHost+path, http.Header{"X-Forwarded-Proto": {"https"}}, nil)
		noError(t, err)
		return got.status
	}
	if status := visit("127.0.0.2", "/"); status != http.StatusMovedPermanently && status != http.StatusPermanentRedirect {
		t.Errorf("a client that says it came over HTTPS: status %d, want a redirect", status)
	}
	if status := visit(proxyAddress, "/"); status != http.StatusOK {
		t.Errorf("a trusted proxy: status %d, want 200", status)
	}
	usesUpBurst(t, 0, func() int { return visit(proxyAddress, "/wp-login.php") })
}

// noWayRoundTheLimit spells the path in other ways for the client that has none left. Each is either counted as the log-in, or
// comes to the pods so that they can tell, and refuse it.
func (e *plannedEdge) noWayRoundTheLimit(t *testing.T, p *pods) {
	for _, path := range []string{
		"//wp-login.php", "/./wp-login.php", "/x/../wp-login.php", "/%77p-login.php", "/wp-login%2Ephp", "/%2e/wp-login.php",
		"/x/%2e%2e/wp-login.php", "/%2Fwp-login.php", "/wp-login.php/", "/wp-login.php/x", "/wp-login.php%2Fx", "/wp-login.php?a=b",
	} {
		passes := func() bool {
			p.last.Store("")
			status := e.rawStatus(t, "127.0.0.3", path)
			got, _ := p.last.Load().(string)
			reached, _, _ := strings.Cut(got, "?")
			return reached == "/wp-login.php" || reached == "" && status < http.StatusBadRequest
		}
		// One may be what the limit allowed meanwhile; a way round allows the next one too.
		if !passes() {
			continue
		}
		if passes() {
			t.Errorf("%s: the log-in was reached twice in a row, past the limit", path)
		}
	}
}

// rawStatus asks for a path that Go's client would tidy up.
func (e *plannedEdge) rawStatus(t *testing.T, from, path string) int {
	t.Helper()
	dialer := tls.Dialer{
		NetDialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}},
		Config:    &tls.Config{RootCAs: e.roots, ServerName: plannedHost},
	}
	connection, err := dialer.DialContext(t.Context(), "tcp", e.https)
	noError(t, err)
	defer func() { _ = connection.Close() }()
	_, err = fmt.Fprintf(connection, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, plannedHost)
	noError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	noError(t, err)
	noError(t, response.Body.Close())
	return response.StatusCode
}

func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no %s within %s", what, patience)
		}
	}
}
