package images

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// changing runs what the test posts, as the administrator or, as scheduled tasks do, as nobody.
const changing = `<?php
add_action('init', function () {
	if (isset($_POST['php'])) {
		require_once ABSPATH . 'wp-admin/includes/admin.php';
		wp_set_current_user((int) $_POST['user']);
		exit((string) eval(wp_unslash($_POST['php'])));
	}
}, 99);
`

// startCachedSite runs MySQL, a pod of WordPress and one of the cache, all with the planned files.
func startCachedSite(t *testing.T) (*site, *plannedCache) {
	t.Helper()
	root := unpack(t, "wordpress-7.1")
	s := newInstaller(t, root)
	c := &plannedCache{site: site{port: freePort(t)}, purgePort: freePort(t)}
	// The ports of the planned files are replaced once more when they are mounted.
	for strings.Contains(strconv.Itoa(c.purgePort), "808") {
		c.purgePort = freePort(t)
	}
	s.put(t, "mu-plugins/changing.php", changing)
	s.put(t, "plugins/marker/marker.php", readChanges(t, nil).Plugin)
	noError(t, os.CopyFS(filepath.Join(s.content, "themes", "another"), os.DirFS(filepath.Join(s.content, "themes", "twentytwentyfive"))))
	for i, setting := range s.env {
		if strings.HasPrefix(setting, "WORDPRESS_CONFIG_EXTRA=") {
			s.env[i] = "WORDPRESS_CONFIG_EXTRA=define('DISABLE_WP_CRON', true);"
		}
	}
	s.installPlanned(t, root)
	planned := plannedIn(t, "dev", "site.conf")
	planned["cache.php"] = strings.NewReplacer("'wordpress-cache'", "'127.0.0.1'", "8081", strconv.Itoa(c.purgePort)).Replace(planned["cache.php"])
	s.startFiles(t, root, planned)
	c.begin(t, strconv.Itoa(s.port), "NONCE-salt", asPlanned)
	return s, c
}

// change runs PHP by a request through the cache.
func (c *plannedCache) change(t *testing.T, user int, php string) string {
	t.Helper()
	form := url.Values{"php": {php}, "user": {strconv.Itoa(user)}}
	got := c.ask(t, http.MethodPost, "/", form.Encode(), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
	if got.status != http.StatusOK {
		t.Fatalf("%s: status %d: %s", php, got.status, tail(got.body, 5, 300))
	}
	return got.body
}

// changes are every kind of change that visitors see, as the file says that the cluster's tests share.
type changes struct {
	Plugin, Prepare, Restore string
	Kept                     []string
	Changes                  []struct {
		What, PHP, Path, Shown string
		User                   int
		Gone                   bool
	}
}

// readChanges has the names in the file replaced by what stands for them.
func readChanges(t *testing.T, names *strings.Replacer) (all changes) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository(t), "tests", "testdata", "changes.yaml"))
	noError(t, err)
	if names != nil {
		text = []byte(names.Replace(string(text)))
	}
	noError(t, yaml.UnmarshalStrict(text, &all))
	return all
}

// TestCachedSiteShowsChangesAtOnce makes every kind of change, and looks at pages that were kept.
func TestCachedSiteShowsChangesAtOnce(t *testing.T) {
	s, c := startCachedSite(t)
	const administrator, nobody = 1, 0
	made := strings.Fields(c.change(t, administrator, readChanges(t, strings.NewReplacer("{round}", "1")).Prepare))
	all := readChanges(t, strings.NewReplacer("{round}", "1", "{post}", made[0], "{scheduled}", made[1], "{comment}", made[2]))
	for _, one := range all.Changes {
		for _, path := range append([]string{one.Path}, all.Kept...) {
			c.get(t, path, nil)
		}
		before := c.get(t, one.Path, nil)
		if isForm := strings.Contains(before.body, "post_password"); before.status == http.StatusOK && !isForm && before.header.Get("Cache-Status") != "wordpress; hit" {
			t.Errorf("%s: %s is not kept before: %s", one.What, one.Path, before.header.Get("Cache-Status"))
		}
		if strings.Contains(before.body, one.Shown) != one.Gone {
			t.Errorf("%s: %s shows %q already: %v", one.What, one.Path, one.Shown, !one.Gone)
		}
		c.change(t, one.User, one.PHP)
		after := c.get(t, one.Path, nil)
		if after.header.Get("Cache-Status") == "wordpress; hit" || strings.Contains(after.body, one.Shown) == one.Gone {
			t.Errorf("%s: %s is as it was: %s", one.What, one.Path, after.header.Get("Cache-Status"))
		}
	}
	t.Run("what changes all the time changes nothing", func(t *testing.T) {
		c.get(t, "/", nil)
		for _, php := range []string{
			`update_option('visits', rand());`, `update_post_meta(1, 'views', rand());`, `set_transient('x', rand());`,
			`wp_insert_post(['post_title' => 'Draft', 'post_status' => 'draft']);`, `wp_insert_comment(['comment_post_ID' => 1, 'comment_content' => 'x', 'comment_approved' => 0]);`,
			`update_user_meta(1, 'session', rand());`,
		} {
			c.change(t, nobody, php)
			if got := c.get(t, "/", nil); got.header.Get("Cache-Status") != "wordpress; hit" {
				t.Errorf("%s: %s", php, got.header.Get("Cache-Status"))
			}
		}
	})
	t.Run("nobody sees what is for others", func(t *testing.T) { c.keepsVisitorsApart(t, s) })
	t.Run("files", func(t *testing.T) { c.keepsFiles(t, s) })
	t.Run("files that a browser has", s.filesAreKeptByBrowsers)
}

// keepsVisitorsApart has an administrator, somebody who knows a password, and everybody else visit the same pages in turn.
func (c *plannedCache) keepsVisitorsApart(t *testing.T, s *site) {
	c.change(t, 1, `wp_insert_post(['post_title' => 'Sealed', 'post_name' => 'sealed', 'post_content' => 'What nobody knows', 'post_status' => 'publish', 'post_password' => 'secret']);`)
	cookies := func(response answer) string {
		var list []string
		for _, cookie := range response.header["Set-Cookie"] {
			pair, _, _ := strings.Cut(cookie, ";")
			list = append(list, pair)
		}
		return strings.Join(list, "; ")
	}
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Cookie": {"wordpress_test_cookie=WP+Cookie+check"}}
	login := c.ask(t, http.MethodPost, "/wp-login.php", url.Values{"log": {"admin"}, "pwd": {adminPassword}, "testcookie": {"1"}}.Encode(), form)
	knows := c.ask(t, http.MethodPost, "/wp-login.php?action=postpass", url.Values{"post_password": {"secret"}}.Encode(), form)
	administrator, reader := http.Header{"Cookie": {cookies(login)}}, http.Header{"Cookie": {cookies(knows)}}
	for range 3 {
		if got := c.get(t, "/hello-world/", administrator); !strings.Contains(got.body, `id="wpadminbar"`) {
			t.Errorf("the administrator sees a page without his bar: status %d", got.status)
		}
		if got := c.get(t, "/hello-world/", nil); strings.Contains(got.body, "wpadminbar") {
			t.Error("everybody sees the administrator's bar")
		}
		if got := c.get(t, "/sealed/", reader); !strings.Contains(got.body, "What nobody knows") {
			t.Errorf("who knows the password does not see the text: status %d", got.status)
		}
		if got := c.get(t, "/sealed/", nil); strings.Contains(got.body, "What nobody knows") || got.header.Get("Cache-Status") == "wordpress; hit" {
			t.Errorf("everybody sees the sealed text, or its form is kept: %s", got.header.Get("Cache-Status"))
		}
	}
	for _, path := range []string{"/?s=hello", "/none/", "/wp-json/wp/v2/posts", "/wp-login.php", "/xmlrpc.php", "/.git/config", "/wp-config.php"} {
		c.get(t, path, nil)
		if got := c.get(t, path, nil); got.header.Get("Cache-Status") == "wordpress; hit" {
			t.Errorf("%s is kept", path)
		}
	}
	if got := c.get(t, "/", nil); got.header.Get("X-Accel-Expires") != "" || got.header.Get("Cache-Control") != "no-cache" {
		t.Errorf("visitors are told %v", got.header)
	}
	// Past the cache nobody is told that a page may be kept.
	if got := s.visit(t, http.MethodGet, "/", "", nil); strings.Contains(got.header.Get("Cache-Control"), "stale") || got.header.Get("X-Accel-Expires") != "" {
		t.Errorf("past the cache: %v", got.header)
	}
}

// keepsFiles asks for files that anybody may see, and for those of which an .htaccess says who may.
func (c *plannedCache) keepsFiles(t *testing.T, s *site) {
	s.put(t, "uploads/2026/a.txt", "for everybody")
	s.put(t, "uploads/members/deep/b.txt", "for some")
	s.put(t, "uploads/members/.htaccess", "SetEnvIf Remote_Addr . LET_IN\nRequire env LET_IN\n")
	for path, isKept := range map[string]bool{
		"/wp-includes/css/dist/block-library/style.min.css": true,
		"/wp-includes/js/jquery/jquery.min.js?ver=3.7.1":    true,
		"/wp-content/uploads/2026/a.txt":                    true,
		"/wp-content/uploads/members/deep/b.txt":            false,
		"/wp-content/themes/twentytwentyfive/style.css":     true,
		"/wp-content/uploads/none.css":                      false,
	} {
		first := c.get(t, path, nil)
		if strings.HasSuffix(path, "/none.css") && (first.status != http.StatusNotFound || strings.Contains(first.body, "wp-block")) {
			t.Errorf("%s: status %d, and WordPress has made a page for it", path, first.status)
		}
		if got := c.get(t, path, nil); (got.header.Get("Cache-Status") == "wordpress; hit") != isKept || first.body != got.body {
			t.Errorf("%s: status %d, %s, want it kept: %v", path, got.status, got.header.Get("Cache-Status"), isKept)
		}
	}
}

// filesAreKeptByBrowsers asks for a file as a browser does that has it, compressed.
func (s *site) filesAreKeptByBrowsers(t *testing.T) {
	const path = "/wp-includes/css/dist/block-library/style.min.css?ver=1"
	zipped := http.Header{"Accept-Encoding": {"gzip"}}
	first := s.visit(t, http.MethodGet, path, "", zipped)
	if first.header.Get("Content-Encoding") != "gzip" || first.header.Get("Cache-Control") != "public, max-age=3600" || first.header.Get("Etag") == "" {
		t.Errorf("a file comes with %v", first.header)
	}
	zipped.Set("If-None-Match", first.header.Get("Etag"))
	if again := s.visit(t, http.MethodGet, path, "", zipped); again.status != http.StatusNotModified {
		t.Errorf("whoever has the file is answered %d", again.status)
	}
}
