package images

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// making is a plugin that writes down for whom it makes pages that pods ask themselves for, and how it does that.
const making = `<?php
add_action('init', function () {
	if (($_SERVER['HTTP_USER_AGENT'] ?? '') === 'startup') {
		file_put_contents(WP_CONTENT_DIR . '/made', json_encode([$_SERVER['HTTP_HOST'], is_ssl(), $_SERVER['REQUEST_URI']]) . "\n", FILE_APPEND);
		%s
	}
});
`

// untilGo has a page wait for a file.
const untilGo = `while (!file_exists(WP_CONTENT_DIR . '/go')) { usleep(10000); clearstatcache(); }`

// compiled tells how many of WordPress's files the opcode cache holds.
const compiled = `<?php
echo count(preg_grep('#^/usr/src/wordpress/wp-includes/#', array_keys(opcache_get_status()['scripts'] ?? [])));
`

// TestPodCountsOnceAPageIsMade starts pods, each with another front page, and asks them as the kubelet does.
func TestPodCountsOnceAPageIsMade(t *testing.T) {
	root := unpack(t, "wordpress-7.1")
	m := newMySQL(t)
	m.awaitReady(t, m.start(t))
	newStarting(t, m, root, "").installPlanned(t, root)

	t.Run("one page and no other", func(t *testing.T) { startsWithOnePage(t, newStarting(t, m, root, ""), root) })
	for what, how := range map[string]string{
		"an error":   `http_response_code(500); exit;`,
		"a redirect": `wp_redirect('/elsewhere'); exit;`,
	} {
		t.Run(what+" is a page", func(t *testing.T) {
			s := newStarting(t, m, root, how)
			s.startFiles(t, root, unhurried(t))
			if status := s.startup(t); status != http.StatusNoContent || len(s.made(t)) != 1 {
				t.Errorf("status %d after the pages %q", status, s.made(t))
			}
		})
	}
	t.Run("one at a time", func(t *testing.T) { startsWithOneTryAtATime(t, newStarting(t, m, root, untilGo), root) })
	t.Run("a page that never comes", func(t *testing.T) { startsWithoutAPage(t, newStarting(t, m, root, `sleep(60);`), root) })
}

func newStarting(t *testing.T, m *mysql, root, how string) *site {
	t.Helper()
	s := newSite(t, m)
	noError(t, os.CopyFS(s.content, os.DirFS(filepath.Join(root, "usr/src/wordpress/wp-content"))))
	s.put(t, "mu-plugins/making.php", fmt.Sprintf(making, how))
	s.put(t, "compiled.php", compiled)
	s.put(t, "made", "")
	noError(t, os.Chmod(filepath.Join(s.content, "made"), 0o666)) // pods have another user
	return s
}

// startup asks the pod as its startup probe does.
func (s *site) startup(t *testing.T) int {
	t.Helper()
	response, err := s.client.Get(fmt.Sprintf("http://127.0.0.1:%d/startup.php", s.probePort))
	noError(t, err)
	noError(t, response.Body.Close())
	return response.StatusCode
}

func (s *site) made(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.content, "made"))
	noError(t, err)
	return strings.Fields(string(text))
}

// compiledFiles asks past WordPress.
func (s *site) compiledFiles(t *testing.T) int {
	t.Helper()
	got := s.visit(t, http.MethodGet, "/wp-content/compiled.php", "", nil)
	count, err := strconv.Atoi(got.body)
	if err != nil {
		t.Fatalf("status %d: %s", got.status, tail(got.body, 3, 200))
	}
	return count
}

// unhurried are the planned files with time enough for a page, however busy this machine is.
func unhurried(t *testing.T) map[string]string {
	t.Helper()
	planned := plannedFiles(t)
	text := strings.Replace(planned["startup.php"], "TRY_SECONDS = 3;", "TRY_SECONDS = 60;", 1)
	if text == planned["startup.php"] {
		t.Fatal("startup.php says nothing of the time")
	}
	planned["startup.php"] = text
	return planned
}

func startsWithOnePage(t *testing.T, s *site, root string) {
	t.Helper()
	const ofAPage = 200 // files, fewer than any page of WordPress takes
	c := s.startFiles(t, root, unhurried(t))
	if before := s.compiledFiles(t); before >= ofAPage {
		t.Fatalf("%d files are compiled before anybody asks: what the probe does would not be seen", before)
	}
	for range 3 {
		if status := s.startup(t); status != http.StatusNoContent {
			t.Errorf("status %d", status)
		}
	}
	if after := s.compiledFiles(t); after < ofAPage {
		t.Errorf("%d files are compiled when the pod counts", after)
	}
	if made, want := s.made(t), `["`+plannedHost+`",true,"\/"]`; len(made) != 1 || made[0] != want {
		t.Errorf("the pages that were made are %q, want %s", made, want)
	}

	// The log tells of visitors, whatever they call themselves, as far as they come from elsewhere.
	_, err := s.ask(strangerAddress, "/readme.html", http.Header{"User-Agent": {"startup"}})
	noError(t, err)
	c.await(t, "log of a visitor", func() bool { return strings.Contains(c.log.String(), strangerAddress+" - - [") })
	if strings.Contains(c.log.String(), `"GET / HTTP/1.1"`) {
		t.Errorf("the pod's own page is in the log of visitors:\n%s", c.log)
	}
}

func startsWithOneTryAtATime(t *testing.T, s *site, root string) {
	t.Helper()
	s.startFiles(t, root, unhurried(t))
	first := make(chan int)
	go func() { first <- s.startup(t) }()
	deadline := time.Now().Add(patience)
	for len(s.made(t)) == 0 && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	if status := s.startup(t); status != http.StatusServiceUnavailable {
		t.Errorf("status %d while the page is being made", status)
	}
	s.put(t, "go", "")
	if status := <-first; status != http.StatusNoContent {
		t.Errorf("status %d when the page is made", status)
	}
	if made := s.made(t); len(made) != 1 {
		t.Errorf("the pages that were made are %q", made)
	}
}

func startsWithoutAPage(t *testing.T, s *site, root string) {
	t.Helper()
	c := s.startFiles(t, root, plannedFiles(t))
	began := time.Now()
	for try := 1; try <= 12; try++ {
		want := http.StatusServiceUnavailable
		if try == 12 {
			want = http.StatusNoContent
		}
		if status := s.startup(t); status != want {
			t.Errorf("try %d: status %d, want %d", try, status, want)
		}
	}
	if took := time.Since(began); took > 40*time.Second {
		t.Errorf("the pod counts after %s", took)
	}
	// As many as leave a process of the fewest that a pod has by default.
	if made := len(s.made(t)); made < 1 || made > 4 {
		t.Errorf("%d pages are being made at the same time", made)
	}
	c.await(t, "reason", func() bool { return strings.Contains(c.log.String(), "startup: the front page was not made in time") })
}
