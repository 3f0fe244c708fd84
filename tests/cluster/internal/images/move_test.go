package images

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Where the site was, and where it is.
const (
	oldAddress = "https://old.example.org/blog"
	newAddress = "https://wordpress.example.com"
)

// ofMoves are the scripts that change links, as a stack has them.
func ofMoves(t *testing.T) map[string]string {
	t.Helper()
	planned := plannedIn(t, "prod", "move.php")
	return map[string]string{"move.php": planned["move.php"], "links.php": planned["links.php"]}
}

// TestLinksLeadElsewhere in texts of all kinds.
func TestLinksLeadElsewhere(t *testing.T) {
	rows := [][4]string{ // from, to, a text, what it becomes
		{oldAddress, newAddress, "see https://old.example.org/blog/a-post.", "see https://wordpress.example.com/a-post."},
		{oldAddress, newAddress, "http://old.example.org/blog and HTTPS://Old.Example.Org/blog?p=1#x", "https://wordpress.example.com and https://wordpress.example.com?p=1#x"},
		{oldAddress, newAddress, `<img src="//old.example.org/blog/a.png">`, `<img src="//wordpress.example.com/a.png">`},
		{oldAddress, newAddress, `{"url":"https:\/\/old.example.org\/blog\/a.png"}`, `{"url":"https:\/\/wordpress.example.com\/a.png"}`},
		{oldAddress, newAddress, `"{\"url\":\"https:\\\/\\\/old.example.org\\\/blog\\\/a\"}"`, `"{\"url\":\"https:\\\/\\\/wordpress.example.com\\\/a\"}"`},
		{oldAddress, newAddress, "share?u=https%3A%2F%2Fold.example.org%2Fblog%2Fa", "share?u=https%3A%2F%2Fwordpress.example.com%2Fa"},
		{oldAddress, newAddress, "https://old.example.org/blogs, https://old.example.org/blog-2, https://old.example.org/other, https://www.old.example.org/blog", ""},
		{"https://old.example.org", newAddress, "admin@old.example.org, https://old.example.org.au, https://old.example.org:8443/x, https://bold.example.org", ""},
		{"https://old.example.org", newAddress, "at https://old.example.org.", "at https://wordpress.example.com."},
		{"http://127.0.0.1:8080", "http://wordpress.example.com", "http://127.0.0.1:8080/x http://127.0.0.1:80801 http://127.0.0.1/x", "http://wordpress.example.com/x http://127.0.0.1:80801 http://127.0.0.1/x"},
		// Not what PHP makes of a value, though it begins like that.
		{oldAddress, newAddress, `a:1: https://old.example.org/blog`, `a:1: https://wordpress.example.com`},
		{oldAddress, newAddress, `s:99:"https://old.example.org/blog";`, `s:99:"https://wordpress.example.com";`},
		{oldAddress, newAddress, `a:1:{i:0;s:28:"https://old.example.org/blog";} and more`, `a:1:{i:0;s:28:"https://wordpress.example.com";} and more`},
		// As of a class that nobody knows, with what is private to it, and of one that writes what it wants.
		{oldAddress, newAddress, "O:6:\"Unseen\":2:{s:11:\"\x00Unseen\x00url\";s:28:\"https://old.example.org/blog\";s:1:\"n\";d:0.5;}",
			"O:6:\"Unseen\":2:{s:11:\"\x00Unseen\x00url\";s:29:\"https://wordpress.example.com\";s:1:\"n\";d:0.5;}"},
		{oldAddress, newAddress, `a:1:{i:0;C:6:"Unseen":28:{https://old.example.org/blog}}`, `a:1:{i:0;C:6:"Unseen":28:{https://old.example.org/blog}}`},
		{oldAddress, newAddress, " a:1:{s:28:\"https://old.example.org/blog\";N;}\n", " a:1:{s:28:\"https://old.example.org/blog\";N;}\n"},
	}
	for i := range rows {
		if rows[i][3] == "" {
			rows[i][3] = rows[i][2]
		}
	}
	text, err := json.Marshal(rows)
	noError(t, err)
	said := runPHP(t, map[string]string{"links.php": ofMoves(t)["links.php"], "rows.json": string(text), "try.php": `<?php
		require __DIR__ . '/links.php';
		foreach (json_decode(file_get_contents(__DIR__ . '/rows.json')) as [$from, $to, $text, $want]) {
			$got = Links\in_value($text, Links\leading($from, $to));
			if ($got !== $want) { echo "from $text\ngot  $got\nwant $want\n"; }
		}
		// What PHP itself has made a text of, within itself and within JSON, it must be able to read.
		$made = function (string $at) {
			$object = new stdClass;
			$object->{'url ü'} = "$at/ä";
			$deep = ['text' => "zwölf $at", 'no' => null, 'is' => true, 'n' => -7, 'd' => 1e100, 'o' => $object, 'again' => serialize(["$at/1", [$at]]),
				'json' => json_encode(['u' => $at]), 'enum' => "$at//$at"];
			return ['list' => array_fill(0, 200, $deep), 'object' => $object, 'same' => $object];
		};
		$lead = Links\leading('` + oldAddress + `', '` + newAddress + `');
		$got = unserialize(Links\in_value(serialize($made('` + oldAddress + `')), $lead));
		if ($got != $made('` + newAddress + `')) { echo "what was serialized differs\n"; }
		// As it would be without that: this is what is tried.
		if (@unserialize(str_replace('` + oldAddress + `', '` + newAddress + `', serialize($made('` + oldAddress + `')))) !== false) { echo "a plain replacement does no harm\n"; }
		$large = serialize(array_fill(0, 20000, str_repeat('x', 100) . ' ` + oldAddress + `/'));
		$began = microtime(true);
		Links\in_value($large, $lead);
		if (microtime(true) - $began > 5) { echo 'two megabytes took ' . (microtime(true) - $began) . " s\n"; }
	`}, "try.php")
	if said != "" {
		t.Error(said)
	}
}

// runPHP runs one of the files, and returns what it writes.
func runPHP(t *testing.T, files map[string]string, name string) string {
	t.Helper()
	c := start(t, spec{
		root: unpack(t, "wordpress-7.1"), memory: []string{"/tmp"}, volumes: map[string]string{"/scripts": folderOf(t, files)},
		command: []string{"php", "/scripts/" + name},
	})
	select {
	case <-c.done:
	case <-time.After(patience):
		t.Fatalf("still running; its log:\n%s", c.log)
	}
	if !c.state.Success() {
		t.Fatalf("%s; its log:\n%s", c.state, c.log)
	}
	return c.log.String()
}

// TestSiteMovesToAnotherAddress from a run of the backup of a site that was elsewhere.
func TestSiteMovesToAnotherAddress(t *testing.T) {
	s := newSaved(t)
	s.admin(t, `USE wordpress; INSERT INTO wp_options VALUES ('siteurl', 'https://old.example.org/blog'),
			('theme_mods', 'a:2:{s:4:"logo";s:35:"https://old.example.org/blog/lo.png";s:1:"n";i:3;}'), ('admin_email', 'admin@old.example.org'), ('blob', NULL);
		UPDATE wp_options SET option_value = 'https://old.example.org/blog' WHERE option_name = 'home';
		ALTER TABLE wp_posts ADD guid VARCHAR(255) NOT NULL DEFAULT '', ADD changed TIMESTAMP NULL;
		UPDATE wp_posts SET post_title = 'see https://old.example.org/blog/?p=2', guid = 'https://old.example.org/blog/?p=2' WHERE ID = 2;
		CREATE TABLE keyless (note TEXT CHARACTER SET latin1); INSERT INTO keyless VALUES ('für https://old.example.org/blog'), ('für https://old.example.org/blog'), ('other');
		CREATE TABLE two_keys (a VARCHAR(20), b BIGINT, data JSON, PRIMARY KEY (a, b));
		INSERT INTO two_keys VALUES ('x', 9007199254740993, '{"u": "https://old.example.org/blog/1"}'), ('x', 9007199254740992, '{"u": "https://old.example.org/blog/2"}');
		CREATE TABLE binary_keys (k BINARY(2) PRIMARY KEY, url VARCHAR(28)) ENGINE = MyISAM; INSERT INTO binary_keys VALUES (x'ff00', 'https://old.example.org/blog');
		CREATE TABLE urls (url VARCHAR(100) PRIMARY KEY); INSERT INTO urls VALUES ('https://old.example.org/blog/'), ('https://wordpress.example.com/'), ('//old.example.org/blog/z');
		CREATE TABLE many (id INT PRIMARY KEY AUTO_INCREMENT, note TEXT, doubled TEXT GENERATED ALWAYS AS (CONCAT(note, note)) STORED)`)
	s.admin(t, `USE wordpress; SET SESSION cte_max_recursion_depth = 3000; INSERT INTO many (note)
		WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 2500) SELECT CONCAT('https://old.example.org/blog/', i) FROM n`)
	s.edit = func(_, text string) string { return strings.ReplaceAll(text, newAddress, oldAddress) }
	s.save(t)
	latest := []string{"SNAPSHOT=latest"}
	s.admin(t, "DROP DATABASE wordpress; CREATE DATABASE wordpress CHARACTER SET utf8mb4")
	s.volume, s.edit = volume(t), asPlanned
	// Who makes a copy needs to write nothing there.
	noError(t, run(exec.Command("sh", "-c", "chown -R 0:0 \"$0\" && chmod -R a-w,a+rX \"$0\"", s.repository)))
	s.fails(t, "where the site of the run is meant to begin anew here, set wordpress:backup.bootstrap.from to its address", latest, "bootstrap.sh")
	s.shared = volume(t)
	latest = append(latest, "FROM="+oldAddress)
	for _, attempt := range []string{"killed", "whole"} {
		s.must(t, latest, "bootstrap.sh")
		if tables := s.admin(t, "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'wordpress' AND TABLE_NAME = 'bootstrap_under_way'"); tables != "1" {
			t.Fatal("WordPress would start before links lead here")
		}
		c := s.startMove(t)
		if attempt == "killed" {
			// One that was faster than this has left a site; what counts is the marker.
			for !strings.Contains(c.log.String(), "rows") && !exited(c) {
				time.Sleep(5 * time.Millisecond)
			}
			c.kill()
			s.admin(t, "CREATE TABLE IF NOT EXISTS wordpress.bootstrap_under_way (id INT PRIMARY KEY)")
			continue
		}
		c.succeeds(t)
		for _, want := range []string{"many: 2500 rows", "urls: a row stays as it is: another one has the new link already", "binary_keys: a row stays as it is: its column has no room",
			"what led to https://old.example.org/blog leads to https://wordpress.example.com now, in 2509 rows"} {
			if !strings.Contains(c.log.String(), want) {
				t.Errorf("does not tell %q:\n%s", want, c.log)
			}
		}
	}
	for query, want := range map[string]string{
		"SELECT GROUP_CONCAT(option_value ORDER BY option_name SEPARATOR ' ') FROM wordpress.wp_options WHERE option_name IN ('home', 'siteurl', 'theme_mods', 'admin_email')": `admin@old.example.org ` +
			newAddress + ` ` + newAddress + ` a:2:{s:4:"logo";s:36:"https://wordpress.example.com/lo.png";s:1:"n";i:3;}`,
		"SELECT CONCAT(post_title, ' ', guid, IFNULL(changed, '')) FROM wordpress.wp_posts WHERE ID = 2":                                                      "see https://wordpress.example.com/?p=2 https://old.example.org/blog/?p=2",
		"SELECT GROUP_CONCAT(note SEPARATOR ' ') FROM wordpress.keyless":                                                                                      "für https://wordpress.example.com für https://wordpress.example.com other",
		"SELECT GROUP_CONCAT(data ORDER BY b DESC SEPARATOR ' ') FROM wordpress.two_keys":                                                                     `{"u": "https://wordpress.example.com/1"} {"u": "https://wordpress.example.com/2"}`,
		"SELECT GROUP_CONCAT(url ORDER BY url SEPARATOR ' ') FROM wordpress.urls":                                                                             "//wordpress.example.com/z https://old.example.org/blog/ https://wordpress.example.com/",
		"SELECT url FROM wordpress.binary_keys":                                                                                                               oldAddress,
		"SELECT CONCAT(COUNT(*), ' ', SUM(doubled = CONCAT('https://wordpress.example.com/', id, 'https://wordpress.example.com/', id))) FROM wordpress.many": "2500 2500",
		"SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME = 'bootstrap_under_way'":                                                             "0",
	} {
		if got := s.admin(t, query); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", query, got, want)
		}
	}
	noError(t, os.Remove(filepath.Join(s.shared, "moved"))) // as of a bootstrap that found a site
	again := s.startMove(t)
	again.succeeds(t)
	if !strings.Contains(again.log.String(), "no link has to change") {
		t.Errorf("a site that is there already was changed:\n%s", again.log)
	}
}

func exited(c *container) bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// startMove starts the step that changes the links, in the image of WordPress; with the environment of an import in its place.
func (s *saved) startMove(t *testing.T, env ...string) *container {
	t.Helper()
	server := strings.NewReplacer("real_connect('wordpress-mysql'", "real_connect('127.0.0.1'", "SITE, 3306, null", fmt.Sprintf("SITE, %d, null", s.port))
	files := ofMoves(t)
	script := server.Replace(files["move.php"])
	if script == files["move.php"] {
		t.Fatal("move.php connects to another server than is thought")
	}
	files["move.php"] = script
	volumes := map[string]string{
		"/scripts": folderOf(t, files), "/shared": s.shared,
		"/etc/wordpress-backup-accounts": s.accounts,
	}
	if s.drill != "" {
		volumes["/var/drill"] = s.drill
	}
	if env == nil {
		env = []string{"OWN_USER=wordpress", "OWN_PASSWORD_FILE=/etc/wordpress-backup-accounts/restore"}
	}
	return start(t, spec{
		root: unpack(t, "wordpress-7.1"), memory: []string{"/tmp"}, volumes: volumes, env: env,
		command: []string{"php", "-d", "memory_limit=-1", "/scripts/move.php"},
	})
}
