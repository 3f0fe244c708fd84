package images

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
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
	s.put(t, "plugins/marker/marker.php", "<?php\n/* Plugin Name: Marker */\nadd_action('wp_head', fn () => print('<!-- the marker -->'));\n")
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

// TestCachedSiteShowsChangesAtOnce makes every kind of change, and looks at pages that were kept.
func TestCachedSiteShowsChangesAtOnce(t *testing.T) {
	s, c := startCachedSite(t)
	const administrator, nobody = 1, 0
	post := strings.TrimSpace(c.change(t, administrator, `
		for ($i = 1; $i <= 12; $i++) wp_insert_post(['post_title' => "Filler $i", 'post_content' => 'x', 'post_status' => 'publish']);
		return wp_insert_post(['post_title' => 'First', 'post_name' => 'first', 'post_content' => 'x', 'post_status' => 'publish', 'comment_status' => 'open']);`))
	kept := []string{"/", "/page/2/", "/feed/", "/first/", "/category/uncategorized/", "/hello-world/"}
	scheduled := strings.TrimSpace(c.change(t, administrator, `return wp_insert_post(['post_title' => 'Scheduled', 'post_status' => 'future',
		'post_date' => gmdate('Y-m-d H:i:s', time() + 3600)]);`))
	comment := strings.TrimSpace(c.change(t, nobody, `return wp_insert_comment(['comment_post_ID' => `+post+`, 'comment_content' => 'A loud opinion', 'comment_author' => 'Ann', 'comment_approved' => 0]);`))
	for _, one := range []struct {
		what, php, path, shown string
		user                   int
		isGone                 bool
	}{
		{"published", `wp_insert_post(['post_title' => 'Fresh news', 'post_content' => 'x', 'post_status' => 'publish']);`, "/", "Fresh news", administrator, false},
		{"published, in the feed", `wp_insert_post(['post_title' => 'Fed news', 'post_content' => 'x', 'post_status' => 'publish']);`, "/feed/", "Fed news", administrator, false},
		{"published, on the second page", `for ($i = 0; $i < 10; $i++) wp_insert_post(['post_title' => "Later $i", 'post_content' => 'x', 'post_status' => 'publish']);`, "/page/2/", "Fresh news", administrator, false},
		{"edited", `wp_update_post(['ID' => ` + post + `, 'post_title' => 'Second thoughts']);`, "/first/", "Second thoughts", administrator, false},
		{"scheduled", `wp_publish_post(` + scheduled + `);`, "/", "Scheduled", nobody, false},
		{"comment approved", `wp_set_comment_status(` + comment + `, 'approve');`, "/first/", "A loud opinion", administrator, false},
		{"comment edited", `wp_update_comment(['comment_ID' => ` + comment + `, 'comment_content' => 'A quiet opinion']);`, "/first/", "A quiet opinion", administrator, false},
		{"comment taken for spam", `wp_spam_comment(` + comment + `);`, "/first/", "A quiet opinion", administrator, true},
		{"comment of a visitor", `wp_new_comment(['comment_post_ID' => ` + post + `, 'comment_content' => 'A third opinion', 'comment_author' => 'Bob',
			'comment_author_email' => 'bob@example.com', 'comment_author_url' => '', 'comment_type' => 'comment', 'user_id' => 1]);`, "/first/", "A third opinion", administrator, false},
		{"term renamed", `wp_update_term(1, 'category', ['name' => 'Sorted']);`, "/category/uncategorized/", "Sorted", administrator, false},
		{"navigation", `wp_insert_post(['post_type' => 'wp_navigation', 'post_status' => 'publish', 'post_title' => 'Main',
			'post_content' => '<!-- wp:navigation-link {"label":"The way out","url":"/x"} /-->']);`, "/", "The way out", administrator, false},
		{"template part", `$id = wp_insert_post(['post_type' => 'wp_template_part', 'post_status' => 'publish', 'post_name' => 'footer', 'post_title' => 'Footer',
			'post_content' => '<!-- wp:paragraph --><p>The new footer</p><!-- /wp:paragraph -->']);
			wp_set_object_terms($id, 'twentytwentyfive', 'wp_theme'); wp_set_object_terms($id, 'footer', 'wp_template_part_area');`, "/", "The new footer", administrator, false},
		{"option", `update_option('blogname', 'Another name');`, "/hello-world/", "Another name", nobody, false},
		{"option of a plugin", `update_option('some_plugin', '1');`, "/", "", administrator, false},
		{"author", `wp_update_user(['ID' => 1, 'display_name' => 'Ann Author']);`, "/hello-world/", "Ann Author", administrator, false},
		{"plugin on", `activate_plugin('marker/marker.php');`, "/", "the marker", administrator, false},
		{"plugin off", `deactivate_plugins('marker/marker.php');`, "/", "the marker", administrator, true},
		{"password", `wp_update_post(['ID' => ` + post + `, 'post_password' => 'secret']);`, "/first/", "post_password", administrator, false},
		{"password taken away", `wp_update_post(['ID' => ` + post + `, 'post_password' => '']);`, "/first/", "post_password", administrator, true},
		{"unpublished", `wp_update_post(['ID' => ` + post + `, 'post_status' => 'draft']);`, "/first/", "Second thoughts", administrator, true},
		{"published again, by another address", `wp_update_post(['ID' => ` + post + `, 'post_status' => 'publish', 'post_name' => 'second']);`, "/second/", "Second thoughts", administrator, false},
		{"in the trash", `wp_trash_post(` + post + `);`, "/second/", "Second thoughts", administrator, true},
		{"out of the trash", `wp_untrash_post(` + post + `); wp_publish_post(` + post + `);`, "/second/", "Second thoughts", administrator, false},
		{"deleted", `wp_delete_post(` + post + `, true);`, "/second/", "Second thoughts", administrator, true},
		{"theme", `switch_theme('another');`, "/", "/themes/another/", administrator, false},
	} {
		for _, path := range append([]string{one.path}, kept...) {
			c.get(t, path, nil)
		}
		before := c.get(t, one.path, nil)
		if isForm := strings.Contains(before.body, "post_password"); before.status == http.StatusOK && !isForm && before.header.Get("Cache-Status") != "wordpress; hit" {
			t.Errorf("%s: %s is not kept before: %s", one.what, one.path, before.header.Get("Cache-Status"))
		}
		if one.shown != "" && strings.Contains(before.body, one.shown) != one.isGone {
			t.Errorf("%s: %s shows %q already: %v", one.what, one.path, one.shown, !one.isGone)
		}
		c.change(t, one.user, one.php)
		after := c.get(t, one.path, nil)
		if after.header.Get("Cache-Status") == "wordpress; hit" || one.shown != "" && strings.Contains(after.body, one.shown) == one.isGone {
			t.Errorf("%s: %s is as it was: %s", one.what, one.path, after.header.Get("Cache-Status"))
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
