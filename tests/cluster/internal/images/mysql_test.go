package images

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// Passwords with everything that shells treat specially, and that the program lets through to the image, which writes
	// them into SQL and root's into an options file as they are.
	rootPassword = "r0ot &$%`(;"
	userPassword = "us\"er #&$%`(;"
)

// mysql is a database server under test.
type mysql struct {
	root, data, scripts, seen string
	passwords                 [2]string // files
	port                      int
}

func newMySQL(t *testing.T) *mysql {
	t.Helper()
	return &mysql{
		root:      unpack(t, "mysql-9.7"),
		data:      volume(t),
		scripts:   volume(t),
		seen:      volume(t),
		passwords: [2]string{file(t, rootPassword), file(t, userPassword)},
		port:      freePort(t),
	}
}

func (m *mysql) start(t *testing.T) *container {
	t.Helper()
	return start(t, m.spec())
}

func (m *mysql) spec() spec {
	return spec{
		root:   m.root,
		memory: []string{"/tmp", "/run/mysqld"},
		volumes: map[string]string{
			"/var/lib/mysql":              m.data,
			"/docker-entrypoint-initdb.d": m.scripts,
			"/run/secrets-root":           m.passwords[0],
			"/run/secrets-user":           m.passwords[1],
			"/mnt":                        m.seen,
		},
		env: []string{
			"MYSQL_ROOT_PASSWORD_FILE=/run/secrets-root",
			"MYSQL_PASSWORD_FILE=/run/secrets-user",
			"MYSQL_USER=word_press",
			"MYSQL_DATABASE=word_press",
		},
		command: []string{"docker-entrypoint.sh", fmt.Sprintf("--port=%d", m.port), "--bind-address=127.0.0.1", "--mysqlx=OFF"},
	}
}

func (m *mysql) awaitReady(t *testing.T, c *container) {
	t.Helper()
	c.await(t, "server on its port", func() bool {
		return strings.Contains(c.log.String(), fmt.Sprintf("port: %d ", m.port))
	})
}

// query runs SQL over the network and returns the rows as text.
func (m *mysql) query(t *testing.T, account, password, sql string) string {
	t.Helper()
	output, err := m.client(account, password, sql).Output()
	noError(t, err)
	return strings.TrimSpace(string(output))
}

// client is the command that runs SQL over the network.
func (m *mysql) client(account, password, sql string) *exec.Cmd {
	cmd := exec.Command("chroot", m.root, "mysql", "--no-defaults", "--host=127.0.0.1", fmt.Sprintf("--port=%d", m.port),
		"--user="+account, "--skip-column-names", "--batch", "--execute="+sql)
	cmd.Env = append(os.Environ(), "MYSQL_PWD="+password)
	return cmd
}

func (m *mysql) checkAccounts(t *testing.T) {
	t.Helper()
	if got := m.query(t, "root", rootPassword, "SELECT CURRENT_USER()"); got != "root@%" {
		t.Errorf("root is %q", got)
	}
	const sql = "SELECT CURRENT_USER(), (SELECT COUNT(*) FROM word_press.marks)"
	if got := m.query(t, "word_press", userPassword, sql); got != "word_press@%\t1" {
		t.Errorf("user and number of rows that the scripts made: %q", got)
	}
}

// firstStages are files that appear one after the other during a first start, up to the table of a script of the site's own; the
// program's last step comes after that.
var firstStages = []string{"undo_001", "mysql", "private_key.pem", "word_press", "word_press/marks.ibd"}

// planned is the server as the program starts it: a folder of the volume as its data, start.sh in front of the image's entrypoint and
// complete.sh as the last of its scripts. It returns the data directory.
func (m *mysql) planned(t *testing.T) (s spec, data string) {
	t.Helper()
	scripts := plannedFilesBeside(t, "start.sh")
	data = filepath.Join(m.data, "mysql")
	noError(t, os.Mkdir(data, 0o755))
	noError(t, os.Chown(data, user, user))
	noError(t, os.WriteFile(filepath.Join(m.scripts, "zz-complete.sh"), []byte(scripts["complete.sh"]), 0o444))
	s = m.spec()
	s.volumes["/volume"] = m.data
	s.volumes["/var/lib/mysql"] = data
	s.volumes["/run/start.sh"] = file(t, scripts["start.sh"])
	s.volumes["/etc/mysql/conf.d/wordpress.cnf"] = file(t, scripts["wordpress.cnf"])
	// What the plain image gets as arguments; the program's script gives it none.
	s.volumes["/etc/mysql/conf.d/test.cnf"] = file(t,
		fmt.Sprintf("[mysqld]\nport = %d\nbind-address = 127.0.0.1\nmysqlx = OFF\n", m.port))
	s.command = []string{"sh", "/run/start.sh"}
	return s, data
}

// between is what a script does after its table is there: nothing, or wait for longer than anybody does who kills it then.
const (
	straightOn  = ""
	untilKilled = "DO SLEEP(600);"
)

// withMarks has the image's first start run a script that makes a table.
func (m *mysql) withMarks(t *testing.T, between string) {
	t.Helper()
	noError(t, os.WriteFile(filepath.Join(m.scripts, "10-marks.sql"),
		[]byte("CREATE TABLE marks (id INT PRIMARY KEY); "+between+" INSERT INTO marks VALUES (1);"), 0o644))
}

// TestMySQLRecoversFromAKilledFirstStart kills the first start at every stage of it, each time on what the last one left.
func TestMySQLRecoversFromAKilledFirstStart(t *testing.T) {
	m := newMySQL(t)
	m.withMarks(t, untilKilled)
	planned, data := m.planned(t)
	marker := filepath.Join(m.data, ".initialising")

	for _, stage := range firstStages {
		c := start(t, planned)
		// Files of the start before, which this one removes first, are no stage of it.
		c.await(t, "beginning", func() bool { return strings.Contains(c.log.String(), "initialising /var/lib/mysql") })
		c.await(t, "stage "+stage, func() bool { return exists(filepath.Join(data, stage)) })
		c.kill()
		if !exists(marker) {
			t.Fatalf("killed when %q appeared, and there is no marker", stage)
		}
	}
	m.withMarks(t, straightOn)
	// The last one left a table of somebody's, as a restored copy would be: nothing is deleted until that is gone.
	c := start(t, planned)
	c.await(t, "refusal", func() bool { return strings.Contains(c.log.String(), "marks.ibd is there, which no first start makes") })
	noError(t, os.RemoveAll(filepath.Join(data, "word_press")))
	// From the program's last step on, the database is complete.
	c.await(t, "last step", func() bool { return !exists(marker) })
	c.kill()

	for range 2 {
		c = start(t, planned)
		m.awaitReady(t, c)
		m.checkAccounts(t)
		c.stop(t, syscall.SIGTERM)
	}
}

// TestMySQLBuildsIndexesOnTheVolume looks at the files that a server has open while it sorts: they have no names any more.
func TestMySQLBuildsIndexesOnTheVolume(t *testing.T) {
	m := newMySQL(t)
	m.withMarks(t, straightOn)
	planned, _ := m.planned(t)
	c := start(t, planned)
	m.awaitReady(t, c)
	const table = "CREATE TABLE word_press.words (word CHAR(200)); SET cte_max_recursion_depth = 1000000;" +
		"INSERT INTO word_press.words WITH RECURSIVE n AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM n WHERE n < 300000) SELECT SHA2(n, 512) FROM n;"
	m.query(t, "root", rootPassword, table)
	indexed := make(chan error, 1)
	go func() {
		indexed <- m.client("root", rootPassword, "ALTER TABLE word_press.words ADD INDEX (word)").Run()
	}()
	var disk syscall.Stat_t
	noError(t, syscall.Stat(m.data, &disk))
	var onVolume, elsewhere int64
	for building := true; building; {
		select {
		case err := <-indexed:
			noError(t, err)
			building = false
		default:
			sizes := deletedFiles(t, c)
			onVolume = max(onVolume, sizes[disk.Dev])
			delete(sizes, disk.Dev)
			for _, size := range sizes {
				elsewhere = max(elsewhere, size)
			}
		}
	}
	if onVolume < 10<<20 || elsewhere > 0 {
		t.Errorf("an index was built with %d bytes on the volume and %d elsewhere", onVolume, elsewhere)
	}
}

// deletedFiles are the bytes that a container's process keeps on each device in files without a name.
func deletedFiles(t *testing.T, c *container) map[uint64]int64 {
	t.Helper()
	folder := fmt.Sprintf("/proc/%d/fd", c.process.Pid)
	open, err := os.ReadDir(folder)
	noError(t, err)
	sizes := map[uint64]int64{}
	for _, file := range open {
		path := filepath.Join(folder, file.Name())
		name, _ := os.Readlink(path)
		var state syscall.Stat_t
		if strings.HasSuffix(name, " (deleted)") && syscall.Stat(path, &state) == nil && state.Mode&syscall.S_IFMT == syscall.S_IFREG {
			sizes[state.Dev] += state.Size
		}
	}
	return sizes
}

// TestMySQLImageAloneDoesNotRecover shows that the test before tries something: without the program's scripts the image, like the
// official one, never gets over a first start that was killed.
func TestMySQLImageAloneDoesNotRecover(t *testing.T) {
	for _, stage := range firstStages {
		t.Run(filepath.Base(stage), func(t *testing.T) {
			m := newMySQL(t)
			m.withMarks(t, untilKilled)
			c := m.start(t)
			c.await(t, "stage "+stage, func() bool { return exists(filepath.Join(m.data, stage)) })
			c.kill()
			m.withMarks(t, straightOn)

			c = m.start(t)
			if m.serves(t, c) && m.hasAccounts() {
				t.Errorf("killed when %q appeared, the image recovers by itself", stage)
			}
		})
	}
}

// serves waits until the server is on its port, or has ended.
func (m *mysql) serves(t *testing.T, c *container) bool {
	t.Helper()
	deadline := time.After(patience)
	for !strings.Contains(c.log.String(), fmt.Sprintf("port: %d ", m.port)) {
		select {
		case <-c.done:
			return false
		case <-deadline:
			t.Fatalf("neither serves nor ends within %s", patience)
		case <-time.After(5 * time.Millisecond):
		}
	}
	return true
}

// hasAccounts reports whether the user of the site finds what the scripts of a complete first start made.
func (m *mysql) hasAccounts() bool {
	cmd := m.client("word_press", userPassword, "SELECT COUNT(*) FROM word_press.marks")
	output, err := cmd.Output()
	return err == nil && strings.TrimSpace(string(output)) == "1"
}

// TestMySQLKeepsSecrets looks at every process's command line while a script of initialisation runs, at the log, and at the environment
// of the server that is left. The image hands the passwords on; the program's own last step takes them out.
func TestMySQLKeepsSecrets(t *testing.T) {
	m := newMySQL(t)
	const script = "#!/bin/sh\ncat /proc/[0-9]*/cmdline >/mnt/seen\n[ -z \"${MYSQL_PASSWORD:-}\" ] || echo handed on >>/mnt/seen\n"
	noError(t, os.WriteFile(filepath.Join(m.scripts, "look.sh"), []byte(script), 0o755))
	noError(t, os.WriteFile(filepath.Join(m.scripts, "table.sql"),
		[]byte("CREATE TABLE marks (id INT PRIMARY KEY); INSERT INTO marks VALUES (1);"), 0o644))
	complete := strings.ReplaceAll(plannedFilesBeside(t, "complete.sh")["complete.sh"], "/volume", "/mnt")
	noError(t, os.WriteFile(filepath.Join(m.scripts, "zz-complete.sh"), []byte(complete), 0o444))
	c := m.start(t)
	m.awaitReady(t, c)
	m.checkAccounts(t)

	seen, err := os.ReadFile(filepath.Join(m.seen, "seen"))
	noError(t, err)
	if !strings.Contains(string(seen), "--skip-networking") {
		t.Error("the server of the initialisation listens on the network")
	}
	if !strings.Contains(string(seen), "handed on") {
		t.Error("the image keeps the passwords to itself, which the official one does not: nothing was tried")
	}
	last, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", c.process.Pid))
	noError(t, err)
	for _, password := range []string{rootPassword, userPassword} {
		for where, text := range map[string]string{"processes": string(seen), "the server": string(last), "the log": c.log.String()} {
			if strings.Contains(text, password) {
				t.Errorf("a password is visible in %s", where)
			}
		}
	}
	if zones := m.query(t, "root", rootPassword, "SELECT COUNT(*) > 300 FROM mysql.time_zone_name"); zones != "1" {
		t.Error("the time zones are missing")
	}
	if got := m.query(t, "root", rootPassword, "SELECT LOAD_FILE('/etc/passwd') IS NULL"); got != "1" {
		t.Error("a client can read the server's files")
	}
}

// TestMySQLDropsRoot starts the image as its own documentation does: as root.
func TestMySQLDropsRoot(t *testing.T) {
	m := newMySQL(t)
	s := m.spec()
	s.asRoot = true
	c := start(t, s)
	m.awaitReady(t, c)
	info, err := os.Stat(fmt.Sprintf("/proc/%d", c.process.Pid))
	noError(t, err)
	if uid := info.Sys().(*syscall.Stat_t).Uid; uid != 999 {
		t.Errorf("the server runs as user %d, not as mysql (999)", uid)
	}
	c.stop(t, syscall.SIGTERM)
}

// TestMySQLRefuses gives the entrypoint what it cannot start with.
func TestMySQLRefuses(t *testing.T) {
	m := newMySQL(t)
	foreign := volume(t)
	noError(t, os.Mkdir(filepath.Join(foreign, "somebody"), 0o700))
	for name, test := range map[string]struct {
		data string
		env  []string
		want string
	}{
		"no password":   {m.data, nil, "set MYSQL_ROOT_PASSWORD_FILE"},
		"two passwords": {m.data, []string{"MYSQL_PASSWORD=a", "MYSQL_PASSWORD_FILE=/b"}, "keep one of them"},
		"no file":       {m.data, []string{"MYSQL_ROOT_PASSWORD_FILE=/absent"}, "/absent cannot be read"},
		"foreign files": {foreign, []string{"MYSQL_ROOT_PASSWORD=a"}, "data directory has files in it"},
		"user is root":  {m.data, []string{"MYSQL_ROOT_PASSWORD=a", "MYSQL_USER=root"}, "name another user"},
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t, spec{
				root:    m.root,
				memory:  []string{"/tmp", "/run/mysqld"},
				volumes: map[string]string{"/var/lib/mysql": test.data},
				env:     test.env,
				command: []string{"docker-entrypoint.sh", "mysqld"},
			})
			<-c.done
			if c.state.Success() || !strings.Contains(c.log.String(), test.want) {
				t.Errorf("%s, want an error with %q, got:\n%s", c.state, test.want, c.log)
			}
		})
	}
}
