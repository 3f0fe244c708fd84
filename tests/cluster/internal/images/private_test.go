package images

import (
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// secret is in every file of these tests: an answer that holds it gave the file away.
const secret = "what is in the file"

// protections are rules in the manner of widespread plugins, written anew; source says in whose repository and file the plugin writes its
// own. Each file by its path under wp-content has the status that the official image, which honours all of .htaccess, gives it, or a
// stricter one.
var protections = map[string]struct {
	source, folder, rules string
	files                 map[string]int
}{
	"WooCommerce": {"woocommerce/woocommerce, plugins/woocommerce/includes/class-wc-install.php", "uploads/woocommerce_uploads",
		"deny from all", map[string]int{"2026/11/book.pdf": 403, "index.html": 403}},
	"Contact Form 7": {"rocklobster-in/contact-form-7, includes/file.php", "uploads/wpcf7_uploads",
		"<IfModule authz_core_module>\nRequire all denied\n</IfModule>\n<IfModule !authz_core_module>\nDeny from all\n</IfModule>\n",
		map[string]int{"0123/passport.jpg": 403}},
	"Easy Digital Downloads": {"awesomemotive/easy-digital-downloads, includes/admin/upload-functions.php", "uploads/edd",
		"Options -Indexes\ndeny from all\n<FilesMatch '\\.(jpg|png|mp3)$'>\nOrder Allow,Deny\nAllow from all\n</FilesMatch>\n",
		map[string]int{"2026/plan.pdf": 403, "2026/cover.jpg": 200, "2026/sample.mp3": 200}},
	"BackWPup": {"wp-media/backwpup, inc/class-file.php", "own-backups",
		"<Files \"*\">\n<IfModule mod_access.c>\nDeny from all\n</IfModule>\n<IfModule !mod_access_compat>\n<IfModule mod_authz_host.c>\n" +
			"Deny from all\n</IfModule>\n</IfModule>\n<IfModule mod_access_compat>\nDeny from all\n</IfModule>\n</Files>\n",
		map[string]int{"site.tar.gz": 403}},
	"Sucuri": {"Sucuri/sucuri-wordpress-plugin, src/hardening.lib.php", "languages",
		"<FilesMatch \"\\.(?i:php)$\">\n<IfModule !mod_authz_core.c>\nOrder allow,deny\nDeny from all\n</IfModule>\n" +
			"<IfModule mod_authz_core.c>\nRequire all denied\n</IfModule>\n</FilesMatch>\n<Files open.php>\n<IfModule mod_authz_core.c>\n" +
			"Require all granted\n</IfModule>\n</Files>\n",
		map[string]int{"hidden.php": 403, "open.php": 200, "de_DE.mo": 200}},
	"UpdraftPlus": {"wp-plugins/updraftplus, class-updraftplus.php", "own-updraft",
		"deny from all", map[string]int{"backup_2026-11-28-uploads.zip": 403}},
	"All-in-One WP Migration, which denies nothing": {
		"shameemreza/all-in-one-wp-migration, lib/vendor/servmask/filesystem/class-ai1wm-file-htaccess.php", "own-ai1wm",
		"<IfModule mod_mime.c>\nAddType application/octet-stream .wpress\n</IfModule>\n<IfModule mod_dir.c>\nDirectoryIndex index.php\n" +
			"</IfModule>\n<IfModule mod_autoindex.c>\nOptions -Indexes\n</IfModule>\n",
		map[string]int{"site.wpress": 403, "robots.txt": 200}},
	"Gravity Forms": {"pronamic/gravityforms, gravityforms.php", "uploads/gravity_forms",
		"<Files *>\nSetHandler none\nSetHandler default-handler\nOptions -ExecCGI\nRemoveHandler .cgi .php .phtml\n</Files>\n" +
			"<IfModule mod_php5.c>\nphp_flag engine off\n</IfModule>\n<IfModule headers_module>\nHeader set X-Robots-Tag \"noindex\"\n</IfModule>\n",
		map[string]int{"1-abc/form.pdf": 200, "1-abc/shell.php": 403}},
	"BuddyPress Docs": {"boonebgorges/buddypress-docs, includes/attachments.php", "uploads/bp-attachments/7",
		"RewriteEngine On\nRewriteBase /docs/seven/\nRewriteRule (.+) ?bp-attachment=$1 [R=302,NC]\n",
		map[string]int{"minutes.pdf": 302}},
	// The request goes to WordPress, which has no database here.
	"User Access Manager": {"gm-alex/user-access-manager, src/File/ApacheFileProtection.php", "uploads/members",
		"<IfModule mod_rewrite.c>\nRewriteEngine On\nRewriteBase /\nRewriteRule ^index\\.php$ - [L]\n" +
			"RewriteRule ^([^?]*)$ /index.php?file=$1 [QSA,L]\n</IfModule>\n",
		map[string]int{"minutes.pdf": 500}},
	"a rewritten denial":  {"", "uploads/rewritten", "RewriteEngine On\nRewriteRule \\.pdf$ - [F]\n", map[string]int{"a.pdf": 403, "a.jpg": 200}},
	"a redirected denial": {"", "uploads/redirected", "RedirectMatch 403 \\.pdf$\n", map[string]int{"a.pdf": 403, "a.jpg": 200}},
	"foreign pages": {"", "uploads/linked",
		"SetEnvIf Referer example\\.org foreign\nOrder allow,deny\nAllow from all\nDeny from env=foreign\n", map[string]int{"a.jpg": 403}},
	"one method":      {"", "uploads/limited", "<Limit GET>\nRequire all denied\n</Limit>\n", map[string]int{"a.pdf": 403}},
	"a folder within": {"", "uploads/woocommerce_uploads/open", "Require all denied\n", map[string]int{"a/b/c.pdf": 403}},
	"what is passed over": {"", "uploads/odd",
		"php_flag engine on\nNoSuchDirective on\nErrorDocument 404 /x\nHeader set X-Odd 1\nExpiresActive On\n" +
			"<IfModule LiteSpeed>\nX on\n</IfModule>\nSatisfy any\n", map[string]int{"a.jpg": 200}},
	"nobody is let in": {"", "uploads/satisfied", "Require all denied\nOrder allow,deny\nAllow from all\nSatisfy any\n", map[string]int{"a.jpg": 403}},
	"a password": {"", "uploads/staff",
		"AuthType Basic\nAuthName staff\nAuthUserFile /usr/src/wordpress/wp-content/uploads/staff/.htpasswd\nRequire valid-user\n",
		map[string]int{"a.pdf": 401}},
	"a reopened extension": {"", "uploads/reopened", reopening,
		map[string]int{"shell.php": 403, "x.sql": 403, ".hidden": 403, "picture.jpg": 200, "picture.png": 200}},
}

// reopening is what somebody writes who found a way to leave an .htaccess among the uploads.
const reopening = `<FilesMatch ".*">
Require all granted
Order allow,deny
Allow from all
Satisfy any
SetHandler application/x-httpd-php
</FilesMatch>
<If "true">
Require all granted
SetHandler application/x-httpd-php
</If>
AddType application/x-httpd-php .png
php_flag engine on
RewriteEngine On
RewriteRule \.jpg$ - [H=application/x-httpd-php]
RewriteRule \.png$ - [T=application/x-httpd-php]
`

// usual are paths under wp-content without any .htaccess: the status of each follows from its place and name alone.
var usual = map[string]int{
	"debug.log": 403, "DEBUG.LOG": 403, "plugins/shop/error_log": 403, "uploads/wc-logs/fatal-errors-2026-11-28-abc.log": 403,
	"uploads/wc-logs/index.html": 403, "uploads/2026/11/site.sql": 403, "mysql.sql": 403, "site.sql.gz": 403, "uploads/site.sql.zip": 403,
	"database/site.sqlite": 403, "updraft/backup_2026-11-28-0915_site_abc-db.gz": 403, "updraft/backup_2026-11-28-plugins.zip": 403,
	"uploads/backup_2026-11-28_abc-db.gz": 403, "ai1wm-backups/site.wpress": 403, "uploads/site.wpress": 403,
	"backups-dup-lite/20261128_site_archive.zip": 403, "backups-dup-lite/installer.php.bak": 403, "backup-db/1_-_site.sql.gz": 403,
	"backups/site.zip": 403, "backup-abc/site.zip": 403, "wflogs/rules.php": 403, "wflogs/attack-data.php": 403,
	"wpvividbackups/site.zip": 403, "uploads/backwpup-abc-backups/site.tar.gz": 403, "uploads/backwpup-abc-logs/log.html": 403,
	"uploads/backupbuddy_backups/backup.zip": 403, "uploads/wp-staging/backups/site.wpstg": 403, "uploads/sucuri/sucuri-auditlogs.php": 403,
	"uploads/.git/config": 403, "plugins/shop/.env": 403, ".htaccess": 403, ".well-known/proof.txt": 200,

	"uploads/2026/11/picture.jpg": 200, "uploads/2026/11/backup.zip": 200, "uploads/2026/11/catalog.pdf": 200, "uploads/2026/11/blog.txt": 200,
	"uploads/2026/11/sql.pdf": 200, "uploads/2026/11/data.gz": 200, "themes/own/style.css": 200, "themes/own/font.woff2": 200,
	"plugins/shop/log.js": 200, "plugins/shop/assets/changelog.txt": 200, "plugins/updraft/style.css": 200, "plugins/backups/style.css": 200,
	"cache/minified.js": 200, "uploads/elementor/css/post-7.css": 200, "uploads/backups/brochure.pdf": 200, "languages/de_DE.mo": 200,
}

// TestPrivateFilesArePrivate runs a pod's Apache with the very files that the program mounts and asks for what plugins keep.
func TestPrivateFilesArePrivate(t *testing.T) {
	root := unpack(t, "wordpress-7.1")
	s := newPrivateSite(t)
	s.startPlanned(t, root)

	foreign := http.Header{"Referer": {"https://example.org/"}}
	for name, protection := range protections {
		t.Run(name, func(t *testing.T) {
			for file, want := range protection.files {
				s.wantFile(t, protection.folder+"/"+file, want, foreign)
			}
		})
	}
	t.Run("by place and name", func(t *testing.T) {
		for file, want := range usual {
			s.wantFile(t, file, want, nil)
		}
	})
	t.Run("however it is spelt", func(t *testing.T) {
		for _, path := range []string{
			"//wp-content//debug.log", "/wp-content/./debug.log", "/wp-content/uploads/../debug.log", "/wp-content/debug%2Elog",
			"/%77p-content/debug.log", "/wp-content/debug.log/x", "/wp-content//uploads//woocommerce_uploads//2026/11/book.pdf",
		} {
			if got := s.visit(t, http.MethodGet, path, "", nil); got.status != http.StatusForbidden || strings.Contains(got.body, secret) {
				t.Errorf("%s: status %d", path, got.status)
			}
		}
	})
	t.Run("a password lets in", func(t *testing.T) {
		login := "Basic " + base64.StdEncoding.EncodeToString([]byte("ann:password"))
		s.wantFile(t, "uploads/staff/a.pdf", http.StatusOK, http.Header{"Authorization": {login}})
	})
}

func (s *site) wantFile(t *testing.T, file string, want int, header http.Header) {
	t.Helper()
	got := s.visit(t, http.MethodGet, "/wp-content/"+file, "", header)
	if got.status != want || strings.Contains(got.body, secret) != (want == http.StatusOK) || strings.Contains(got.body, "hasrun") {
		t.Errorf("%s: status %d, want %d:\n%s", file, got.status, want, tail(got.body, 3, 200))
	}
}

func (s *site) put(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(s.content, name)
	noError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	noError(t, os.WriteFile(path, []byte(content), 0o644))
}

// newPrivateSite has all files of the tables in place.
func newPrivateSite(t *testing.T) *site {
	t.Helper()
	s := newSite(t, &mysql{port: freePort(t)})
	s.put(t, "index.php", "<?php\n")
	for _, protection := range protections {
		s.put(t, protection.folder+"/.htaccess", protection.rules)
		for name := range protection.files {
			s.put(t, protection.folder+"/"+name, secret)
		}
	}
	for name := range usual {
		s.put(t, name, secret)
	}
	s.put(t, ".htaccess", "# "+secret+"\n")
	s.put(t, "uploads/staff/.htpasswd", "ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n") // "password"
	for _, name := range []string{"picture.jpg", "picture.png"} {
		s.put(t, "uploads/reopened/"+name, secret+marker)
	}
	return s
}

// TestPrivateFilesNeedTheirRules takes the rules out, one after the other: then the test above could not have passed.
func TestPrivateFilesNeedTheirRules(t *testing.T) {
	root := unpack(t, "wordpress-7.1")
	for name, breakage := range map[string]struct{ part, in, file, shows string }{
		"no .htaccess is read": {`AllowOverride Nonfatal=All\n(.|\n)*?(</Directory>)`, "AllowOverride None\n$2",
			"uploads/woocommerce_uploads/2026/11/book.pdf", secret},
		"errors are fatal":              {` Nonfatal=All`, " None", "uploads/odd/a.jpg", "Internal Server Error"},
		"Satisfy is honoured":           {`Require Order`, "Satisfy Require Order", "uploads/reopened/x.sql", secret},
		"names are not looked at":       {`log\|sql`, "none", "debug.log", secret},
		"folders are not looked at":     {`\(ai1wm-backups`, "(none", "ai1wm-backups/site.zip", secret},
		"PHP runs among the uploads":    {`php_admin_flag engine off`, "", "uploads/reopened/picture.jpg", "hasrun"},
		"programs are read as files":    {`uploads/\.\*\\\.\(php`, "none(php", "uploads/gravity_forms/1-abc/shell.php", secret},
		"a rewritten address is passed": {` RewriteRule`, "", "uploads/bp-attachments/7/minutes.pdf", secret},
	} {
		t.Run(name, func(t *testing.T) {
			s := newPrivateSite(t)
			s.put(t, "ai1wm-backups/site.zip", secret)
			planned := plannedFiles(t)
			whole := planned["site.conf"]
			planned["site.conf"] = regexp.MustCompile(breakage.part).ReplaceAllString(whole, breakage.in)
			if planned["site.conf"] == whole {
				t.Fatalf("site.conf has no %s", breakage.part)
			}
			s.startFiles(t, root, planned)
			if got := s.visit(t, http.MethodGet, "/wp-content/"+breakage.file, "", nil); !strings.Contains(got.body, breakage.shows) {
				t.Errorf("%s: status %d without %q: nothing would notice", breakage.file, got.status, breakage.shows)
			}
		})
	}
}
