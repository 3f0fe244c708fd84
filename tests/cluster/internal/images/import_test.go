package images

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// foreignDump is what MariaDB's mariadb-dump writes of a site at oldAddress, in the forms that MySQL does not take, and with data that looks like them.
func foreignDump() string {
	var dump strings.Builder
	dump.WriteString("/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19  Distrib 11.8.3-MariaDB\n" +
		"/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;\n" +
		"CREATE DATABASE /*!32312 IF NOT EXISTS*/ `old` /*!40100 DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_ai_ci */;\n\nUSE `old`;\n")
	table := func(name, columns, rows string) {
		fmt.Fprintf(&dump, "DROP TABLE IF EXISTS `wp_%[1]s`;\nCREATE TABLE `wp_%[1]s` (\n  `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT,\n%[2]s  PRIMARY KEY (`id`)\n"+
			") ENGINE=Aria AUTO_INCREMENT=9 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_uca1400_ai_ci PAGE_CHECKSUM=1;\n", name, columns)
		if rows != "" {
			fmt.Fprintf(&dump, "INSERT INTO `wp_%s` VALUES\n%s;\n", name, rows)
		}
	}
	table("options", "  `option_name` varchar(191) NOT NULL DEFAULT '',\n  `option_value` longtext NOT NULL DEFAULT '',\n", "(1,'home','"+oldAddress+"/'),\n"+
		"(2,'siteurl','"+oldAddress+"/wp'),\n(3,'logo','a:1:{s:1:\"u\";s:44:\"https://old.example.org/blog/wp/wp-content/x\";}')")
	table("posts", "  `post_title` text DEFAULT NULL,\n  `post_status` varchar(20) COLLATE utf8mb4_unicode_520_nopad_ci DEFAULT 'publish',\n"+
		"  `post_date` datetime NOT NULL DEFAULT '0000-00-00 00:00:00',\n  FULLTEXT KEY `t` (`post_title`),\n",
		"(1,'ENGINE=MyISAM PAGE_CHECKSUM=1 and utf8mb4_uca1400_ai_ci\\nUSE `old`; DEFINER=`a`@`b` zwölf 😀','publish','0000-00-00 00:00:00')")
	table("users", "  `user_login` varchar(60) NOT NULL DEFAULT '',\n", "(1,'somebody')")
	for _, name := range []string{"commentmeta", "comments", "links", "postmeta", "term_relationships", "term_taxonomy", "termmeta", "terms", "usermeta"} {
		table(name, "", "")
	}
	dump.WriteString("/*!50003 SET collation_connection  = utf8mb4_uca1400_ai_ci */ ;\n" +
		"/*!50003 SET sql_mode              = 'NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION' */ ;\nDELIMITER ;;\n" +
		"/*!50003 CREATE*/ /*!50017 DEFINER=`old`@`localhost`*/ /*!50003 TRIGGER `noted` BEFORE INSERT ON `wp_links` FOR EACH ROW SET NEW.id = 7 */;;\nDELIMITER ;\n" +
		"-- Dump completed on 2026-11-29 12:00:00\n")
	return dump.String()
}

// bring has the scripts of an import meet a dump and files, as `make import` hands them over.
func (s *saved) bring(t *testing.T, dump string, files map[string]string) (said string, passed bool) {
	t.Helper()
	s.volume, s.drill, s.shared = volume(t), volume(t), volume(t)
	incoming := filepath.Join(s.drill, "incoming")
	noError(t, os.Mkdir(incoming, 0o755))
	noError(t, os.WriteFile(filepath.Join(incoming, "dump.sql"), []byte(dump), 0o644))
	noError(t, os.Mkdir(filepath.Join(s.volume, "wp-content"), 0o755))
	for name, text := range files {
		s.write(t, name, text)
	}
	noError(t, os.WriteFile(filepath.Join(incoming, "all"), fmt.Appendf(nil, "%x %d\n", sha256.Sum256([]byte(dump)), len(files)), 0o644))
	noError(t, os.Chown(incoming, user, user))
	receive := start(t, spec{
		root: unpack(t, "wordpress-7.1"), memory: []string{"/tmp"},
		volumes: map[string]string{"/scripts": folderOf(t, plannedIn(t, "prod", "receive.sh")), "/var/drill": s.drill, "/site": s.volume},
		command: []string{"bash", "/scripts/receive.sh"},
	})
	receive.succeeds(t)
	server := s.begin(t, nil, "serve.sh")
	defer server.kill()
	if said, passed = s.do(t, nil, "load.sh"); !passed {
		return said, false
	}
	move := s.startMove(t, "SOCKET=/var/drill/mysql.sock", "DATABASE=imported")
	move.succeeds(t)
	saved, passed := s.do(t, nil, "import.sh")
	return said + move.log.String() + saved, passed
}

// TestSiteFromAnotherHostIsImported with what its server writes, and begins here.
func TestSiteFromAnotherHostIsImported(t *testing.T) {
	needLong(t)
	s := newSaved(t)
	site, before := s.volume, s.state(t)
	files := map[string]string{"uploads/a picture.jpg": "a picture", "themes/old/style.css": "/* old */"}
	said, passed := s.bring(t, foreignDump(), files)
	for _, want := range []string{oldAddress + ": 12 tables, 1 posts, 0 comments, 1 users", "what led to " + oldAddress + " leads to " + newAddress + " now, in 3 rows"} {
		if !passed || !strings.Contains(said, want) {
			t.Fatalf("passed is %v, want %q:\n%s", passed, want, said)
		}
	}
	_, run, _ := strings.Cut(said, "make restore SNAPSHOT=")
	s.volume, s.shared, s.drill = site, "", ""
	s.fails(t, "no run of the backup is complete", nil, "drill.sh") // of this site there is none
	wayBack := s.restore(t, strings.TrimSpace(run))
	for query, want := range map[string]string{
		"SELECT GROUP_CONCAT(option_value ORDER BY id SEPARATOR ' ') FROM wordpress.wp_options":                newAddress + "/ " + newAddress + ` a:1:{s:1:"u";s:42:"https://wordpress.example.com/wp-content/x";}`,
		"SELECT CONCAT(REPLACE(post_title, '\n', '|'), post_date) FROM wordpress.wp_posts":                     "ENGINE=MyISAM PAGE_CHECKSUM=1 and utf8mb4_uca1400_ai_ci|USE `old`; DEFINER=`a`@`b` zwölf 😀0000-00-00 00:00:00",
		"SELECT GROUP_CONCAT(DISTINCT ENGINE) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'wordpress'": "InnoDB",
		"INSERT INTO wordpress.wp_links VALUES (1); SELECT id FROM wordpress.wp_links":                         "7",
	} {
		if got := s.admin(t, query); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", query, got, want)
		}
	}
	for name, want := range files {
		if text, err := os.ReadFile(filepath.Join(s.volume, "wp-content", name)); string(text) != want {
			t.Errorf("%s is %q, %v", name, text, err)
		}
	}
	s.restore(t, wayBack)
	if got := s.state(t); got != before {
		t.Errorf("on the way back:\n%s\nwant\n%s", got, before)
	}
}

// TestWhatIsNoSiteIsNotImported says what is wrong, and leaves no run.
func TestWhatIsNoSiteIsNotImported(t *testing.T) {
	needLong(t)
	s := newSaved(t)
	site, whole := s.volume, foreignDump()
	cut, _, _ := strings.Cut(whole, "DROP TABLE IF EXISTS `wp_terms`")
	for name, row := range map[string]struct{ dump, want string }{
		"other prefix": {strings.ReplaceAll(whole, "`wp_", "`old_"), "begin with old_, and those of this site with wp_"},
		"no WordPress": {"CREATE TABLE a (id INT);\n-- Dump completed\n", "the dump has no tables of a WordPress"},
		"no SQL":       {"<html>404</html>\n", "MySQL does not take the dump"},
		"cut":          {cut, "Where one of them made it, it is cut"},
		"a network":    {strings.Replace(whole, "-- Dump completed", "CREATE TABLE wp_blogs (id INT);\n-- Dump completed", 1), "a network of sites"},
		"no address":   {strings.Replace(whole, "'home'", "'hoem'", 1), "the address of the site, its option home, is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			said, passed := s.bring(t, row.dump, map[string]string{"index.php": "<?php"})
			if passed || !strings.Contains(said, row.want) {
				t.Errorf("passed is %v, want %q:\n%s", passed, row.want, said)
			}
		})
	}
	s.volume, s.shared, s.drill = site, "", ""
	s.fails(t, "there is no repository", []string{"SNAPSHOT=latest"}, "restore.sh")
}
