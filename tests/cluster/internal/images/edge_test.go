package images

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// plannedHost is the host of the development stack, whose files the tests run with.
const plannedHost = "wordpress.localhost"

// plannedFiles are those that the program mounts in a pod of WordPress, as the golden manifests have them.
func plannedFiles(t *testing.T) map[string]string { return plannedFilesBeside(t, "site.conf") }

// plannedFilesBeside are those of the development stack's ConfigMap that holds the given one, without a cache before the site: nothing but
// the edge tells its pods whom a request comes from.
func plannedFilesBeside(t *testing.T, name string) map[string]string {
	return plannedIn(t, "uncached", name)
}

// plannedIn are those of the ConfigMap of given golden manifests that holds the given one.
func plannedIn(t *testing.T, golden, name string) map[string]string {
	t.Helper()
	manifests, err := os.Open(filepath.Join(repository(t), "tests", "testdata", "manifests-"+golden+".golden.yaml"))
	noError(t, err)
	defer func() { _ = manifests.Close() }()
	for documents := utilyaml.NewYAMLOrJSONDecoder(bufio.NewReader(manifests), 4096); ; {
		var object struct {
			metav1.TypeMeta
			corev1.ConfigMap
		}
		err := documents.Decode(&object)
		if errors.Is(err, io.EOF) {
			t.Fatalf("the golden manifests have no ConfigMap with %s", name)
		}
		noError(t, err)
		if _, found := object.Data[name]; found && object.Kind == "ConfigMap" {
			return object.Data
		}
	}
}

// startPlanned runs a pod of the development stack. As in the official image, Apache is not set up to load mod_headers.
func (s *site) startPlanned(t *testing.T, root string) {
	t.Helper()
	s.startFiles(t, root, plannedFiles(t))
}

// partsOfConfig are mounted for wp-config.php and the program's own scripts.
var partsOfConfig = []string{
	"cache.php", "pictures.php", "requests.php", "updates.php", "database.php", "pages.php", "patient.php", "filesystem.php", "connect.php",
}

func mountedParts(t *testing.T, planned map[string]string, ports *strings.Replacer) (folder string) {
	t.Helper()
	folder = volume(t)
	for _, name := range partsOfConfig {
		noError(t, os.WriteFile(filepath.Join(folder, name), []byte(ports.Replace(planned[name])), 0o444))
	}
	noError(t, os.Mkdir(filepath.Join(folder, "health"), 0o755))
	noError(t, os.WriteFile(filepath.Join(folder, "health", "startup.php"), []byte(ports.Replace(planned["startup.php"])), 0o444))
	return folder
}

// startFiles runs a pod with files that are not all as planned.
func (s *site) startFiles(t *testing.T, root string, planned map[string]string) *container {
	t.Helper()
	s.probePort = freePort(t)
	ports := strings.NewReplacer("8080", strconv.Itoa(s.port), "8081", strconv.Itoa(s.probePort))
	c := start(t, spec{
		root:   root,
		folder: "/usr/src/wordpress",
		memory: []string{"/tmp", "/run/apache2", "/run/lock"},
		volumes: map[string]string{
			"/usr/src/wordpress/wp-content":                 s.content,
			"/usr/src/wordpress/wp-config.php":              file(t, planned["wp-config.php"]),
			"/usr/src/wordpress/.maintenance":               file(t, planned["maintenance.php"]),
			"/etc/wordpress":                                mountedParts(t, planned, ports),
			"/run/secrets-password":                         file(t, userPassword+"\n"),
			"/etc/apache2/ports.conf":                       file(t, ports.Replace(planned["ports.conf"])),
			"/etc/apache2/sites-available/000-default.conf": file(t, ports.Replace(planned["site.conf"])),
			"/etc/apache2/mods-available/headers.load":      file(t, "# loaded by the site\n"),
			"/usr/local/etc/php/conf.d/zz-wordpress.ini":    file(t, planned["php.ini"]),
		},
		env:     s.env,
		command: []string{"docker-entrypoint.sh", "apache2-foreground"},
	})
	c.await(t, "answer", func() bool {
		response, err := s.client.Get(s.url("/readme.html"))
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return c
}

// answer is what a pod said, whatever the status.
type answer struct {
	status int
	header http.Header
	body   string
}

// visit sends what the edge sends for a visitor who came over HTTPS, on a connection of its own and with the path as it is.
func (s *site) visit(t *testing.T, method, path, body string, header http.Header) answer {
	t.Helper()
	request := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nX-Forwarded-Proto: https\r\nContent-Length: %d\r\n",
		method, path, plannedHost, len(body))
	for name, values := range header {
		for _, value := range values {
			request += name + ": " + value + "\r\n"
		}
	}
	return s.send(t, method, request+"\r\n"+body)
}

func (s *site) send(t *testing.T, method, request string) answer {
	t.Helper()
	connection, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)))
	noError(t, err)
	defer func() { _ = connection.Close() }()
	_, err = io.WriteString(connection, request)
	noError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: method})
	noError(t, err)
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	noError(t, err)
	return answer{response.StatusCode, response.Header, string(page)}
}

// TestPlannedPodIsHard runs a pod with the very files that the program mounts.
func TestPlannedPodIsHard(t *testing.T) {
	m := newMySQL(t)
	root := unpack(t, "wordpress-7.1")
	s := newSite(t, m)
	noError(t, os.CopyFS(s.content, os.DirFS(filepath.Join(root, "usr/src/wordpress/wp-content"))))
	s.upload(t)
	database := m.start(t)
	m.awaitReady(t, database)
	s.installPlanned(t, root)
	s.startPlanned(t, root)

	t.Run("headers are on every answer", s.headersAreOnEveryAnswer)
	t.Run("a redirect stays on the site", s.redirectStays)
	t.Run("HTTPS is promised over HTTPS only", s.httpsIsPromised)
	t.Run("XML-RPC is denied however it is spelt", s.xmlrpcIsDenied)
	t.Run("Apache's own pages are denied", s.apachePagesAreDenied)
	t.Run("logging in has one spelling", s.loginHasOneSpelling)
	t.Run("nobody installs or upgrades", s.installersAreClosed)
	t.Run("uploads are never run", s.uploadsAreNeverRun)
	t.Run("no file is edited in the browser", s.noFileIsEdited)
	t.Run("a greedy request fails by itself", s.greedyRequestFails)
}

// marker shows in an answer only where PHP has run.
const marker = "<?php echo 'has' . 'run';"

var uploads = []string{"shell.php", "shell.PhP", "shell.phtml", "shell.php7", "shell.phar", "2026/11/shell.php", "picture.php.jpg", ".hidden.php"}

func (s *site) upload(t *testing.T) {
	t.Helper()
	for _, name := range uploads {
		path := filepath.Join(s.content, "uploads", name)
		noError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		noError(t, os.WriteFile(path, []byte(marker), 0o644))
	}
}

func (s *site) postForm(t *testing.T, path string, form url.Values, header http.Header) answer {
	t.Helper()
	all := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	maps.Copy(all, header)
	return s.visit(t, http.MethodPost, path, form.Encode(), all)
}

func (s *site) headersAreOnEveryAnswer(t *testing.T) {
	for what, row := range map[string]struct {
		method, path string
		status       int
	}{
		"a page":                   {"GET", "/", 200},
		"a file":                   {"GET", "/readme.html", 200},
		"a page that is not there": {"GET", "/?p=4711", 404},
		"a redirect of WordPress":  {"GET", "/wp-admin/index.php", 302},
		"a redirect of Apache":     {"GET", "/wp-admin", 301},
		"the log-in, which sends some of them itself": {"GET", "/wp-login.php", 200},
		"the REST interface, which does too":          {"GET", "/?rest_route=/", 200},
		"a denied file":                               {"GET", "/wp-config.php", 403},
		"a denied interface":                          {"POST", "/xmlrpc.php", 403},
		"a method that is off":                        {"TRACE", "/", 405},
		"a malformed path":                            {"GET", "/%", 400},
		"a HEAD":                                      {"HEAD", "/", 200},
	} {
		got := s.visit(t, row.method, row.path, "", nil)
		if got.status != row.status {
			t.Errorf("%s: status %d, want %d", what, got.status, row.status)
		}
		wantHeaders(t, what, got)
	}
}

// usualHeaders are on every answer over HTTPS, once each.
var usualHeaders = map[string]string{
	"X-Content-Type-Options":    "nosniff",
	"X-Frame-Options":           "SAMEORIGIN",
	"Referrer-Policy":           "strict-origin-when-cross-origin",
	"Permissions-Policy":        "camera=(), geolocation=(), microphone=()",
	"Strict-Transport-Security": "max-age=31536000",
}

// wantUsual wants the status, and each of the usual headers once.
func wantUsual(t *testing.T, what string, got answer, status int) {
	t.Helper()
	if got.status != status {
		t.Errorf("%s: status %d, want %d", what, got.status, status)
	}
	for name, want := range usualHeaders {
		if values := got.header.Values(name); !slices.Equal(values, []string{want}) {
			t.Errorf("%s, status %d: %s is %q, want %q once", what, got.status, name, values, want)
		}
	}
}

func wantHeaders(t *testing.T, what string, got answer) {
	t.Helper()
	wantUsual(t, what, got, got.status)
	if strings.Contains(got.header.Get("Vary"), "Proto") {
		t.Errorf("%s: a cache would keep it for each scheme", what)
	}
	for _, name := range []string{"X-Powered-By", "X-Pingback"} {
		if value := got.header.Get(name); value != "" {
			t.Errorf("%s: %s tells %q", what, name, value)
		}
	}
	if server := got.header.Get("Server"); server != "Apache" {
		t.Errorf("%s: the server tells %q", what, server)
	}
}

// greedy is a plugin that lifts the limit, as WordPress itself does for administrators, and takes the memory that it is asked to.
const greedy = `<?php if (isset($_GET['take'])) { ini_set('memory_limit', '-1'); exit('took ' . strlen(str_repeat('x', (int) $_GET['take']))); }`

func (s *site) greedyRequestFails(t *testing.T) {
	folder := filepath.Join(s.content, "mu-plugins")
	noError(t, os.MkdirAll(folder, 0o755))
	noError(t, os.WriteFile(filepath.Join(folder, "greedy.php"), []byte(greedy), 0o644))
	const most = 256 << 20 // a third of what a pod of the development stack has
	if got := s.visit(t, "GET", fmt.Sprintf("/?take=%d", most/2), "", nil); !strings.Contains(got.body, fmt.Sprintf("took %d", most/2)) {
		t.Errorf("half of the limit: status %d, %q, want that it is given", got.status, tail(got.body, 10, 300))
	}
	if got := s.visit(t, "GET", fmt.Sprintf("/?take=%d", most), "", nil); got.status != http.StatusInternalServerError {
		t.Errorf("all of the limit: status %d, want 500", got.status)
	}
	if got := s.visit(t, "GET", "/readme.html", "", nil); got.status != http.StatusOK {
		t.Errorf("the next request: status %d", got.status)
	}
}

func (s *site) redirectStays(t *testing.T) {
	got := s.visit(t, "GET", "/wp-admin?a=b", "", nil)
	if want := "https://" + plannedHost + "/wp-admin/?a=b"; got.header.Get("Location") != want {
		t.Errorf("status %d, location %q, want %q", got.status, got.header.Get("Location"), want)
	}
}

func (s *site) httpsIsPromised(t *testing.T) {
	plain := s.send(t, "GET", "GET /readme.html HTTP/1.1\r\nHost: "+plannedHost+"\r\nX-Forwarded-Proto: http\r\n\r\n")
	if value := plain.header.Get("Strict-Transport-Security"); plain.status != http.StatusOK || value != "" {
		t.Errorf("plain http: status %d, Strict-Transport-Security %q, want none", plain.status, value)
	}
}

func (s *site) xmlrpcIsDenied(t *testing.T) {
	for _, path := range []string{"/xmlrpc.php", "//xmlrpc.php", "/xmlrpc.php/x", "/%78mlrpc.php", "/./xmlrpc.php", "/wp-content/../xmlrpc.php", "/xmlrpc.php?rsd"} {
		if got := s.visit(t, "POST", path, "<methodCall/>", nil); got.status != http.StatusForbidden {
			t.Errorf("%s: status %d, want 403", path, got.status)
		}
	}
	if got := s.visit(t, "GET", "/hello-world/", "", nil); got.status != http.StatusOK || !strings.Contains(got.body, "Hello world!") {
		t.Errorf("a post: status %d", got.status)
	} else {
		wantHeaders(t, "a post, which offers pingbacks", got)
	}
}

// apachePagesAreDenied leaves alone what a site may call its own pages: WordPress answers there, that it has none.
func (s *site) apachePagesAreDenied(t *testing.T) {
	for path, want := range map[string]int{
		"/server-status": http.StatusForbidden, "//server-status": http.StatusForbidden, "/server-status/x": http.StatusForbidden,
		"/server-status?auto": http.StatusForbidden, "/server-info": http.StatusForbidden, "/server-information/": http.StatusNotFound,
	} {
		if got := s.visit(t, "GET", path, "", nil); got.status != want {
			t.Errorf("%s: status %d, want %d", path, got.status, want)
		}
	}
}

func (s *site) loginHasOneSpelling(t *testing.T) {
	for path, want := range map[string]int{
		"/wp-login.php":                     200,
		"/wp-login.php?action=lostpassword": 200,
		"//wp-login.php":                    403,
		"/wp-login.php/":                    403,
		"/wp-login.php/x":                   403,
		"/./wp-login.php":                   403,
		"/wp-admin/../wp-login.php":         403,
		"/%77p-login.php":                   403,
		"/wp-login%2Ephp":                   403,
	} {
		for _, method := range []string{"GET", "POST"} {
			if got := s.visit(t, method, path, "", nil); got.status != want {
				t.Errorf("%s %s: status %d, want %d", method, path, got.status, want)
			}
		}
	}
}

func (s *site) uploadsAreNeverRun(t *testing.T) {
	for _, name := range uploads {
		for _, path := range []string{"/wp-content/uploads/" + name, "//wp-content//uploads/./" + name, "/wp-content/uploads/" + name + "/x"} {
			got := s.visit(t, "GET", path, "", nil)
			isPHP := !strings.HasSuffix(name, ".jpg")
			if strings.Contains(got.body, "hasrun") || isPHP && got.status != http.StatusForbidden {
				t.Errorf("%s: status %d:\n%s", path, got.status, tail(got.body, 3, 200))
			}
		}
	}
}

func (s *site) noFileIsEdited(t *testing.T) {
	login := s.postForm(t, "/wp-login.php", url.Values{
		"log": {"admin"}, "pwd": {adminPassword}, "testcookie": {"1"},
	}, http.Header{"Cookie": {"wordpress_test_cookie=WP Cookie check"}})
	response := http.Response{Header: login.header}
	var pairs []string
	for _, cookie := range response.Cookies() {
		pairs = append(pairs, cookie.Name+"="+cookie.Value)
	}
	cookies := http.Header{"Cookie": {strings.Join(pairs, "; ")}}
	if got := s.visit(t, "GET", "/wp-admin/plugins.php", "", cookies); got.status != http.StatusOK {
		t.Fatalf("log in: status %d, then %d", login.status, got.status)
	}
	for _, editor := range []string{"/wp-admin/plugin-editor.php", "/wp-admin/theme-editor.php"} {
		if got := s.visit(t, "GET", editor, "", cookies); got.status != http.StatusForbidden && !strings.Contains(got.body, "not allowed") {
			t.Errorf("%s: status %d", editor, got.status)
		}
	}
}
