package images

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// adminPassword has what a form, a shell, PHP and SQL each take for something else.
const adminPassword = `it's a "long" \ pass$word`

// install starts what the program runs in every pod before WordPress, with changes to its environment.
func (s *site) startInstaller(t *testing.T, root, script string) *container {
	t.Helper()
	planned := plannedFiles(t)
	return start(t, spec{
		root:   root,
		folder: "/usr/src/wordpress",
		memory: []string{"/tmp"},
		volumes: map[string]string{
			"/usr/src/wordpress/wp-content":              s.content,
			"/usr/src/wordpress/wp-config.php":           file(t, planned["wp-config.php"]),
			"/run/secrets-password":                      file(t, userPassword+"\n"),
			"/etc/wordpress":                             programFolder(t, script),
			"/usr/local/etc/php/conf.d/zz-wordpress.ini": file(t, planned["php.ini"]),
		},
		env:     s.env,
		command: []string{"sh", "-c", "trap 'kill $!' TERM WINCH; php /etc/wordpress/install.php & wait $!"},
	})
}

// programFolder is what the program mounts beside WordPress.
func programFolder(t *testing.T, script string) string {
	t.Helper()
	folder := volume(t)
	noError(t, os.Mkdir(filepath.Join(folder, "admin"), 0o755))
	texts := map[string]string{"install.php": script, "admin/password": adminPassword}
	for _, name := range partsOfConfig {
		texts[name] = plannedFiles(t)[name]
	}
	for name, text := range texts {
		noError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644))
	}
	return folder
}

// installPlanned installs the development stack's site.
func (s *site) installPlanned(t *testing.T, root string) {
	t.Helper()
	s.startInstaller(t, root, plannedFiles(t)["install.php"]).succeeds(t)
}

func (c *container) succeeds(t *testing.T) {
	t.Helper()
	select {
	case <-c.done:
	case <-time.After(patience):
		t.Fatalf("still running; its log:\n%s", c.log)
	}
	if !c.state.Success() {
		t.Fatalf("%s; its log:\n%s", c.state, c.log)
	}
}

// newInstaller is an empty database that is up, and WordPress's content.
func newInstaller(t *testing.T, root string) *site {
	t.Helper()
	return newInstallerOn(t, root, newMySQL(t))
}

func newInstallerOn(t *testing.T, root string, m *mysql) *site {
	t.Helper()
	s := newSite(t, m)
	noError(t, os.CopyFS(s.content, os.DirFS(filepath.Join(root, "usr/src/wordpress/wp-content"))))
	m.awaitReady(t, m.start(t))
	return s
}

// TestPlannedInstallerInstallsOnce has many pods begin at once, after some that were killed.
func TestPlannedInstallerInstallsOnce(t *testing.T) {
	root := unpack(t, "wordpress-7.1")
	s := newInstaller(t, root)
	script := plannedFiles(t)["install.php"]

	for after := range 6 {
		c := s.startInstaller(t, root, script)
		c.await(t, "installing", func() bool { return strings.Contains(c.log.String(), "installing the site") })
		time.Sleep(time.Duration(after) * 60 * time.Millisecond) // the moment is what is tried
		c.kill()
	}
	began := time.Now()
	var all []*container
	for range 5 {
		all = append(all, s.startInstaller(t, root, script))
	}
	installed, found := 0, 0
	for _, c := range all {
		c.succeeds(t)
		if strings.Contains(c.log.String(), "the site is installed, with the administrator admin") {
			installed++
		}
		if strings.Contains(c.log.String(), "the site is installed: ") {
			found++
		}
	}
	t.Logf("five at once took %s", time.Since(began))
	if installed > 1 || installed+found != len(all) {
		t.Errorf("%d of %d installed the site, and %d found it installed", installed, len(all), found)
	}
	began = time.Now()
	s.installPlanned(t, root)
	t.Logf("one that finds it installed took %s", time.Since(began))

	s.startPlanned(t, root)
	if page := s.visit(t, "GET", "/hello-world/", "", nil); page.status != 200 || !strings.Contains(page.body, "A WordPress Commenter") {
		t.Errorf("the first post: status %d:\n%s", page.status, tail(page.body, 10, 300))
	}
	if page := s.visit(t, "GET", "/?rest_route=/wp/v2/posts", "", nil); strings.Count(page.body, "hello-world") == 0 ||
		strings.Contains(page.body, "hello-world-2") {
		t.Errorf("the posts are %s", page.body)
	}
	s.logInPlanned(t)
}

// logInPlanned logs in as the administrator whom the installer made, and returns the header that tells so.
func (s *site) logInPlanned(t *testing.T) http.Header {
	t.Helper()
	form := map[string][]string{"log": {"admin"}, "pwd": {adminPassword}, "testcookie": {"1"}}
	page := s.postForm(t, "/wp-login.php", form, map[string][]string{"Cookie": {"wordpress_test_cookie=WP+Cookie+check"}})
	if page.status != 302 || !strings.Contains(page.header.Get("Location"), "/wp-admin/") {
		t.Errorf("log in: status %d, location %q:\n%s", page.status, page.header.Get("Location"), tail(page.body, 10, 300))
	}
	var cookies []string
	for _, cookie := range page.header["Set-Cookie"] {
		pair, _, _ := strings.Cut(cookie, ";")
		cookies = append(cookies, pair)
	}
	return http.Header{"Cookie": {strings.Join(cookies, "; ")}}
}

// TestPlannedInstallerWithoutALock shows that the lock is what makes it once.
func TestPlannedInstallerWithoutALock(t *testing.T) {
	root := unpack(t, "wordpress-7.1")
	s := newInstaller(t, root)
	script := strings.NewReplacer("'SELECT GET_LOCK(' . lock_name($database) . ', ' . LOCK_WAIT . ')'", "'SELECT 1'",
		"') = CONNECTION_ID()'", "') IS NULL'").Replace(plannedFiles(t)["install.php"])
	installed := 0
	all := []*container{s.startInstaller(t, root, script), s.startInstaller(t, root, script), s.startInstaller(t, root, script)}
	for _, c := range all {
		<-c.done
		installed += strings.Count(c.log.String(), "installing the site")
	}
	if installed < 2 {
		t.Errorf("%d installed the site without a lock: the test of the lock would not notice its loss", installed)
	}
}

// TestPlannedInstallerUpgradesOnce has many pods of a newer core begin at once, and one of the older core after them.
func TestPlannedInstallerUpgradesOnce(t *testing.T) {
	older, newer := unpack(t, "wordpress-6.8"), unpack(t, "wordpress-7.1")
	s := newInstaller(t, older)
	script := plannedFiles(t)["install.php"]
	s.installPlanned(t, older)
	var all []*container
	for range 4 {
		all = append(all, s.startInstaller(t, newer, script))
	}
	upgraded := 0
	for _, c := range all {
		c.succeeds(t)
		upgraded += strings.Count(c.log.String(), "the database is up to date: version ")
	}
	if upgraded != 1 {
		t.Errorf("%d upgraded the database", upgraded)
	}
	s.installPlanned(t, older) // nothing to do for it
	s.startPlanned(t, older)
	if page := s.visit(t, "GET", "/hello-world/", "", nil); page.status != 200 {
		t.Errorf("the older core: status %d:\n%s", page.status, tail(page.body, 10, 300))
	}
	s.logInPlanned(t)
}

// TestPlannedInstallerWaits finds nothing and may not install, and hears that it is to end.
func TestPlannedInstallerWaits(t *testing.T) {
	root := unpack(t, "wordpress-7.1")
	s := newInstaller(t, root)
	script := plannedFiles(t)["install.php"]
	begin, end := strings.Index(script, "$administrator = ["), strings.Index(script, "$prefix = ")
	c := s.startInstaller(t, root, script[:begin]+"$administrator = null;\n"+script[end:])
	c.await(t, "a way out", func() bool { return strings.Contains(c.log.String(), "set site.admin and adminPassword") })
	noError(t, c.process.Signal(syscall.SIGWINCH))
	select {
	case <-c.done:
	case <-time.After(5 * time.Second):
		t.Error("it does not end")
	}
	s.startPlanned(t, root)
	page := s.visit(t, "GET", "/", "", nil)
	if page.status != 503 || page.header.Get("Retry-After") == "" || page.header.Get("Location") != "" {
		t.Errorf("a site that is not there: status %d, %v", page.status, page.header)
	}
}

// TestPlannedInstallerWaitsForABootstrap also where the database looks like a whole site already.
func TestPlannedInstallerWaitsForABootstrap(t *testing.T) {
	root, m := unpack(t, "wordpress-7.1"), newMySQL(t)
	s := newInstallerOn(t, root, m)
	s.installPlanned(t, root)
	m.query(t, "root", rootPassword, "CREATE TABLE word_press.bootstrap_under_way (id INT PRIMARY KEY)")
	c := s.startInstaller(t, root, plannedFiles(t)["install.php"])
	c.await(t, "a way out", func() bool { return strings.Contains(c.log.String(), "begins anew with backup.bootstrap") })
	m.query(t, "root", rootPassword, "DROP TABLE word_press.bootstrap_under_way")
	c.succeeds(t)
}

// TestPlannedInstallerInstallsNothingBesideASite whose tables have another prefix, and installs one with that prefix where there is none.
func TestPlannedInstallerInstallsNothingBesideASite(t *testing.T) {
	root, m := unpack(t, "wordpress-7.1"), newMySQL(t)
	s := newInstallerOn(t, root, m)
	s.installPlanned(t, root)
	s.env = append(s.env, "WORDPRESS_TABLE_PREFIX=blog_")
	c := s.startInstaller(t, root, plannedFiles(t)["install.php"])
	c.await(t, "a way out", func() bool {
		return strings.Contains(c.log.String(), "whose tables begin with wp_: set database.tablePrefix to that")
	})
	m.query(t, "root", rootPassword, "DROP DATABASE word_press; CREATE DATABASE word_press")
	c.succeeds(t)
	if got := m.query(t, "root", rootPassword, "SELECT option_value FROM word_press.blog_options WHERE option_name = 'permalink_structure'"); got != "/%postname%/" {
		t.Errorf("no site is installed with the prefix: %q", got)
	}
}

// installersAreClosed tries every spelling of the paths by which a visitor would install or upgrade.
func (s *site) installersAreClosed(t *testing.T) {
	for _, name := range []string{"install", "setup-config", "upgrade"} {
		for _, form := range []string{
			"/wp-admin/%s.php", "/wp-admin/%s.php?step=2", "//wp-admin/%s.php", "/wp-admin//%s.php", "/./wp-admin/%s.php",
			"/wp-admin/%s.php/", "/wp-admin/%s.php/x", "/wp-includes/../wp-admin/%s.php", "/wp%%2dadmin/%s.php",
			"/wp-admin/%s%%2ephp", "/wp-admin/%%2e/%s.php", "/wp-admin/%s.php%%3fstep=1",
		} {
			path := fmt.Sprintf(form, name)
			for _, method := range []string{"GET", "POST"} {
				got := s.visit(t, method, path, "", nil)
				if got.status < 400 || strings.Contains(got.body, "weblog_title") || strings.Contains(got.body, "Database Upgrade") {
					t.Errorf("%s %s: status %d, location %q", method, path, got.status, got.header.Get("Location"))
				}
			}
		}
	}
}
