package images

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// asking is a plugin that asks for what it is told to by WordPress's own means, and tells what came of it; and one that tells what it was
// asked.
const asking = `<?php
if (isset($_GET['told'])) { exit(json_encode(['process' => getmypid(), 'method' => $_SERVER['REQUEST_METHOD'], 'host' => $_SERVER['HTTP_HOST'],
	'https' => is_ssl(), 'cookies' => $_COOKIE, 'form' => $_POST, 'address' => $_SERVER['REMOTE_ADDR']])); }
add_action('init', function () {
	if (isset($_GET['lead'])) { wp_redirect($_GET['lead'], 302); exit; }
	if (!isset($_GET['ask'])) { return; }
	$begin = microtime(true);
	$answer = ($_GET['by'] ?? 'wp_remote_request')(wp_unslash($_GET['ask']), json_decode(wp_unslash($_GET['with'] ?? '{}'), true));
	$failed = is_wp_error($answer);
	exit(json_encode(['process' => getmypid(), 'seconds' => microtime(true) - $begin, 'error' => $failed ? $answer->get_error_message() : '',
		'status' => $failed ? 0 : (int) wp_remote_retrieve_response_code($answer), 'body' => $failed ? '' : wp_remote_retrieve_body($answer),
		'file' => $failed || !($answer['filename'] ?? '') ? '' : file_get_contents($answer['filename'])]));
});
`

// asked is what came of a request that WordPress made.
type asked struct {
	Process           int
	Seconds           float64
	Error, Body, File string
	Status            int
}

func (s *site) askFor(t *testing.T, address string, with string, more string) (found asked) {
	t.Helper()
	got := s.visit(t, http.MethodGet, "/?ask="+url.QueryEscape(address)+"&with="+url.QueryEscape(with)+more, "", nil)
	if err := json.Unmarshal([]byte(got.body), &found); err != nil {
		t.Fatalf("%s: status %d: %v:\n%s", address, got.status, err, tail(got.body, 5, 300))
	}
	return found
}

// TestWordPressAsks has WordPress ask itself and others, with one database for all pods of the test.
func TestWordPressAsks(t *testing.T) {
	m := newMySQL(t)
	unpack(t, "wordpress-7.1")
	m.awaitReady(t, m.start(t))
	t.Run("itself", func(t *testing.T) { requestsToItselfStayInThePod(t, newAskingSite(t, m, nil)) })
	t.Run("what is let out", func(t *testing.T) { whatIsLetOutIsAsked(t, m) })
	t.Run("itself with all processes at once", func(t *testing.T) { requestsNeverTakeAllProcesses(t, m) })
}

// newAskingSite is installed and has the plugin; alter changes the files that the program mounts.
func newAskingSite(t *testing.T, m *mysql, alter func(planned map[string]string)) *site {
	t.Helper()
	root := unpack(t, "wordpress-7.1")
	s := newSite(t, m)
	noError(t, os.CopyFS(s.content, os.DirFS(filepath.Join(root, "usr/src/wordpress/wp-content"))))
	s.put(t, "mu-plugins/asking.php", asking)
	for i, setting := range s.env {
		if strings.HasPrefix(setting, "WORDPRESS_CONFIG_EXTRA=") {
			s.env[i] = "WORDPRESS_CONFIG_EXTRA=define('DISABLE_WP_CRON', true);"
		}
	}
	planned := plannedFiles(t)
	if alter != nil {
		alter(planned)
	}
	s.installPlanned(t, root)
	s.startFiles(t, root, planned)
	return s
}

// home is the site's own public address, which leads nowhere here.
const home = "https://" + plannedHost

// requestsToItselfStayInThePod asks for the site's own public address.
func requestsToItselfStayInThePod(t *testing.T, s *site) {
	t.Helper()
	t.Run("by every spelling of its address", s.everySpellingIsItself)
	t.Run("with form, cookies and method", s.formsAreKept)
	t.Run("in every way to ask", s.everyWayIsLed)
	t.Run("nothing else is let out", s.nothingElseIsLetOut)
}

// told is what the site was asked.
type told struct {
	Process               int
	Method, Host, Address string
	HTTPS                 bool
	Cookies, Form         map[string]string
}

// itself wants that the same pod was asked, by its public name and over HTTPS.
func (s *site) itself(t *testing.T, found asked) (what told) {
	t.Helper()
	if err := json.Unmarshal([]byte(strings.ReplaceAll(found.Body, "[]", "{}")), &what); err != nil || found.Status != http.StatusOK {
		t.Fatalf("%+v: %v", found, err)
	}
	isHere := what.Address == "127.0.0.1" || what.Address == "::1"
	if what.Host != plannedHost || what.Process == found.Process || !isHere || !what.HTTPS {
		t.Errorf("%+v", what)
	}
	return what
}

func (s *site) everySpellingIsItself(t *testing.T) {
	for _, address := range []string{
		home + "/?told", home + "?told", home + ":443/?told", home + "/?told=1#x", home + "/wp-login.php?told",
		"http://" + plannedHost + "/?told",
	} {
		s.itself(t, s.askFor(t, address, `{}`, ""))
	}
}

func (s *site) formsAreKept(t *testing.T) {
	what := s.itself(t, s.askFor(t, home+"/?told", `{"method":"POST","body":{"a":"b c"},"cookies":{"who":"ann"}}`, ""))
	if what.Method != http.MethodPost || what.Form["a"] != "b c" || what.Cookies["who"] != "ann" {
		t.Errorf("%+v", what)
	}
}

func (s *site) everyWayIsLed(t *testing.T) {
	s.itself(t, s.askFor(t, home+"/?told", `{}`, "&by=wp_safe_remote_get"))
	for _, lead := range []string{home + "/?told", "/?told", "http://" + plannedHost + "/?told"} {
		s.itself(t, s.askFor(t, home+"/?lead="+url.QueryEscape(lead), `{}`, ""))
	}
	if found := s.askFor(t, home+"/readme.html", `{"stream":true}`, ""); !strings.Contains(found.File, "WordPress") {
		t.Errorf("into a file: %+v", found)
	}
	if found := s.askFor(t, home+"/?told", `{"blocking":false,"timeout":0.01}`, ""); found.Error != "" || found.Seconds > 1.5 {
		t.Errorf("without waiting: %+v", found)
	}
	if found := s.askFor(t, home+"/?rest_route=/wp/v2/types/post", `{}`, ""); found.Status != http.StatusOK || !strings.Contains(found.Body, "slug") {
		t.Errorf("the REST interface: %+v", found)
	}
}

func (s *site) nothingElseIsLetOut(t *testing.T) {
	for _, address := range []string{"https://api.wordpress.org/", "http://127.0.0.1:1/", home + ".example.com/"} {
		if found := s.askFor(t, address, `{}`, ""); !strings.Contains(found.Error, "blocked") || found.Seconds > 0.5 {
			t.Errorf("%s: %+v", address, found)
		}
	}
}

// whatIsLetOutIsAsked has WordPress ask servers of which the network lets out to one port alone.
func whatIsLetOutIsAsked(t *testing.T, m *mysql) {
	t.Helper()
	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "host %s, scheme %q", r.Host, r.Header.Get("X-Forwarded-Proto"))
	}))
	defer outside.Close()
	_, port, err := net.SplitHostPort(outside.Listener.Addr().String())
	noError(t, err)
	s := newAskingSite(t, m, func(planned map[string]string) {
		planned["wp-config.php"] = strings.Replace(planned["wp-config.php"], "define('WP_HTTP_BLOCK_EXTERNAL', true);", "", 1)
		planned["requests.php"] = strings.Replace(planned["requests.php"], "$open = null;", "$open = ["+port+"];", 1)
	})
	lead := "https://" + plannedHost + "/?lead=" + url.QueryEscape(outside.URL)
	for what, address := range map[string]string{"straight": outside.URL, "by a redirect of the site": lead} {
		if found := s.askFor(t, address, `{}`, ""); found.Body != fmt.Sprintf("host 127.0.0.1:%s, scheme %q", port, "") {
			t.Errorf("%s: %+v", what, found)
		}
	}
	for _, address := range []string{"https://127.0.0.1/", "http://127.0.0.1:1/", "https://" + plannedHost + ":8443/"} {
		if found := s.askFor(t, address, `{}`, ""); !strings.Contains(found.Error, "network.egress does not have it") || found.Seconds > 0.5 {
			t.Errorf("%s: %+v", address, found)
		}
	}
}

// requestsNeverTakeAllProcesses has four times as many requests as a pod has processes wait for an answer of the same pod.
func requestsNeverTakeAllProcesses(t *testing.T, m *mysql) {
	t.Helper()
	slots := regexp.MustCompile(`\$slot <= (\d+)`)
	planned := slots.FindStringSubmatch(plannedFiles(t)["requests.php"])
	// All but one process may wait, and what waits is answered.
	waiting, err := strconv.Atoi(planned[1])
	noError(t, err)
	for name, row := range map[string]struct {
		alter func(map[string]string)
		holds bool
	}{
		"as planned": {nil, true},
		"without locks, which must be noticed": {func(planned map[string]string) {
			planned["requests.php"] = slots.ReplaceAllString(planned["requests.php"], "$$slot <= 1000")
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newAskingSite(t, m, row.alter)
			const timeout = 20
			found := s.askAtOnce(t, 4*(waiting+1), fmt.Sprintf(`{"timeout":%d}`, timeout))
			var slowest float64
			failed, refused := 0, 0
			for _, one := range found {
				slowest = max(slowest, one.Seconds)
				switch {
				case strings.Contains(one.Error, "All other processes"):
					refused++
				case one.Error != "" || one.Status != http.StatusOK:
					failed++
				}
			}
			t.Logf("of %d: %d refused, %d failed, the slowest took %.1f s", len(found), refused, failed, slowest)
			if held := failed == 0 && len(found)-refused >= waiting && slowest < timeout; held != row.holds {
				t.Errorf("held: %t, want %t", held, row.holds)
			}
		})
	}
}

func (s *site) askAtOnce(t *testing.T, count int, with string) []asked {
	t.Helper()
	var ready, done sync.WaitGroup
	found := make([]asked, count)
	begin := make(chan struct{})
	for i := range count {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-begin
			found[i] = s.askFor(t, "https://"+plannedHost+"/?told", with, "")
		})
	}
	ready.Wait()
	close(begin)
	done.Wait()
	return found
}
