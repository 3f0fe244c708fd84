package images

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// site is WordPress under test, run as the program runs it: core from the image, wp-content on a volume, port and
// document root by mounted configuration.
type site struct {
	content   string // wp-content
	env       []string
	port      int
	probePort int
	client    *http.Client
}

func newSite(t *testing.T, m *mysql) *site {
	t.Helper()
	jar, err := cookiejar.New(nil)
	noError(t, err)
	s := &site{content: volume(t), port: freePort(t), client: &http.Client{Jar: jar, Timeout: patience}}
	s.env = []string{
		fmt.Sprintf("WORDPRESS_DB_HOST=127.0.0.1:%d", m.port),
		"WORDPRESS_DB_USER=word_press",
		"WORDPRESS_DB_PASSWORD_FILE=/run/secrets-password",
		"WORDPRESS_DB_NAME=word_press",
		"WORDPRESS_CONFIG_EXTRA=define('DISABLE_WP_CRON', true); define('WP_HTTP_BLOCK_EXTERNAL', true);",
		"APACHE_CONFDIR=/etc/apache2", "APACHE_ENVVARS=/etc/apache2/envvars", "PHP_INI_SCAN_DIR=:/usr/local/etc/php/conf.d",
	}
	for _, key := range []string{"AUTH", "SECURE_AUTH", "LOGGED_IN", "NONCE"} {
		s.env = append(s.env, "WORDPRESS_"+key+"_KEY="+key, "WORDPRESS_"+key+"_SALT="+key+"-salt")
	}
	return s
}

func (s *site) start(t *testing.T, root string) *container {
	t.Helper()
	c := start(t, spec{
		root:   root,
		folder: "/usr/src/wordpress",
		memory: []string{"/tmp", "/run/apache2", "/run/lock"},
		volumes: map[string]string{
			"/usr/src/wordpress/wp-content":               s.content,
			"/usr/src/wordpress/wp-config.php":            file(t, "<?php require __DIR__ . '/wp-config-docker.php';\n"),
			"/run/secrets-password":                       file(t, userPassword+"\n"),
			"/etc/apache2/ports.conf":                     file(t, fmt.Sprintf("Listen 127.0.0.1:%d\n", s.port)),
			"/etc/apache2/sites-enabled/000-default.conf": file(t, s.virtualHost()),
			"/usr/local/etc/php/conf.d/90-test.ini":       file(t, "memory_limit = 123M\n"),
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

func (s *site) virtualHost() string {
	return fmt.Sprintf(`<VirtualHost *:%d>
	DocumentRoot /usr/src/wordpress
	ErrorLog ${APACHE_LOG_DIR}/error.log
	CustomLog ${APACHE_LOG_DIR}/access.log combined
	<Directory /usr/src/wordpress>
		AllowOverride All
		Require all granted
	</Directory>
</VirtualHost>
`, s.port)
}

func (s *site) url(path string) string {
	return fmt.Sprintf("http://127.0.0.1:%d%s", s.port, path)
}

func (s *site) get(t *testing.T, path string) string {
	t.Helper()
	return s.do(t, s.request(t, http.MethodGet, path, nil))
}

func (s *site) post(t *testing.T, path string, form url.Values) string {
	t.Helper()
	request := s.request(t, http.MethodPost, path, strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.do(t, request)
}

func (s *site) request(t *testing.T, method, path string, body io.Reader) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url(path), body)
	noError(t, err)
	return request
}

// do returns the page that the site answers with.
func (s *site) do(t *testing.T, request *http.Request) string {
	t.Helper()
	response, err := s.client.Do(request)
	noError(t, err)
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	noError(t, err)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s\n%s", response.Request.URL, response.Status, tail(string(page), 10, 300))
	}
	return string(page)
}

func contains(t *testing.T, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Fatalf("no %q in:\n%s", part, tail(text, 10, 300))
	}
}

func (s *site) install(t *testing.T) {
	t.Helper()
	page := s.post(t, "/wp-admin/install.php?step=2", url.Values{
		"weblog_title": {"A site under test"}, "user_name": {"admin"}, "admin_email": {"admin@example.com"},
		"admin_password": {"a long password"}, "admin_password2": {"a long password"}, "pw_weak": {"1"},
	})
	contains(t, page, "install-success")
}

func (s *site) logIn(t *testing.T) {
	t.Helper()
	s.get(t, "/wp-login.php") // sets the cookie that proves that cookies work
	s.post(t, "/wp-login.php", url.Values{"log": {"admin"}, "pwd": {"a long password"}, "testcookie": {"1"}})
}

// TestWordPressServesAndUpgrades installs a site with the older image and goes on with the newer one.
func TestWordPressServesAndUpgrades(t *testing.T) {
	m := newMySQL(t)
	older, newer := unpack(t, "wordpress-6.8"), unpack(t, "wordpress-7.1")
	s := newSite(t, m)
	noError(t, os.CopyFS(s.content, os.DirFS(filepath.Join(older, "usr/src/wordpress/wp-content"))))
	database := m.start(t)
	m.awaitReady(t, database)

	c := s.start(t, older)
	s.install(t)
	contains(t, s.get(t, "/"), "<title>A site under test</title>")
	s.logIn(t)
	contains(t, s.get(t, "/wp-admin/"), "?ver=6.8.")
	contains(t, s.get(t, "/?p=1"), "Hello world!")
	contains(t, s.get(t, "/index.php/wp-json/"), "A site under test")
	contains(t, s.get(t, "/wp-admin/site-health.php?tab=debug"), "123M")
	c.stop(t, syscall.SIGWINCH)
	contains(t, c.log.String(), `"GET /readme.html HTTP/1.1" 200`)

	c = s.start(t, newer)
	s.get(t, "/wp-admin/upgrade.php?step=1")
	contains(t, s.get(t, "/"), "<title>A site under test</title>")
	s.logIn(t)
	contains(t, s.get(t, "/wp-admin/"), "?ver=7.1.")
	c.stop(t, syscall.SIGWINCH)
	for _, line := range strings.Split(c.log.String(), "\n") {
		if strings.Contains(line, "PHP Fatal") || strings.Contains(line, "Permission denied") {
			t.Error(line)
		}
	}
	database.stop(t, syscall.SIGTERM)
}

// TestWordPressTellsVisitorsOverHTTPS checks that a proxy's header makes WordPress build https links.
func TestWordPressTellsVisitorsOverHTTPS(t *testing.T) {
	m := newMySQL(t)
	s := newSite(t, m)
	database := m.start(t)
	m.awaitReady(t, database)
	s.start(t, unpack(t, "wordpress-7.1"))

	request := s.request(t, http.MethodGet, "/wp-admin/install.php", nil)
	request.Header.Set("X-Forwarded-Proto", "https")
	contains(t, s.do(t, request), fmt.Sprintf("https://127.0.0.1:%d/wp-", s.port))
}

// TestWordPressCopiesCore starts the image as its own documentation does: as root, in an empty /var/www/html.
func TestWordPressCopiesCore(t *testing.T) {
	root := unpack(t, "wordpress-7.1")
	folder := volume(t)
	noError(t, os.Chown(folder, 0, 0))
	kept := filepath.Join(folder, "wp-content/themes/twentytwentyfive/style.css")
	noError(t, os.MkdirAll(filepath.Dir(kept), 0o755))
	noError(t, os.WriteFile(kept, []byte("the site's own"), 0o644))

	for range 2 {
		c := start(t, spec{
			root: root, folder: "/var/www/html", asRoot: true,
			memory:  []string{"/tmp"},
			volumes: map[string]string{"/var/www/html": folder},
			env:     []string{"WORDPRESS_DB_HOST=elsewhere"},
			command: []string{"docker-entrypoint.sh", "apache2ctl", "configtest"},
		})
		select {
		case <-c.done:
		case <-time.After(patience):
			t.Fatal("does not end")
		}
		if !c.state.Success() {
			t.Fatalf("%s:\n%s", c.state, c.log)
		}
	}

	style, err := os.ReadFile(kept)
	noError(t, err)
	if string(style) != "the site's own" {
		t.Error("a theme that was there is overwritten")
	}
	config, err := os.ReadFile(filepath.Join(folder, "wp-config.php"))
	noError(t, err)
	if strings.Contains(string(config), "put your unique phrase here") {
		t.Error("wp-config.php has no random keys")
	}
	for _, name := range []string{"index.php", ".htaccess", "wp-includes/version.php", "wp-config.php"} {
		info, err := os.Stat(filepath.Join(folder, name))
		noError(t, err)
		if owner := info.Sys().(*syscall.Stat_t).Uid; owner != 33 {
			t.Errorf("%s belongs to user %d, not to www-data (33)", name, owner)
		}
	}
}
