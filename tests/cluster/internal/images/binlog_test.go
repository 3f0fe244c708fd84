package images

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// logPassword of the account that reads the binary log.
const logPassword = "log"

// logged is a saved site whose server keeps its binary log as the program has it.
type logged struct {
	*saved
	server *container
}

// newLogged makes the site, with the server's own settings of a stack with a binary log.
func newLogged(t *testing.T) *logged {
	t.Helper()
	l := &logged{}
	l.saved = savedOn(t, func(s *saved) { l.server = l.serve(t, s.mysql) })
	l.planned = plannedIn(t, "binlog", "replay.sh")
	l.admin(t, "CREATE USER 'wordpress-binlog'@'%' IDENTIFIED BY 'log'; GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'wordpress-binlog'@'%'")
	noError(t, os.WriteFile(filepath.Join(l.accounts, "binlog"), []byte(logPassword), 0o444))
	return l
}

// serve starts the server on the volume that it has.
func (*logged) serve(t *testing.T, m *mysql) *container {
	t.Helper()
	s := m.spec()
	s.volumes["/volume"] = m.data
	data := filepath.Join(m.data, "mysql")
	noError(t, os.MkdirAll(data, 0o755))
	noError(t, os.Chown(data, user, user))
	s.volumes["/var/lib/mysql"] = data
	scripts := plannedIn(t, "binlog", "start.sh")
	s.volumes["/run/start.sh"] = file(t, scripts["start.sh"])
	noError(t, os.WriteFile(filepath.Join(m.scripts, "zz-complete.sh"), []byte(scripts["complete.sh"]), 0o444))
	s.volumes["/etc/mysql/conf.d/wordpress.cnf"] = file(t, regexp.MustCompile(`innodb_buffer_pool_size = \d+`).
		ReplaceAllString(scripts["wordpress.cnf"], "innodb_buffer_pool_size = 134217728"))
	s.volumes["/etc/mysql/conf.d/test.cnf"] = file(t, fmt.Sprintf("[mysqld]\nport = %d\nbind-address = 127.0.0.1\nmysqlx = OFF\n", m.port))
	s.command = []string{"sh", "/run/start.sh"}
	c := start(t, s)
	m.awaitReady(t, c)
	return c
}

// restart ends the server, and starts it again.
func (l *logged) restart(t *testing.T) {
	t.Helper()
	l.server.stop(t, syscall.SIGTERM)
	l.server = l.serve(t, l.mysql)
}

// ofLog are what a pod has that brings the log to the storage.
var ofLog = []string{"BINLOG_USER=wordpress-binlog", "BINLOG_PASSWORD_FILE=/etc/wordpress-backup-accounts/binlog"}

// ship brings what there is of the log.
func (l *logged) ship(t *testing.T) (said string) {
	t.Helper()
	return l.must(t, ofLog, "ship.sh")
}

// turn waits for the server's clock to come to another second, and tells it.
func (l *logged) turn(t *testing.T) string {
	t.Helper()
	const clock = "SELECT UTC_TIMESTAMP()"
	before := l.admin(t, clock)
	after := before
	await(t, "the next second", func() bool {
		after = l.admin(t, clock)
		return after != before
	})
	return after
}

// comments writes numbered ones, each in a second of its own, and tells the seconds.
func (l *logged) comments(t *testing.T, first, count int) (at []string) {
	t.Helper()
	for number := first; number < first+count; number++ {
		at = append(at, l.turn(t))
		l.admin(t, fmt.Sprintf("INSERT INTO wordpress.numbered VALUES (%d); INSERT INTO wordpress.keyless VALUES (%[1]d); "+
			"REPLACE INTO wordpress.wp_options VALUES ('_transient_a', '%[1]d')", number))
	}
	return at
}

// tables that the tests write to. The second has no key, not even one that nobody sees.
const numberedTables = "CREATE TABLE wordpress.numbered (id INT PRIMARY KEY); SET SESSION sql_generate_invisible_primary_key = OFF; " +
	"CREATE TABLE wordpress.keyless (id INT)"

// numbers that a table has, in order.
func (l *logged) numbers(t *testing.T, table string) string {
	t.Helper()
	return l.admin(t, "SELECT COALESCE(GROUP_CONCAT(id ORDER BY id), '') FROM wordpress."+table)
}

// restoreTo puts the site back to a second, without saving what is there.
func (l *logged) restoreTo(t *testing.T, at string) {
	t.Helper()
	l.must(t, []string{"MARK=before", "SAVE=no", "SNAPSHOT=latest", "AT=" + at}, "replay.sh", "restore.sh")
}

// wantUpTo wants the numbers below one, and no others.
func (l *logged) wantUpTo(t *testing.T, number int) {
	t.Helper()
	var want []string
	for n := range number {
		want = append(want, fmt.Sprint(n))
	}
	for _, table := range []string{"numbered", "keyless"} {
		if got := l.numbers(t, table); got != strings.Join(want, ",") {
			t.Errorf("to the second of number %d: the table %s has %q", number, table, got)
		}
	}
}

func TestEverySecondIsRestored(t *testing.T) {
	l := newLogged(t)
	l.admin(t, numberedTables)
	l.ship(t)
	l.save(t)
	count, tried := 5, []int{2}
	if *long {
		count, tried = 20, nil
		for number := range count {
			tried = append(tried, number)
		}
	}
	at := l.comments(t, 0, count)
	// What a plugin and a restore do in between is replayed too, with accounts left out.
	l.admin(t, "ALTER TABLE wordpress.numbered ADD COLUMN note VARCHAR(20) DEFAULT 'added'; CREATE TABLE wordpress.of_a_plugin (n INT); "+
		"INSERT INTO wordpress.of_a_plugin VALUES (1), (2); ALTER USER wordpress IDENTIFIED BY 'restore' RETAIN CURRENT PASSWORD; ALTER USER wordpress DISCARD OLD PASSWORD; "+
		"DROP TRIGGER wordpress.noted; UPDATE wordpress.of_a_plugin SET n = 3 WHERE n = 2")
	end := l.turn(t)
	l.turn(t)
	l.admin(t, "DELETE FROM wordpress.numbered; DROP TABLE wordpress.keyless, wordpress.of_a_plugin; UPDATE wordpress.wp_posts SET post_title = 'spoilt'")
	l.ship(t)

	l.restoreTo(t, end)
	l.wantUpTo(t, count)
	if got := l.admin(t, "SELECT GROUP_CONCAT(n ORDER BY n), (SELECT COUNT(*) FROM wordpress.numbered WHERE note = 'added'), (SELECT COUNT(*) FROM information_schema.TRIGGERS "+
		"WHERE TRIGGER_SCHEMA = 'wordpress'), (SELECT COUNT(*) FROM wordpress.wp_posts WHERE post_title = 'spoilt') FROM wordpress.of_a_plugin"); got != fmt.Sprintf("1,3\t%d\t0\t0", count) {
		t.Errorf("restored to the end: %q", got)
	}
	for _, number := range tried {
		l.restoreTo(t, at[number])
		l.wantUpTo(t, number)
	}
	// After those restores, which are in the log themselves.
	last := tried[len(tried)-1]
	after := l.turn(t)
	l.turn(t)
	l.admin(t, "DELETE FROM wordpress.numbered")
	l.ship(t)
	l.restoreTo(t, strings.Replace(after, " ", "T", 1)+"Z")
	l.wantUpTo(t, last)
}

// TestSecondsThatCannotBeHadAreRefused leaves the site as it was, and says which can.
func TestSecondsThatCannotBeHadAreRefused(t *testing.T) {
	l := newLogged(t)
	l.admin(t, numberedTables)
	refused := func(want, at string, more ...string) {
		t.Helper()
		l.fails(t, want, append([]string{"SNAPSHOT=latest", "AT=" + at}, more...), "replay.sh")
	}
	l.planned = plannedIn(t, "prod", "restore.sh")
	l.save(t)
	l.fails(t, "there is no binary log to go by", []string{"SNAPSHOT=latest", "AT=2026-11-29 14:03:07"}, "database.sh")
	l.planned = plannedIn(t, "binlog", "replay.sh")
	refused("no run knows where it is in the binary log", "2026-01-01 00:00:00")
	l.save(t)
	l.turn(t)
	refused("there is no repository", l.turn(t))
	l.ship(t)
	refused("is older than the binary log in the storage", l.turn(t))
	l.turn(t)
	l.save(t)
	for _, at := range []string{"yesterday", "2026-13-01 00:00:00", "2026-11-29 14:03", "2026-11-29 14:03:07'; DROP"} {
		refused("must be a second in UTC such as", at)
	}
	refused("that is still to come", "2099-01-01 00:00:00")
	refused("the first run that can be gone on from is run-", "2026-01-01 00:00:00")
	refused("is not from before that", l.turn(t), "SNAPSHOT=run-20200101T000000Z")
	at := l.comments(t, 0, 3)
	refused("which is the last second that can be restored by now", at[2])
	l.ship(t)
	l.restoreTo(t, at[2])
	l.wantUpTo(t, 2)

	// A night in which the storage is away for longer than the server keeps its log.
	l.admin(t, "FLUSH BINARY LOGS")
	lost := l.comments(t, 2, 1)[0]
	l.turn(t)
	l.admin(t, "FLUSH BINARY LOGS")
	l.admin(t, "PURGE BINARY LOGS TO '"+strings.Fields(l.admin(t, "SHOW BINARY LOG STATUS"))[0]+"'")
	if said := l.ship(t); !strings.Contains(said, "A GAP: the binary log does not go on where it was: the server has let go of") {
		t.Errorf("no gap is told:\n%s", said)
	}
	refused("the binary log has a gap from", lost)
	refused("the binary log has a gap from", l.turn(t))
	l.save(t)
	// What was written in the gap is in the run after it.
	after := l.comments(t, 3, 2)
	l.ship(t)
	l.restoreTo(t, after[1])
	l.wantUpTo(t, 4)
}

// TestShippingGoesOn after whatever ends it, and notices a server that has another past.
func TestShippingGoesOn(t *testing.T) {
	l := newLogged(t)
	l.admin(t, numberedTables)
	l.ship(t)
	l.save(t)
	l.edit = func(_, text string) string { return strings.ReplaceAll(text, "pause=15", "pause=1") }
	at := l.comments(t, 0, 1)
	l.restart(t)
	at = append(at, l.comments(t, 1, 1)...)
	pod := l.begin(t, append([]string{"EVERY_SECONDS=1"}, ofLog...), "binlog.sh")
	pod.await(t, "shipment", func() bool { return strings.Contains(pod.log.String(), "the binary log is in the storage: 2 files") })
	moment := l.turn(t)
	pod.kill()
	l.admin(t, "FLUSH BINARY LOGS")
	pod = l.begin(t, append([]string{"EVERY_SECONDS=1"}, ofLog...), "binlog.sh")
	l.server.stop(t, syscall.SIGTERM)
	pod.await(t, "complaint", func() bool { return strings.Contains(pod.log.String(), "is tried again in 1 s") })
	l.server = l.serve(t, l.mysql)
	shipments := func() int { return strings.Count(pod.log.String(), "the binary log is in the storage") }
	before := shipments()
	pod.await(t, "shipment", func() bool { return shipments() > before })
	noError(t, pod.process.Signal(syscall.SIGTERM))
	<-pod.done
	l.comments(t, 2, 1)
	if said := l.ship(t); strings.Contains(said, "A GAP") {
		t.Errorf("a gap where there is none:\n%s", said)
	}
	l.restoreTo(t, at[1])
	l.wantUpTo(t, 1)
	if !*long {
		return
	}
	l.restoreTo(t, moment)
	l.wantUpTo(t, 2)
	// Care lets go of what others hold, and nothing else.
	l.must(t, nil, "care.sh")
	l.restoreTo(t, at[1])
	l.wantUpTo(t, 1)
	if listed := l.must(t, []string{"TASK=list"}, "care.sh"); !strings.Contains(listed, `{"binlog":[{`) {
		t.Errorf("the list says\n%s", listed)
	}
	if said := l.must(t, nil, "drill.sh"); !strings.Contains(said, "without a primary key, so that a restore to a second may have rows of it twice: keyless") {
		t.Errorf("the drill says\n%s", said)
	}

	// A server without a log lets go of what it had, and one with it begins anew.
	l.server.stop(t, syscall.SIGTERM)
	noError(t, os.RemoveAll(filepath.Join(l.data, "tmp", "binlog")))
	l.server = l.serve(t, l.mysql)
	if said := l.ship(t); !strings.Contains(said, "A GAP: the binary log does not go on where it was") {
		t.Errorf("no gap is told:\n%s", said)
	}
}

// TestNaiveReplaysAreWrong shows what the tests before try.
func TestNaiveReplaysAreWrong(t *testing.T) {
	needLong(t)
	l := newLogged(t)
	l.admin(t, numberedTables)
	// The storage has a file with what the dump holds, and nothing from before that.
	l.admin(t, "FLUSH BINARY LOGS")
	l.admin(t, "PURGE BINARY LOGS TO '"+strings.Fields(l.admin(t, "SHOW BINARY LOG STATUS"))[0]+"'")
	l.ship(t)
	l.comments(t, 0, 2)
	l.save(t)
	// A run does not know what came in the second of its end.
	l.turn(t)
	l.turn(t)
	l.admin(t, "INSERT INTO wordpress.numbered VALUES (2); INSERT INTO wordpress.keyless VALUES (2)")
	l.turn(t)
	at := l.turn(t)
	l.ship(t)
	l.restoreTo(t, at)
	l.wantUpTo(t, 3)

	edited := func(old, replacement string) {
		l.edit = func(name, text string) string {
			if name != "replay.sh" {
				return text
			}
			if !strings.Contains(text, old) {
				t.Fatalf("%s has no %q", name, old)
			}
			return strings.Replace(text, old, replacement, 1)
		}
	}
	edited(`mysqlbinlog --no-defaults --idempotent`, `TZ=CET-1 mysqlbinlog --no-defaults --idempotent`)
	l.restoreTo(t, at)
	if got := l.numbers(t, "numbered"); got != "0,1" {
		t.Errorf("in another time zone there is %q", got)
	}
	edited(`--exclude-gtids="$held"`, ``)
	l.restoreTo(t, at)
	if got := l.numbers(t, "numbered"); got != "0,1,2" {
		t.Errorf("with what the dump holds done again, a table with a key has %q", got)
	}
	if got := l.numbers(t, "keyless"); got != "0,0,1,1,2" {
		t.Errorf("with what the dump holds done again, a table without a key has %q", got)
	}
	l.edit = asPlanned
}

// TestAccountOfTheLogHasNoOtherRight than to read it.
func TestAccountOfTheLogHasNoOtherRight(t *testing.T) {
	l := newLogged(t)
	if got := l.query(t, "wordpress-binlog", logPassword, "SHOW GRANTS"); got != "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `wordpress-binlog`@`%`" {
		t.Errorf("it has %s", got)
	}
	if err := l.client("wordpress-binlog", logPassword, "SELECT * FROM wordpress.wp_options").Run(); err == nil {
		t.Error("it reads the site")
	}
}
