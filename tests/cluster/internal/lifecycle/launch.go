package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"wordpress-on-kubernetes/tests/cluster/internal/cgroups"
	"wordpress-on-kubernetes/tests/cluster/internal/control"
	"wordpress-on-kubernetes/tests/cluster/internal/spec"
)

// SuperviseCommand is the argument with which this program is started as the supervisor.
const SuperviseCommand = "supervise"

// supervisorNamespaces are those that the cluster has to itself.
const supervisorNamespaces = unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC

// HandedDown is the number of files that the supervisor is given, in the order of handedDown.inOrder.
const HandedDown = 6

// handedDown are the files that the supervisor inherits. The listeners belong to the host's network namespace, in
// which the supervisor cannot open any.
type handedDown struct {
	control                 *net.UnixListener
	https, http, api, proxy *net.TCPListener
	alive                   *os.File
	duplicates              []*os.File
}

func (h *Host) openFiles(o UpOptions) (*handedDown, error) {
	var files handedDown
	var err error
	open := func(listener **net.TCPListener, ports ...int) {
		if err == nil {
			*listener, err = listenFirst(ports)
		}
	}
	open(&files.https, o.HTTPS)
	open(&files.http, o.HTTP)
	// The usual port, so that a kubeconfig is recognised; any other where it is taken.
	open(&files.api, spec.APIServerPort, 0)
	open(&files.proxy, 0)
	if err == nil {
		files.control, err = control.Listen(h.Local.State().ControlSocket())
	}
	if err == nil {
		files.alive, err = lockedFile(h.Local.State().AliveLock())
	}
	if err != nil {
		files.close()
		return nil, err
	}
	return &files, nil
}

// listenFirst listens on the first of the loopback ports that is free; 0 is any.
func listenFirst(ports []int) (*net.TCPListener, error) {
	var failures []error
	for _, port := range ports {
		listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err == nil {
			return listener, nil
		}
		failures = append(failures, err)
	}
	return nil, errors.Join(failures...)
}

func lockedFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := tryLock(file); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return file, nil
}

func (f *handedDown) ports() spec.Ports {
	port := func(l *net.TCPListener) int { return l.Addr().(*net.TCPAddr).Port }
	return spec.Ports{HTTPS: port(f.https), HTTP: port(f.http), API: port(f.api), Proxy: port(f.proxy)}
}

// inOrder returns the files in the order in which Files of the supervisor takes them.
func (f *handedDown) inOrder() ([]*os.File, error) {
	filers := []interface{ File() (*os.File, error) }{f.control, f.https, f.http, f.api, f.proxy}
	for _, filer := range filers {
		file, err := filer.File()
		if err != nil {
			return nil, err
		}
		f.duplicates = append(f.duplicates, file)
	}
	return append(f.duplicates, f.alive), nil
}

// close gives up the host's own copies.
func (f *handedDown) close() {
	for _, listener := range []*net.TCPListener{f.https, f.http, f.api, f.proxy} {
		if listener != nil {
			_ = listener.Close()
		}
	}
	if f.control != nil {
		_ = f.control.Close()
	}
	for _, file := range append(f.duplicates, f.alive) {
		if file != nil {
			_ = file.Close()
		}
	}
}

// startSupervisor starts the detached process that everything else runs below.
func (h *Host) startSupervisor(files *handedDown) error {
	inherited, err := files.inOrder()
	if err != nil {
		return err
	}
	output, err := os.OpenFile(h.Local.State().Log("supervisor"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = output.Close() }()
	cmd := exec.Command(h.Local.Bin("cluster"), "-repo", h.Repo, SuperviseCommand)
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = output, output
	cmd.ExtraFiles = inherited
	// A session of its own: what happens to the caller's terminal or process group does not reach it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Cloneflags: supervisorNamespaces}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the supervisor: %w", err)
	}
	return cmd.Process.Release()
}

func createCgroups(c spec.Cluster) error {
	tree, err := cgroups.Detect(cgroups.Root)
	if err != nil {
		return err
	}
	groups := []string{c.SupervisorCgroup()}
	for n := 1; n <= c.Nodes; n++ {
		groups = append(groups, c.NodeCgroup(n))
	}
	for _, group := range groups {
		if err := tree.Create(group); err != nil {
			return err
		}
	}
	return nil
}

// copyTraefikCRDs takes the definitions from the very module that Traefik is built from.
func (h *Host) copyTraefikCRDs(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/traefik/traefik/v3")
	cmd.Dir = filepath.Join(h.module(), "tools", "traefik")
	dir, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("find Traefik's module: %w", err)
	}
	source := filepath.Join(strings.TrimSpace(string(dir)), "docs", "content", "reference", "dynamic-configuration",
		"kubernetes-crd-definition-v1.yml")
	raw, err := os.ReadFile(source)
	if err != nil {
		return fmt.Errorf("custom resource definitions of Traefik: %w", err)
	}
	return os.WriteFile(h.Local.State().TraefikCRDs(), raw, 0o644)
}

// endpoints is what other programs read to reach the cluster.
type endpoints struct {
	HTTPS string `json:"https"`
	HTTP  string `json:"http"`
	// Proxy is an HTTP proxy into the cluster's network: any pod's or node's address.
	Proxy string `json:"proxy"`
	Nodes int    `json:"nodes"`
}

func writeEndpoints(path string, c spec.Cluster) error {
	local := func(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
	raw, err := json.MarshalIndent(endpoints{
		HTTPS: local(c.Ports.HTTPS),
		HTTP:  local(c.Ports.HTTP),
		Proxy: "http://" + local(c.Ports.Proxy),
		Nodes: c.Nodes,
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, '\n'), 0o644)
}

// goVersion is the version of the compiler that `go` starts: the one that built this program.
func goVersion() string { return runtime.Version() }
