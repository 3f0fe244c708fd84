package images

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Passwords of the accounts, with what an options file treats specially.
const (
	dumpPassword    = `d"u\mp#`
	restorePassword = "restore"
)

// long has those run as well that take most of a minute each.
var long = flag.Bool("long", false, "also what takes most of a minute each")

func needLong(t *testing.T) {
	t.Helper()
	if !*long {
		t.Skip("only with -long, as `make verify` has it")
	}
}

// saved is a site with a server, a volume and a repository, on which the scripts of the backup run as in the pods, in the image of the server.
type saved struct {
	*mysql
	volume, repository, accounts, opens, tool string
	// shared and drill are folders that the containers of a pod share. Empty: each script has one of its own.
	shared, drill string
	// planned are the scripts as a stack has them, and edit changes them.
	planned map[string]string
	edit    func(name, text string) string
	// more scripts, of the test's own.
	more map[string]string
	// host is the name of the pods, by which restic tells whose a lock is. Empty: the machine's.
	host string
}

// newSaved makes the site on a server without a binary log, as the program's own is.
func newSaved(t *testing.T) *saved {
	t.Helper()
	return savedOn(t, func(s *saved) {
		server := s.spec()
		server.command = append(server.command, "--disable-log-bin")
		s.awaitReady(t, start(t, server))
	})
}

// savedOn makes the site on a server that serve starts: the tables that WordPress has and some with long names, what a plugin may define beside
// them, and files.
func savedOn(t *testing.T, serve func(*saved)) *saved {
	t.Helper()
	restic := unpack(t, "restic-0.19")
	s := &saved{
		mysql: newMySQL(t), volume: volume(t), repository: volume(t), accounts: folderOf(t, map[string]string{"database": dumpPassword, "restore": restorePassword}),
		opens:   folderOf(t, map[string]string{"password": "opens the repository", "credentials": "[default]\n"}),
		planned: plannedIn(t, "prod", "restore.sh"), edit: asPlanned,
	}
	s.tool = filepath.Join(restic, "usr", "bin")
	serve(s)
	s.admin(t, `
		CREATE USER 'wordpress-backup'@'%' IDENTIFIED BY 'd"u\\mp#';
		GRANT SHOW_ROUTINE ON *.* TO 'wordpress-backup'@'%';
		GRANT SELECT, SHOW VIEW, EVENT, TRIGGER ON wordpress.* TO 'wordpress-backup'@'%';
		CREATE USER 'wordpress-restore'@'%' IDENTIFIED BY 'restore';
		GRANT SHOW_ROUTINE ON *.* TO 'wordpress-restore'@'%';`)
	s.admin(t, "CREATE USER wordpress IDENTIFIED BY 'restore'; GRANT ALL ON wordpress.* TO wordpress")
	for _, database := range []string{"wordpress", `wordpress\_being\_restored`, `wordpress\_before\_restore`} {
		s.admin(t, "GRANT ALL ON `"+database+"`.* TO 'wordpress-restore'@'%'")
	}
	s.admin(t, `CREATE DATABASE wordpress CHARACTER SET utf8mb4;
		CREATE TABLE wordpress.wp_options (option_name VARCHAR(191) PRIMARY KEY, option_value LONGTEXT);
		INSERT INTO wordpress.wp_options VALUES ('home', 'https://wordpress.example.com'), ('upload_path', '');
		CREATE TABLE wordpress.wp_posts (ID INT PRIMARY KEY AUTO_INCREMENT, post_title TEXT, post_status VARCHAR(20));
		INSERT INTO wordpress.wp_posts (post_title, post_status) VALUES ('zwölf 😀 DEFINER=`+"`a`@`b`"+`', 'publish'), ('a second', 'publish');
		CREATE TABLE wordpress.wp_postmeta (meta_id INT PRIMARY KEY, meta_key VARCHAR(255), meta_value LONGTEXT);
		INSERT INTO wordpress.wp_postmeta VALUES (1, '_wp_attached_file', '2026/11/a picture.jpg');
		CREATE TABLE wordpress.wp_users (ID INT PRIMARY KEY); INSERT INTO wordpress.wp_users VALUES (1);
		CREATE TABLE wordpress.plugin (id INT PRIMARY KEY, note TEXT);
		CREATE DEFINER = wordpress TRIGGER wordpress.noted BEFORE INSERT ON wordpress.plugin FOR EACH ROW SET NEW.note = 'by the trigger';
		CREATE DEFINER = wordpress VIEW wordpress.titles AS SELECT post_title FROM wordpress.wp_posts;
		CREATE DEFINER = wordpress FUNCTION wordpress.twice(n INT) RETURNS INT DETERMINISTIC RETURN 2 * n;
		CREATE DEFINER = wordpress EVENT wordpress.nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM wordpress.plugin;`)
	for _, table := range []string{"commentmeta", "comments", "links", "term_relationships", "term_taxonomy", "termmeta", "terms", "usermeta"} {
		s.admin(t, "CREATE TABLE wordpress.wp_"+table+" (id INT PRIMARY KEY)")
	}
	for number := range 30 {
		s.admin(t, fmt.Sprintf("CREATE TABLE wordpress.wp_of_a_plugin_with_quite_a_long_name_%d (id INT PRIMARY KEY)", number))
	}
	for path, text := range map[string]string{
		"themes/one/style.css": "/* one */", "uploads/2026/11/a picture.jpg": "a picture", "plugins/index.php": "<?php", "cache/page": "kept",
	} {
		s.write(t, path, text)
	}
	return s
}

// folderOf files of the pods' user.
func folderOf(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := volume(t)
	for name, text := range files {
		path := filepath.Join(folder, name)
		noError(t, os.WriteFile(path, []byte(text), 0o444))
		noError(t, os.Chown(path, user, user))
	}
	return folder
}

// write a file of wp-content.
func (s *saved) write(t *testing.T, path, text string) {
	t.Helper()
	path = filepath.Join(s.volume, "wp-content", path)
	noError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	noError(t, os.WriteFile(path, []byte(text), 0o644))
	noError(t, run(exec.Command("chown", "-R", fmt.Sprintf("%d:%d", user, user), filepath.Join(s.volume, "wp-content"))))
}

func (s *saved) admin(t *testing.T, sql string) string {
	t.Helper()
	return s.query(t, "root", rootPassword, sql)
}

// begin starts a pod that runs the scripts one after the other.
func (s *saved) begin(t *testing.T, env []string, scripts ...string) *container {
	t.Helper()
	files := map[string]string{}
	replace := strings.NewReplacer("s3:https://s3.example.com/backups/wordpress", "/repository", `host=wordpress-mysql\nport=3306`,
		fmt.Sprintf(`host=127.0.0.1\nport=%d`, s.port))
	planned := maps.Clone(s.planned)
	bootstrap, err := os.ReadFile(filepath.Join(repository(t), "tests", "testdata", "bootstrap.golden.sh"))
	noError(t, err)
	planned["bootstrap.sh"] = string(bootstrap)
	for name, text := range planned {
		files[name] = s.edit(name, replace.Replace(text))
	}
	maps.Copy(files, s.more)
	var line []string
	for _, script := range scripts {
		line = append(line, "bash /scripts/"+script)
	}
	memory, volumes := []string{"/tmp"}, map[string]string{
		"/scripts": folderOf(t, files), "/tool": s.tool, "/repository": s.repository, "/site": s.volume, "/volume": s.volume,
		"/etc/wordpress-backup": s.opens, "/etc/wordpress-backup-accounts": s.accounts,
	}
	for path, folder := range map[string]string{"/shared": s.shared, "/var/drill": s.drill} {
		if folder == "" {
			memory = append(memory, path)
		} else {
			volumes[path] = folder
		}
	}
	return start(t, spec{
		root: s.root, memory: memory, volumes: volumes, host: s.host,
		env: append([]string{
			"DUMP_USER=wordpress-backup", "DUMP_PASSWORD_FILE=/etc/wordpress-backup-accounts/database", "RESTORE_USER=wordpress-restore",
			"RESTORE_PASSWORD_FILE=/etc/wordpress-backup-accounts/restore", "OWN_USER=wordpress", "OWN_PASSWORD_FILE=/etc/wordpress-backup-accounts/restore",
			"MINIMUM_POSTS=1", "MISSING_UPLOADS=0", "MAX_AGE_SECONDS=86400", "FROM=",
		}, env...),
		command: []string{"bash", "-c", strings.Join(line, " && ")},
	})
}

// do runs the scripts to their end.
func (s *saved) do(t *testing.T, env []string, scripts ...string) (said string, passed bool) {
	t.Helper()
	c := s.begin(t, env, scripts...)
	select {
	case <-c.done:
	case <-time.After(patience):
		t.Fatalf("%s still runs after %s:\n%s", scripts, patience, c.log)
	}
	return c.log.String(), c.state.Success()
}

// save makes a run of the backup.
func (s *saved) save(t *testing.T) {
	t.Helper()
	s.must(t, nil, "database.sh", "content.sh")
}

func (s *saved) must(t *testing.T, env []string, scripts ...string) string {
	t.Helper()
	said, passed := s.do(t, env, scripts...)
	if !passed {
		t.Fatalf("%s failed:\n%s", scripts, said)
	}
	return said
}

// fails wants the scripts to fail and to say so.
func (s *saved) fails(t *testing.T, want string, env []string, scripts ...string) {
	t.Helper()
	said, passed := s.do(t, env, scripts...)
	if passed || !strings.Contains(said, want) {
		t.Errorf("%s: passed is %v, want a failure with %q, got:\n%s", scripts, passed, want, said)
	}
}

// restore puts the run back, as the pod does that saves what is there first.
func (s *saved) restore(t *testing.T, run string) (wayBack string) {
	t.Helper()
	said := s.must(t, []string{"MARK=before", "SNAPSHOT=" + run}, "database.sh", "content.sh", "restore.sh")
	_, way, found := strings.Cut(said, "the way back: the same with SNAPSHOT=")
	if !found {
		t.Fatalf("no way back is told:\n%s", said)
	}
	return strings.TrimSpace(way)
}

// state of the site: what is in its database, and its files.
func (s *saved) state(t *testing.T) string {
	t.Helper()
	tables := s.admin(t, "SET SESSION group_concat_max_len = 100000; SELECT GROUP_CONCAT(CONCAT(TABLE_TYPE, TABLE_NAME) ORDER BY TABLE_NAME SEPARATOR ' ') FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'wordpress'")
	sums := s.admin(t, "SET SESSION group_concat_max_len = 100000; SELECT GROUP_CONCAT(CONCAT(ID, post_title, post_status) ORDER BY ID) FROM wordpress.wp_posts; "+
		"SELECT GROUP_CONCAT(TRIGGER_NAME) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'wordpress'; SELECT wordpress.twice(3); "+
		"SELECT GROUP_CONCAT(EVENT_NAME) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'wordpress'; SELECT GROUP_CONCAT(post_title) FROM wordpress.titles")
	files, err := exec.Command("sh", "-c", "cd "+filepath.Join(s.volume, "wp-content")+" && find . -type f ! -path './cache/*' -exec sha256sum {} + | sort -k 2").Output()
	noError(t, err)
	return tables + "\n" + sums + "\n" + string(files)
}

// spoil changes the site as mistakes do.
func (s *saved) spoil(t *testing.T) {
	t.Helper()
	s.admin(t, "UPDATE wordpress.wp_posts SET post_title = 'spoilt'; DROP TABLE wordpress.wp_of_a_plugin_with_quite_a_long_name_3; "+
		"CREATE TABLE wordpress.later (id INT PRIMARY KEY); DROP TRIGGER wordpress.noted; CREATE DEFINER = wordpress TRIGGER wordpress.another BEFORE INSERT ON wordpress.later "+
		"FOR EACH ROW SET NEW.id = 7; DROP EVENT wordpress.nightly")
	noError(t, os.Remove(filepath.Join(s.volume, "wp-content", "themes/one/style.css")))
	s.write(t, "themes/two/style.css", "/* two */")
	s.write(t, "uploads/2026/11/later.jpg", "later")
	s.write(t, "cache/page", "kept later")
}

func TestSavedSiteIsRestored(t *testing.T) {
	s := newSaved(t)
	before := s.state(t)
	s.save(t)
	s.spoil(t)
	spoilt := s.state(t)
	run := s.restore(t, "latest")
	if got := s.state(t); got != before {
		t.Errorf("restored:\n%s\nwant\n%s", got, before)
	}
	if note := s.admin(t, "INSERT INTO wordpress.plugin (id) VALUES (1); SELECT note FROM wordpress.plugin; DELETE FROM wordpress.plugin"); note != "by the trigger" {
		t.Errorf("the trigger does %q", note)
	}
	if kept, _ := os.ReadFile(filepath.Join(s.volume, "wp-content", "cache/page")); string(kept) != "kept later" {
		t.Errorf("what is not saved became %q", kept)
	}
	again := s.restore(t, run)
	if got := s.state(t); got != spoilt {
		t.Errorf("gone back:\n%s\nwant\n%s", got, spoilt)
	}
	// And once more: what a restore keeps beside the site is in no other one's way.
	s.restore(t, again)
	if got := s.state(t); got != before {
		t.Errorf("gone back and forth:\n%s\nwant\n%s", got, before)
	}
	s.admin(t, "DROP DATABASE wordpress; CREATE DATABASE wordpress")
	s.fails(t, "SAVE must be yes or no, and is perhaps", []string{"MARK=before", "SAVE=perhaps"}, "database.sh")
	s.must(t, []string{"MARK=before", "SAVE=no", "SNAPSHOT=latest"}, "database.sh", "content.sh", "restore.sh")
	if got := s.state(t); got != before {
		t.Errorf("restored to nothing:\n%s\nwant\n%s", got, before)
	}
}

// TestRestoreLeavesTheSiteAlone where it cannot end well.
func TestRestoreLeavesTheSiteAlone(t *testing.T) {
	s := newSaved(t)
	s.save(t)
	before := s.state(t)
	without := func(file, old, replacement string) func(string, string) string {
		return func(name, text string) string {
			if name != file {
				return text
			}
			if !strings.Contains(text, old) {
				t.Fatalf("%s has no %q", file, old)
			}
			return strings.ReplaceAll(text, old, replacement)
		}
	}
	// All tables do not fit into one statement then.
	s.edit = without("restore.sh", "SET SESSION group_concat_max_len = 4294967295;", "")
	s.fails(t, "tables came out with", []string{"SNAPSHOT=latest"}, "restore.sh")
	if got := s.state(t); got != before {
		t.Fatalf("the site became\n%s\nfrom\n%s", got, before)
	}
	s.edit = without("restore.sh", "https://wordpress.example.com", "https://third.example.com")
	s.admin(t, "UPDATE wordpress.wp_options SET option_value = 'https://other.example.com' WHERE option_name = 'home'")
	s.fails(t, "is of https://wordpress.example.com", []string{"SNAPSHOT=latest"}, "restore.sh")
	s.admin(t, "UPDATE wordpress.wp_options SET option_value = 'https://wordpress.example.com' WHERE option_name = 'home'")
	s.edit = asPlanned
	s.admin(t, "DROP DATABASE IF EXISTS wordpress_before_restore; CREATE DATABASE wordpress_before_restore; CREATE TABLE wordpress_before_restore.somebodys (id INT PRIMARY KEY)")
	s.fails(t, "made by no restore", []string{"SNAPSHOT=latest"}, "restore.sh")
	// Whoever restores at the same time has the lock.
	other := s.client("root", rootPassword, "SELECT GET_LOCK('restore of wordpress', 0); DO SLEEP(600)")
	noError(t, other.Start())
	defer func() { _, _ = other.Process.Kill(), other.Wait() }()
	await(t, "the lock", func() bool { return s.admin(t, "SELECT IS_FREE_LOCK('restore of wordpress')") == "0" })
	s.fails(t, "another restore is under way", []string{"SNAPSHOT=latest"}, "restore.sh")
	s.admin(t, "KILL "+s.admin(t, "SELECT IS_USED_LOCK('restore of wordpress')"))
	s.fails(t, "there is no complete run run-20200101T000000Z", []string{"SNAPSHOT=run-20200101T000000Z"}, "restore.sh")
	if got := s.state(t); got != before || s.admin(t, "SELECT COUNT(*) FROM wordpress_before_restore.somebodys") != "0" {
		t.Errorf("the site became\n%s\nfrom\n%s", got, before)
	}
}

// TestNoBackupIsBetterThanHalfOne tries what ends a dump early, and what the usual way makes of it.
func TestNoBackupIsBetterThanHalfOne(t *testing.T) {
	needLong(t)
	s := newSaved(t)
	s.save(t)
	s.admin(t, "ALTER USER 'wordpress-backup'@'%' IDENTIFIED BY 'another'")
	s.fails(t, "the database was not saved", nil, "database.sh", "content.sh")
	// As most do it.
	s.edit = func(_, text string) string {
		return strings.Replace(strings.Replace(text, "set -euo pipefail", "set -eu", 1), "snapshot database --stdin-filename wordpress.sql --stdin-from-command -- bash /scripts/dump.sh",
			"bash /scripts/dump.sh | snapshot database --stdin-filename wordpress.sql --stdin", 1)
	}
	s.do(t, nil, "database.sh")
	s.edit = asPlanned
	s.admin(t, `ALTER USER 'wordpress-backup'@'%' IDENTIFIED BY 'd"u\\mp#'`)
	// The one of the site, and the empty one of the pipe, which no mark names.
	if listed := s.must(t, []string{"TASK=list"}, "care.sh"); strings.Count(listed, `"tags":["database",`) != 2 || strings.Count(listed, `"complete"`) != 1 {
		t.Errorf("the list says\n%s", listed)
	}
	s.must(t, []string{"SNAPSHOT=latest"}, "restore.sh")
	// A dump that ends after a statement restores without an error.
	s.edit = func(name, text string) string {
		if name == "dump.sh" {
			return strings.Replace(text, "| whole", "| head -n -5", 1)
		}
		return text
	}
	s.save(t)
	s.edit = asPlanned
	s.fails(t, "could not be read to its end", []string{"SNAPSHOT=latest"}, "restore.sh")
	s.fails(t, "could not be read to its end", nil, "drill.sh")
}

func TestDrillFindsWhatIsWrong(t *testing.T) {
	s := newSaved(t)
	s.fails(t, "there is no repository", nil, "drill.sh")
	s.save(t)
	if said := s.must(t, nil, "drill.sh"); !strings.Contains(said, "43 tables, 2 posts, 1 users, 1 uploads of which 0 are missing, 3 files read and compared") {
		t.Errorf("the drill says\n%s", said)
	}
	s.admin(t, "UPDATE wordpress.wp_posts SET post_status = 'trash'; DELETE FROM wordpress.wp_users; "+
		"INSERT INTO wordpress.wp_postmeta VALUES (2, '_wp_attached_file', '2026/11/gone.jpg')")
	s.save(t)
	said, passed := s.do(t, []string{"MAX_AGE_SECONDS=1"}, "drill.sh")
	for _, want := range []string{
		"h old, and may be 0 h", "it has no user", "minimumPosts are 1", "and the last drill found 2", "not in wp-content, such as 2026/11/gone.jpg",
	} {
		if passed || !strings.Contains(said, want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
	if listed := s.must(t, []string{"TASK=list"}, "care.sh"); !strings.Contains(listed, `"passed":false,"reason":"the newest complete run`) {
		t.Errorf("the list says\n%s", listed)
	}
	s.admin(t, "UPDATE wordpress.wp_posts SET post_status = 'publish'; INSERT INTO wordpress.wp_users VALUES (1); "+
		"DELETE FROM wordpress.wp_postmeta WHERE meta_id = 2; RENAME TABLE wordpress.wp_terms TO wordpress.terms")
	s.save(t)
	s.fails(t, "the table wp_terms is missing", nil, "drill.sh")
	s.admin(t, "RENAME TABLE wordpress.terms TO wordpress.wp_terms")
	s.edit = func(_, text string) string {
		return strings.ReplaceAll(text, "https://wordpress.example.com", "https://other.example.com")
	}
	s.save(t)
	s.edit = asPlanned
	s.fails(t, "is of the site https://other.example.com, and this is https://wordpress.example.com", nil, "drill.sh")
	s.save(t)
	s.must(t, nil, "drill.sh")
}

// TestCareFindsDamage of the repository, which restic's ordinary check does not.
func TestCareFindsDamage(t *testing.T) {
	needLong(t)
	s := newSaved(t)
	s.write(t, "uploads/noise", noise(t, 3<<20))
	s.save(t)
	s.must(t, nil, "care.sh")
	packs, err := filepath.Glob(filepath.Join(s.repository, "data", "*", "*"))
	noError(t, err)
	largest, most := "", int64(0)
	for _, pack := range packs {
		info, err := os.Stat(pack)
		noError(t, err)
		if info.Size() > most {
			largest, most = pack, info.Size()
		}
	}
	whole, err := os.ReadFile(largest)
	noError(t, err)
	noError(t, os.Chmod(largest, 0o600))
	spoilt := append([]byte{}, whole...)
	spoilt[len(spoilt)/2] ^= 1
	noError(t, os.WriteFile(largest, spoilt, 0o600))
	s.edit = func(_, text string) string {
		return strings.NewReplacer(` --read-data-subset="$part/7"`, "", "restic prune ||", "true ||").Replace(text)
	}
	s.must(t, nil, "care.sh") // nothing but reading notices
	s.edit = func(_, text string) string { return strings.Replace(text, `"$part/7"`, "1/1", 1) }
	s.fails(t, "the repository is damaged", nil, "care.sh")
	s.edit = asPlanned
	s.fails(t, "could not be", []string{"SNAPSHOT=latest"}, "restore.sh")
	noError(t, os.Remove(largest))
	s.fails(t, "the repository is damaged", nil, "care.sh")
}

// noise that nothing compresses.
func noise(t *testing.T, length int) string {
	t.Helper()
	source, err := os.Open("/dev/urandom")
	noError(t, err)
	defer func() { _ = source.Close() }()
	bytes := make([]byte, length)
	_, err = source.Read(bytes)
	noError(t, err)
	return string(bytes)
}

// TestKilledBackupIsInNobodysWay kills runs at moments that are spread over one.
func TestKilledBackupIsInNobodysWay(t *testing.T) {
	needLong(t)
	s := newSaved(t)
	began := time.Now()
	s.save(t)
	took := time.Since(began)
	const moments = 3
	for moment := range moments {
		s.write(t, "uploads/noise", noise(t, 1<<20))
		c := s.begin(t, nil, "database.sh", "content.sh")
		select {
		case <-c.done:
		case <-time.After(took * time.Duration(moment+1) / (moments + 1)):
			noError(t, c.process.Signal(syscall.SIGKILL))
			<-c.done
		}
	}
	s.write(t, "uploads/last", "last")
	before := s.state(t)
	s.save(t)
	s.must(t, nil, "care.sh")
	s.must(t, nil, "drill.sh")
	s.spoil(t)
	s.restore(t, "latest")
	if got := s.state(t); got != before {
		t.Errorf("restored:\n%s\nwant\n%s", got, before)
	}
}

// TestBackupWaitsForNobodyWithWhatCanWait has another pod hold a lock for longer than anybody waits here, as one that died leaves it.
func TestBackupWaitsForNobodyWithWhatCanWait(t *testing.T) {
	needLong(t)
	s := newSaved(t)
	s.save(t)
	s.more = map[string]string{"busy.sh": ". /scripts/common.sh\nrestic backup --host wordpress --stdin-filename busy --stdin-from-command -- sleep 3600\n"}
	s.host = "one"
	busy := s.begin(t, nil, "busy.sh")
	busy.await(t, "its lock", func() bool {
		locks, _ := filepath.Glob(filepath.Join(s.repository, "locks", "*"))
		return len(locks) > 0
	})
	s.host = "another"
	if said := s.must(t, nil, "database.sh", "content.sh"); !strings.Contains(said, "stays until the next run") {
		t.Errorf("the run lets go what it cannot:\n%s", said)
	}
	s.must(t, nil, "drill.sh")
	busy.kill()
}

// TestBackupSaysWhatIsWrong with what opens the repository.
func TestBackupSaysWhatIsWrong(t *testing.T) {
	s := newSaved(t)
	s.fails(t, "there is no repository", []string{"SNAPSHOT=latest"}, "restore.sh")
	s.save(t)
	s.opens = folderOf(t, map[string]string{"password": "another", "credentials": ""})
	for _, script := range []string{"database.sh", "care.sh", "drill.sh", "restore.sh"} {
		s.fails(t, "the password is not that of the repository", []string{"SNAPSHOT=latest"}, script)
	}
}

// TestNewStackBeginsAsTheSiteThatWas also where earlier attempts were killed, and leaves a site that is there alone.
func TestNewStackBeginsAsTheSiteThatWas(t *testing.T) {
	s := newSaved(t)
	s.save(t)
	before := s.state(t)
	latest := []string{"SNAPSHOT=latest"}
	s.spoil(t)
	spoilt := s.state(t)
	if said := s.must(t, latest, "bootstrap.sh"); !strings.Contains(said, "the site is there already") || s.state(t) != spoilt {
		t.Errorf("a site that is there became\n%s\nand was\n%s\n%s", s.state(t), spoilt, said)
	}
	lose := func() {
		s.admin(t, "DROP DATABASE wordpress; CREATE DATABASE wordpress CHARACTER SET utf8mb4")
		s.volume = volume(t)
	}
	lose()
	began := time.Now()
	s.must(t, latest, "bootstrap.sh")
	took := time.Since(began)
	if got := s.state(t); got != before {
		t.Errorf("began as\n%s\nwant\n%s", got, before)
	}
	lose()
	s.edit = func(_, text string) string {
		return strings.ReplaceAll(text, "https://wordpress.example.com", "https://other.example.com")
	}
	s.fails(t, "is of https://wordpress.example.com, and this is https://other.example.com", latest, "bootstrap.sh")
	if tables := s.admin(t, "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'wordpress'"); tables != "0" {
		t.Errorf("of another site there are %s tables", tables)
	}
	s.edit = asPlanned
	if !*long {
		return
	}
	lose()
	const moments = 3
	for moment := range moments {
		c := s.begin(t, latest, "bootstrap.sh")
		select {
		case <-c.done:
		case <-time.After(took * time.Duration(moment+1) / (moments + 1)):
			c.kill()
		}
	}
	s.must(t, latest, "bootstrap.sh")
	if got := s.state(t); got != before {
		t.Errorf("after some that were killed it began as\n%s\nwant\n%s", got, before)
	}
}
