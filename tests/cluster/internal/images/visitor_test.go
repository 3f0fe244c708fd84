package images

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// who tells what a program of the site is told about its visitor. WordPress itself is left out, and with it the database.
const who = `<?php
define('ABSPATH', '/who/');
require '/usr/src/wordpress/wp-config.php';
echo json_encode(array_filter($_SERVER, fn ($name) => $name === 'REMOTE_ADDR' || preg_match('/^HTTP_.*(FORWARDED|IP)/', $name)
	&& $name !== 'HTTP_X_FORWARDED_PROTO', ARRAY_FILTER_USE_KEY));
`

// The peers of the tests: one inside the networks that edgeHere puts in the place of the planned ones, and one outside.
const (
	edgeAddress     = "127.0.0.17"
	strangerAddress = "127.0.0.99"
)

// edgeHere has the networks of this machine's loopback for those of the planned edges.
var edgeHere = strings.NewReplacer("10.0.0.0/8", "127.0.0.16/28", "198.51.100.0/28", "127.0.0.16/28", "2001:db8:ed6e::/64", "::1/128")

// startVisited runs Apache and PHP with given files of a pod, and without WordPress.
func startVisited(t *testing.T, files map[string]string) (*site, *container) {
	t.Helper()
	s := &site{port: freePort(t)}
	settings := volume(t)
	noError(t, os.WriteFile(filepath.Join(settings, "wp-settings.php"), nil, 0o644))
	ports := strings.NewReplacer("8080", strconv.Itoa(s.port), "8081", strconv.Itoa(freePort(t)))
	c := start(t, spec{
		root:   unpack(t, "wordpress-7.1"),
		folder: "/usr/src/wordpress",
		memory: []string{"/tmp", "/run/apache2", "/run/lock"},
		volumes: map[string]string{
			"/usr/src/wordpress/who.php":       file(t, who),
			"/who":                             settings,
			"/usr/src/wordpress/wp-config.php": file(t, files["wp-config.php"]),
			"/etc/wordpress":                   mountedParts(t, files, ports),
			"/etc/apache2/ports.conf":          file(t, ports.Replace(files["ports.conf"])),
			"/etc/apache2/sites-available/000-default.conf": file(t, edgeHere.Replace(ports.Replace(files["site.conf"]))),
			"/etc/apache2/mods-available/headers.load":      file(t, "# loaded by the site\n"),
			"/usr/local/etc/php/conf.d/zz-wordpress.ini":    file(t, files["php.ini"]),
		},
		env: []string{
			"WORDPRESS_DB_HOST=none:1", "WORDPRESS_DB_USER=none", "WORDPRESS_DB_PASSWORD=none", "WORDPRESS_DB_NAME=none",
			"APACHE_CONFDIR=/etc/apache2", "APACHE_ENVVARS=/etc/apache2/envvars", "PHP_INI_SCAN_DIR=:/usr/local/etc/php/conf.d",
		},
		command: []string{"docker-entrypoint.sh", "apache2-foreground"},
	})
	c.await(t, "answer", func() bool {
		_, err := s.ask(strangerAddress, "/readme.html", nil)
		return err == nil
	})
	return s, c
}

// ask sends a request on a connection from an address of this machine.
func (s *site) ask(from, path string, header http.Header) (answer, error) {
	local := net.ParseIP(from)
	host := "127.0.0.1"
	if local.To4() == nil {
		host = "::1"
	}
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: local}}
	connection, err := dialer.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(s.port)))
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = connection.Close() }()
	request := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\n", path, plannedHost)
	for name, values := range header {
		for _, value := range values {
			request += name + ": " + value + "\r\n"
		}
	}
	if _, err := io.WriteString(connection, request+"\r\n"); err != nil {
		return answer{}, err
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(page)}, err
}

// visiting is one request and whom it is taken to come from.
type visiting struct {
	what, from string
	forwarded  []string // lines of X-Forwarded-For
	want       string
}

// What holds whatever is before the edge: only the edge is believed.
var anyEdge = []visiting{
	{"a stranger", strangerAddress, nil, strangerAddress},
	{"a stranger who forges", strangerAddress, []string{"203.0.113.7"}, strangerAddress},
	{"a stranger who forges a chain", strangerAddress, []string{"203.0.113.7, 203.0.113.8, 203.0.113.9, 203.0.113.10"}, strangerAddress},
	{"the edge for nobody", edgeAddress, nil, edgeAddress},
	{"nonsense", edgeAddress, []string{"unknown"}, edgeAddress},
	{"a line break's way into the log", edgeAddress, []string{`" 200 - "`}, edgeAddress},
}

// edges are what may be before the pods, by the number of proxies.
var edges = map[int][]visiting{
	0: {
		{"a visitor", edgeAddress, []string{"203.0.113.7"}, "203.0.113.7"},
		{"a visitor by IPv6", edgeAddress, []string{"2001:db8::7"}, "2001:db8::7"},
		{"a visitor of the company's network", edgeAddress, []string{"10.1.2.3"}, "10.1.2.3"},
		{"a visitor who forges", edgeAddress, []string{"198.51.100.66, 203.0.113.7"}, "203.0.113.7"},
		{"a visitor of the company's network who forges", edgeAddress, []string{"198.51.100.66, 10.1.2.3"}, "10.1.2.3"},
		{"a visitor from the edge's own network who forges", edgeAddress, []string{"198.51.100.66, 127.0.0.18"}, "127.0.0.18"},
		{"a visitor who forges in a line of its own", edgeAddress, []string{"198.51.100.66", "203.0.113.7"}, "203.0.113.7"},
		{"a load balancer that tells the port", edgeAddress, []string{"203.0.113.7:51234"}, "203.0.113.7"},
		{"a load balancer that tells the port, IPv6", edgeAddress, []string{"[2001:db8::7]:51234"}, "2001:db8::7"},
	},
	1: {
		{"a visitor", edgeAddress, []string{"203.0.113.7, 173.245.48.9"}, "203.0.113.7"},
		{"a private proxy", edgeAddress, []string{"203.0.113.7, 10.0.0.9"}, "203.0.113.7"},
		{"a visitor by IPv6", edgeAddress, []string{"2001:db8::7,2400:cb00::9"}, "2001:db8::7"},
		{"a visitor who forges", edgeAddress, []string{"198.51.100.66, 203.0.113.7, 173.245.48.9"}, "203.0.113.7"},
		{"a visitor of the company's network who forges", edgeAddress, []string{"198.51.100.66, 10.1.2.3, 173.245.48.9"}, "10.1.2.3"},
		{"a visitor who has come past the proxy", edgeAddress, []string{"203.0.113.7"}, "203.0.113.7"},
	},
	2: {
		{"a visitor", edgeAddress, []string{"203.0.113.7, 173.245.48.9, 10.0.0.9"}, "203.0.113.7"},
		{"a visitor who forges", edgeAddress, []string{"10.9.9.9, 198.51.100.66, 203.0.113.7, 173.245.48.9, 10.0.0.9"}, "203.0.113.7"},
		{"a visitor who has come past both proxies", edgeAddress, []string{"203.0.113.7"}, "203.0.113.7"},
	},
	3: {
		{"a visitor", edgeAddress, []string{"203.0.113.7, 173.245.48.9, 192.0.2.5, 10.0.0.9"}, "203.0.113.7"},
		{"a visitor who forges", edgeAddress, []string{"198.51.100.66, 203.0.113.7:80, [2400:cb00::9]:443, 192.0.2.5, 10.0.0.9"}, "203.0.113.7"},
	},
}

// forgeable are headers by which plugins find a visitor's address.
var forgeable = []string{
	"X-Real-IP", "CF-Connecting-IP", "Client-IP", "Forwarded", "Forwarded-For", "True-Client-IP", "X-Client-IP", "X-Cluster-Client-IP",
	"X-Forwarded",
}

// TestVisitorsAddress runs Apache with the planned files for edges of all kinds.
func TestVisitorsAddress(t *testing.T) {
	planned := plannedFiles(t)
	for proxies, rows := range edges {
		t.Run(fmt.Sprintf("%d proxies", proxies), func(t *testing.T) {
			files := map[string]string{}
			for name, text := range planned {
				files[name] = text
			}
			if proxies > 0 {
				files["site.conf"] = forwardedSite(t, proxies)
			}
			s, c := startVisited(t, files)
			for _, row := range append(rows, anyEdge...) {
				s.isVisitedBy(t, c, row)
			}
			if proxies > 0 {
				s.isVisitedBy(t, c, visiting{"an edge by IPv6", "::1", []string{"203.0.113.7" + strings.Repeat(", 10.0.0.9", proxies)}, "203.0.113.7"})
			}
		})
	}
}

// forwardedSite is the planned site.conf for so many proxies, made of the one for two.
func forwardedSite(t *testing.T, proxies int) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository(t), "tests", "testdata", "site-forwarded.golden.conf"))
	noError(t, err)
	const exactly, orFewer = "{2}", "{0,1}"
	if strings.Count(string(text), exactly) != 1 || strings.Count(string(text), orFewer) != 1 {
		t.Fatalf("the planned file does not pass over two proxies:\n%s", text)
	}
	return strings.NewReplacer(exactly, fmt.Sprintf("{%d}", proxies), orFewer, fmt.Sprintf("{0,%d}", proxies-1)).Replace(string(text))
}

func (s *site) isVisitedBy(t *testing.T, c *container, row visiting) {
	t.Helper()
	header := http.Header{}
	for _, name := range forgeable {
		header[name] = []string{"198.51.100.99"}
	}
	if row.forwarded != nil {
		header["X-Forwarded-For"] = row.forwarded
	}
	before := len(c.log.String())
	got, err := s.ask(row.from, "/who.php", header)
	noError(t, err)
	var told map[string]string
	if err := json.Unmarshal([]byte(got.body), &told); err != nil {
		t.Fatalf("%s: status %d: %s: %v", row.what, got.status, got.body, err)
	}
	for name, address := range told {
		if address != row.want {
			t.Errorf("%s: %s is %q, want %q", row.what, name, address, row.want)
		}
	}
	if told["REMOTE_ADDR"] == "" || told["HTTP_X_FORWARDED_FOR"] == "" {
		t.Errorf("%s: PHP is told %v", row.what, told)
	}
	_, err = s.ask(row.from, "/.htaccess", header)
	noError(t, err)
	var lines string
	c.await(t, "log of "+row.what, func() bool {
		lines = c.log.String()[before:]
		return strings.Contains(lines, "GET /who.php HTTP/1.1") && strings.Contains(lines, "GET /.htaccess HTTP/1.1")
	})
	if !strings.Contains(lines, "\n"+row.want+" - - [") && !strings.HasPrefix(lines, row.want+" - - [") {
		t.Errorf("%s: the access log does not begin with %s:\n%s", row.what, row.want, lines)
	}
	if !strings.Contains(lines, "[client "+row.want+"] AH01630") {
		t.Errorf("%s: the error log does not tell %s:\n%s", row.what, row.want, lines)
	}
	if strings.Contains(lines, "198.51.100.") {
		t.Errorf("%s: the logs hold what was forged:\n%s", row.what, lines)
	}
}

// TestLogsHoldNoKeys asks for addresses with keys in them, and comes from such ones.
func TestLogsHoldNoKeys(t *testing.T) {
	const secret = "Zq3mKey"
	s, c := startVisited(t, plannedFiles(t))
	for i, path := range []string{
		"/who.php?action=rp&key=" + secret + "&login=admin", "/?rest_route=/wp/v2/posts&_wpnonce=" + secret, "/none-such.txt?" + secret,
		"/.htaccess?key=" + secret, "/wp-admin?key=" + secret, "/xmlrpc.php?key=" + secret, "/who.php?a=%22&key=" + secret,
	} {
		_, err := s.ask(edgeAddress, path, http.Header{
			"Referer": {fmt.Sprintf("https://%s/from-%d/?action=rp&key=%s", plannedHost, i, secret)}, "X-Forwarded-For": {"203.0.113.7"},
		})
		noError(t, err)
		c.await(t, "log of "+path, func() bool {
			return strings.Contains(c.log.String(), fmt.Sprintf("\"https://%s/from-%d/\"", plannedHost, i))
		})
	}
	if log := c.log.String(); strings.Contains(log, secret) {
		t.Errorf("a key is in the log:\n%s", log)
	}
	if !strings.Contains(c.log.String(), `"GET /who.php HTTP/1.1"`) {
		t.Errorf("the log does not tell what was asked for:\n%s", c.log)
	}
}

// TestPodRefusesBodiesThatTheEdgeDoesNotBuffer asks a pod as Traefik does for visitors who send a body where none belongs.
func TestPodRefusesBodiesThatTheEdgeDoesNotBuffer(t *testing.T) {
	s, _ := startVisited(t, plannedFiles(t))
	for _, row := range []struct {
		what, head string
		want       int
	}{
		{"GET without a body", "GET /who.php", http.StatusOK},
		{"GET with an empty body", "GET /who.php|Content-Length: 0", http.StatusOK},
		{"GET with a body", "GET /who.php|Content-Length: 100000", http.StatusBadRequest},
		{"GET with a body in chunks", "GET /who.php|Transfer-Encoding: chunked", http.StatusBadRequest},
		{"HEAD with a body", "HEAD /who.php|Content-Length: 1", http.StatusBadRequest},
		{"GET of a file with a body", "GET /readme.html|Content-Length: 100000", http.StatusBadRequest},
		{"POST to a program", "POST /who.php|Content-Length: 0", http.StatusOK},
		{"POST to a file", "POST /readme.html|Content-Length: 0", http.StatusForbidden},
		{"PUT to a file", "PUT /wp-includes/images/blank.gif|Content-Length: 0", http.StatusForbidden},
		{"OPTIONS of a file", "OPTIONS /readme.html|Content-Length: 0", http.StatusOK},
		{"a file", "GET /readme.html", http.StatusOK},
	} {
		request, header, _ := strings.Cut(row.head, "|")
		began := time.Now()
		// The body never comes.
		got := s.send(t, strings.Fields(request)[0], request+" HTTP/1.1\r\nHost: "+plannedHost+"\r\n"+header+strings.Repeat("\r\n", min(len(header), 1))+"\r\n")
		if got.status != row.want || time.Since(began) > 5*time.Second {
			t.Errorf("%s: status %d after %s, want %d", row.what, got.status, time.Since(began), row.want)
		}
	}
}
