package images

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// user is the one that the pods run as: it has no name in any image.
const user = 10001

// patience is how long a condition is waited for; only a failure takes that long.
const patience = 90 * time.Second

// roots holds the files of each image, unpacked once for all tests: no container can write to them.
var roots = map[string]string{}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, root := range roots {
		_ = os.RemoveAll(root)
	}
	os.Exit(code)
}

// unpack lays an image's files into a folder, and skips the test where that cannot be done.
func unpack(t *testing.T, name string) (root string) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the real images for about a minute: not with -short")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root for mounts and other users")
	}
	if root, ok := roots[name]; ok {
		return root
	}
	archive := filepath.Join(repository(t), ".local", "images", name+".tar")
	if !exists(archive) {
		t.Skipf("the image is not built: no %s", archive)
	}
	image, err := tarball.ImageFromPath(archive, nil)
	noError(t, err)
	layers, err := image.Layers()
	noError(t, err)
	root, err = os.MkdirTemp("", name+"-")
	noError(t, err)
	roots[name] = root
	for _, layer := range layers {
		content, err := layer.Uncompressed()
		noError(t, err)
		extract(t, root, content)
		noError(t, content.Close())
	}
	noError(t, os.Chmod(root, 0o755))
	return root
}

func extract(t *testing.T, root string, content io.Reader) {
	t.Helper()
	cmd := exec.Command("tar", "--extract", "--directory="+root, "--numeric-owner")
	cmd.Stdin = content
	noError(t, run(cmd))
}

// repository is the repository's root folder.
func repository(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../../../..")
	noError(t, err)
	return root
}

// spec is how a container is run: on a read-only root, and as user 10001 with no capabilities unless asRoot.
type spec struct {
	root    string
	folder  string            // working directory; default /
	volumes map[string]string // path in the container to path outside
	memory  []string          // paths that are empty and writable
	env     []string
	command []string
	asRoot  bool
	host    string // name of its own; default the machine's
}

// container is a running one. Its process 1 is process itself.
type container struct {
	process *os.Process
	log     *logBuffer
	done    chan struct{} // closed when it has ended
	state   *os.ProcessState
}

// enter mounts what the specification says and becomes the command. It runs in namespaces of its own.
const enter = `set -eu
root=$1 memory=$2 volumes=$3 host=$4; shift 4
[ -z "$host" ] || echo "$host" >/proc/sys/kernel/hostname
mount --bind "$root" "$root"
cd "$root"
for path in $memory; do mkdir -p ".$path"; done
for pair in $volumes; do
	if [ -d "${pair%%:*}" ]; then mkdir -p ".${pair##*:}"; elif [ ! -e ".${pair##*:}" ]; then mkdir -p "$(dirname ".${pair##*:}")"; : >".${pair##*:}"; fi
done
mkdir -p dev proc
mount -o remount,bind,ro "$root"
mount -t proc none proc
mount --rbind /dev dev
for path in $memory; do mount -t tmpfs -o mode=1777 tmpfs ".$path"; done
for pair in $volumes; do mount --bind "${pair%%:*}" ".${pair##*:}"; done
exec "$@"`

func start(t *testing.T, s spec) *container {
	t.Helper()
	args := []string{"-c", enter, "sh", s.root, strings.Join(s.memory, " "), volumeList(s.volumes), s.host, "chroot", s.root}
	if !s.asRoot {
		id := strconv.Itoa(user)
		args = append(args, "setpriv", "--reuid="+id, "--regid="+id, "--clear-groups",
			"--inh-caps=-all", "--bounding-set=-all", "--no-new-privs")
	}
	args = append(args, "env", "-i", "--chdir="+max(s.folder, "/"), "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	args = append(append(args, s.env...), s.command...)

	cmd := exec.Command("sh", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setsid:       true, // Apache signals its process group when it stops
		Cloneflags:   syscall.CLONE_NEWPID,
		Unshareflags: syscall.CLONE_NEWNS,
		Pdeathsig:    syscall.SIGKILL,
	}
	if s.host != "" {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUTS
	}
	return launch(t, cmd, s.asRoot)
}

func volumeList(volumes map[string]string) string {
	var pairs []string
	for inside, outside := range volumes {
		pairs = append(pairs, outside+":"+inside)
	}
	return strings.Join(pairs, " ")
}

// launch starts the command with a pipe that belongs to the container's user, as a container runtime's does: Apache
// opens /dev/stdout by name.
func launch(t *testing.T, cmd *exec.Cmd, asRoot bool) *container {
	t.Helper()
	reader, writer, err := os.Pipe()
	noError(t, err)
	if !asRoot {
		noError(t, writer.Chown(user, user))
	}
	cmd.Stdout, cmd.Stderr = writer, writer
	noError(t, cmd.Start())
	noError(t, writer.Close())
	c := &container{process: cmd.Process, log: &logBuffer{}, done: make(chan struct{})}
	go func() {
		_, _ = io.Copy(c.log, reader)
		_ = cmd.Wait()
		c.state = cmd.ProcessState
		_ = reader.Close()
		close(c.done)
	}()
	t.Cleanup(func() {
		c.kill()
		if t.Failed() {
			t.Logf("the end of a container's log:\n%s", tail(c.log.String(), 10, 300))
		}
	})
	return c
}

func (c *container) kill() {
	_ = c.process.Kill()
	<-c.done
}

// stop asks the container to end and waits until it has.
func (c *container) stop(t *testing.T, signal syscall.Signal) {
	t.Helper()
	noError(t, c.process.Signal(signal))
	select {
	case <-c.done:
	case <-time.After(patience):
		t.Fatalf("still running %s after %s; its log:\n%s", patience, signal, c.log)
	}
	if !c.state.Success() {
		t.Fatalf("%s after %s; its log:\n%s", c.state, signal, c.log)
	}
}

// await waits for a condition that the container brings about.
func (c *container) await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for !holds() {
		select {
		case <-c.done:
			t.Fatalf("ended (%s) before %s; its log:\n%s", c.state, what, c.log)
		case <-deadline:
			t.Fatalf("no %s within %s; its log:\n%s", what, patience, c.log)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// logBuffer collects what a container prints.
type logBuffer struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.String()
}

// volume is an empty folder of the pods' user that can be mounted.
func volume(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	noError(t, os.Chmod(folder, 0o755))
	noError(t, os.Chown(folder, user, user))
	return folder
}

// file writes one that every user may read, and returns its path.
func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	noError(t, os.WriteFile(path, []byte(content), 0o444))
	noError(t, os.Chmod(path, 0o444)) // whatever the umask is
	return path
}

// freePort is one that no address of this machine has, not even by a connection that has just ended: Apache and Traefik take it on all.
func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", ":0")
	noError(t, err)
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	t.Fatal(err)
}
