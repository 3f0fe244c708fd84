package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"

	"k8s.io/client-go/util/cert"
)

// proofed is the plugin that is updated: what stands in a page tells its version.
const (
	proofedPlugin = "proofed/proofed.php"
	proofedBroken = "3.0"
)

// wordpressOrg stands in for wordpress.org. It is a proxy that answers by itself whatever is asked for through it.
type wordpressOrg struct {
	listener net.Listener
	// authority in PEM, of the certificate that it shows.
	authority string
	tunnels   tunnels

	mutex sync.Mutex
	// offered is a newer version of the plugin, if there is one.
	offered string
	// hold returns when the plugin may be fetched.
	hold func(*http.Request)
}

// startWordPressOrg serves in the cluster's network until the test ends.
func startWordPressOrg(t *testing.T, s *subject) *wordpressOrg {
	t.Helper()
	certificate, key, err := cert.GenerateSelfSignedCertKey("api.wordpress.org", nil, []string{"downloads.wordpress.org", "wordpress.org"})
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := listenInCluster(t.Context(), s.project, s.kubernetes)
	if err != nil {
		t.Fatal(err)
	}
	w := &wordpressOrg{
		listener: listener, authority: string(certificate),
		tunnels: tunnels{opened: make(chan net.Conn), closed: make(chan struct{}), address: listener.Addr()},
	}
	proxy := &http.Server{Handler: http.HandlerFunc(w.proxy)}
	inside := &http.Server{Handler: w.answers(), TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}}
	go func() { _ = proxy.Serve(listener) }()
	go func() { _ = inside.ServeTLS(&w.tunnels, "", "") }()
	t.Cleanup(func() { _ = errors.Join(proxy.Close(), inside.Close()) })
	return w
}

// settings have a site reach the stand-in, and nothing else, as its proxy.
func (w *wordpressOrg) settings(t *testing.T) map[string]string {
	t.Helper()
	host, port, err := net.SplitHostPort(w.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"wordpress:network.egress[0].cidr": host + "/32", "wordpress:network.egress[0].ports[0]": port,
		"wordpress:network.proxy.host": host, "wordpress:network.proxy.port": port,
	}
}

// offer a version of the plugin, which may be fetched when hold has returned.
func (w *wordpressOrg) offer(version string, hold func(*http.Request)) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.offered, w.hold = version, hold
}

func (w *wordpressOrg) onOffer() (version string, hold func(*http.Request)) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.offered, w.hold
}

// proxy opens a way to the stand-in itself, whoever is asked for. WordPress asks wordpress.org by HTTPS alone.
func (w *wordpressOrg) proxy(out http.ResponseWriter, request *http.Request) {
	if request.Method != http.MethodConnect {
		http.Error(out, "only by HTTPS", http.StatusForbidden)
		return
	}
	connection, _, err := http.NewResponseController(out).Hijack()
	if err != nil {
		return
	}
	if _, err := connection.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n")); err != nil {
		_ = connection.Close()
		return
	}
	w.tunnels.hand(connection)
}

// tunnels are connections that a proxy was asked for, to be served like those that a listener accepts.
type tunnels struct {
	opened  chan net.Conn
	closed  chan struct{}
	once    sync.Once
	address net.Addr
}

func (t *tunnels) hand(connection net.Conn) {
	select {
	case t.opened <- connection:
	case <-t.closed:
		_ = connection.Close()
	}
}

func (t *tunnels) Accept() (net.Conn, error) {
	select {
	case connection := <-t.opened:
		return connection, nil
	case <-t.closed:
		return nil, net.ErrClosed
	}
}

func (t *tunnels) Close() error {
	t.once.Do(func() { close(t.closed) })
	return nil
}

func (t *tunnels) Addr() net.Addr { return t.address }

type object = map[string]any

// answers are those that WordPress needs to know of one plugin, and that it is up to date itself.
func (w *wordpressOrg) answers() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/plugin/", func(out http.ResponseWriter, request *http.Request) {
		version, hold := w.onOffer()
		hold(request)
		out.Header().Set("Content-Type", "application/zip")
		_, _ = out.Write(proofedArchive(version))
	})
	mux.HandleFunc("/plugins/update-check/", func(out http.ResponseWriter, _ *http.Request) {
		newer := object{}
		if version, _ := w.onOffer(); version != "" {
			newer[proofedPlugin] = object{
				"id": "w.org/plugins/proofed", "slug": "proofed", "plugin": proofedPlugin, "new_version": version, "url": "https://wordpress.org/",
				"package": "https://downloads.wordpress.org/plugin/proofed." + version + ".zip", "requires": "6.0", "requires_php": "7.4",
			}
		}
		writeJSON(out, object{"plugins": newer, "no_update": object{}, "translations": []any{}})
	})
	mux.HandleFunc("/themes/update-check/", func(out http.ResponseWriter, _ *http.Request) {
		writeJSON(out, object{"themes": object{}, "no_update": object{}, "translations": []any{}})
	})
	mux.HandleFunc("/core/version-check/", func(out http.ResponseWriter, request *http.Request) {
		version := request.URL.Query().Get("version")
		writeJSON(out, object{"translations": []any{}, "offers": []any{object{
			"response": "latest", "current": version, "version": version, "locale": "en_US", "php_version": "7.4", "mysql_version": "5.5.5",
			"download": "https://downloads.wordpress.org/none.zip", "packages": object{}, "new_bundled": "6.7", "partial_version": false,
		}}})
	})
	mux.HandleFunc("/core/serve-happy/", func(out http.ResponseWriter, _ *http.Request) {
		writeJSON(out, object{"recommended_version": "8.2", "minimum_version": "7.4", "is_supported": true, "is_secure": true,
			"is_acceptable": true, "is_lower_than_future_minimum": false})
	})
	mux.HandleFunc("/", func(out http.ResponseWriter, _ *http.Request) { writeJSON(out, object{}) })
	return mux
}

func writeJSON(out http.ResponseWriter, value object) {
	out.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(out).Encode(value)
}

// proofedSource is the plugin; the broken version ends every request.
func proofedSource(version string) string {
	source := "<?php\n/*\nPlugin Name: Proofed\nVersion: " + version + "\n*/\nadd_action('wp_head', fn () => print('proofed " + version + "'));\n"
	if version == proofedBroken {
		source += "no_such_function();\n"
	}
	return source
}

func proofedArchive(version string) []byte {
	var archive bytes.Buffer
	writer := zip.NewWriter(&archive)
	file, err := writer.Create(proofedPlugin)
	if err == nil {
		_, err = file.Write([]byte(proofedSource(version)))
	}
	if err = errors.Join(err, writer.Close()); err != nil {
		panic(err) // a buffer takes everything
	}
	return archive.Bytes()
}

// believe has the site believe the stand-in, and brings the plugin, which is active, in its first version.
func (w *wordpressOrg) believe(t *testing.T, s *subject) {
	t.Helper()
	pod := s.somePod(t)
	for file, text := range map[string]string{
		"mu-plugins/wordpress-org.pem": w.authority, "mu-plugins/updates.php": updatesPlugin, "plugins/" + proofedPlugin: proofedSource("1.0"),
	} {
		s.exec(t, pod, text, fmt.Sprintf("mkdir -p $(dirname %[1]s/%[2]s) && cat >%[1]s/%[2]s", s.content, file))
	}
	await(t, "the plugin is active", func(ctx context.Context) error { return s.saysJust(ctx, "/?proof-activate=1", "active") })
}
