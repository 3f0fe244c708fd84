package preflight

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"go/version"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"wordpress-on-kubernetes/tests/cluster/internal/cgroups"
)

// capabilities are needed by the cluster's own code, by runc or by the kubelet.
var capabilities = map[string]int{
	"CAP_CHOWN":        unix.CAP_CHOWN,
	"CAP_MKNOD":        unix.CAP_MKNOD,
	"CAP_NET_ADMIN":    unix.CAP_NET_ADMIN,
	"CAP_SYS_ADMIN":    unix.CAP_SYS_ADMIN,
	"CAP_SYS_CHROOT":   unix.CAP_SYS_CHROOT,
	"CAP_SYS_PTRACE":   unix.CAP_SYS_PTRACE,
	"CAP_SETPCAP":      unix.CAP_SETPCAP,
	"CAP_DAC_OVERRIDE": unix.CAP_DAC_OVERRIDE,
}

// commands are those of the host that building needs, with Debian's package that has them.
var commands = map[string]string{"mmdebstrap": "mmdebstrap"}

// Inspect looks at this machine. The disk is that of folder, which need not exist yet, and goMod is the go.mod file
// that the compiler must satisfy.
func Inspect(ctx context.Context, folder, goMod string) (Machine, error) {
	m := Machine{Root: os.Geteuid() == 0, PortTaken: portTaken}
	var err error
	if m.MissingCapabilities, err = missingCapabilities("/proc/self/status"); err != nil {
		return m, err
	}
	m.Cgroups = usableCgroups(cgroups.Root)
	if m.Overlay, err = hasFilesystem("/proc/filesystems", "overlay"); err != nil {
		return m, err
	}
	m.MissingNamespaces = missingNamespaces("/proc/self/ns")
	if m.MemoryAvailable, err = availableMemory("/proc/meminfo"); err != nil {
		return m, err
	}
	if m.DiskPath, m.DiskFree, err = freeDisk(folder); err != nil {
		return m, err
	}
	m.MissingCommands = missingCommands()
	return m, m.inspectGo(ctx, goMod)
}

func (m *Machine) inspectGo(ctx context.Context, goMod string) error {
	if !installed("go") {
		m.MissingCommands["go"] = "install Go from your distribution or go.dev"
		return nil
	}
	output, err := exec.CommandContext(ctx, "go", "env", "GOVERSION").Output()
	if err != nil {
		return fmt.Errorf("go env GOVERSION: %w", err)
	}
	m.GoVersion = strings.TrimSpace(string(output))
	value, err := lineValue(goMod, "go ")
	if err != nil {
		return err
	}
	m.GoWanted = "go" + value
	m.GoTooOld = version.Compare(m.GoVersion, m.GoWanted) < 0
	return nil
}

func missingCapabilities(status string) ([]string, error) {
	value, err := lineValue(status, "CapEff:")
	if err != nil {
		return nil, err
	}
	effective, err := strconv.ParseUint(value, 16, 64)
	if err != nil {
		return nil, fmt.Errorf("%s: CapEff %q: %w", status, value, err)
	}
	var missing []string
	for name, bit := range capabilities {
		if effective&(1<<bit) == 0 {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	return missing, nil
}

func usableCgroups(root string) error {
	tree, err := cgroups.Detect(root)
	if err != nil {
		return err
	}
	if missing := tree.Missing(); len(missing) > 0 {
		return fmt.Errorf("control groups: controllers %s are not available below %s", strings.Join(missing, ", "), root)
	}
	for _, dir := range tree.Hierarchies {
		if errors.Is(unix.Access(dir, unix.W_OK), unix.EROFS) {
			return fmt.Errorf("control groups: %s is read-only", dir)
		}
	}
	return nil
}

func hasFilesystem(list, name string) (bool, error) {
	raw, err := os.ReadFile(list)
	return slices.Contains(strings.Fields(string(raw)), name), err
}

func missingNamespaces(dir string) []string {
	var missing []string
	for _, name := range []string{"ipc", "mnt", "net", "pid", "uts"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			missing = append(missing, name)
		}
	}
	return missing
}

func availableMemory(meminfo string) (uint64, error) {
	value, err := lineValue(meminfo, "MemAvailable:")
	if err != nil {
		return 0, err
	}
	kibibytes, err := strconv.ParseUint(strings.TrimSuffix(value, " kB"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: MemAvailable %q: %w", meminfo, value, err)
	}
	return kibibytes << 10, nil
}

// freeDisk looks at the nearest parent of folder that exists.
func freeDisk(folder string) (path string, free uint64, err error) {
	for path = folder; ; path = filepath.Dir(path) {
		var stat unix.Statfs_t
		err := unix.Statfs(path, &stat)
		if err == nil {
			return path, stat.Bavail * uint64(stat.Bsize), nil
		}
		if path == filepath.Dir(path) {
			return path, 0, fmt.Errorf("free disk space at %s: %w", path, err)
		}
	}
}

// missingCommands maps the commands that are missing, and that cannot be installed by us, to what to do.
func missingCommands() map[string]string {
	missing := map[string]string{}
	for command, name := range commands {
		if !installed(command) && !installed("apt-get") {
			missing[command] = fmt.Sprintf("install your distribution's package %s", name)
		}
	}
	return missing
}

// Installable lists the packages of missing commands that apt-get can install.
func Installable() []string {
	var packages []string
	for command, name := range commands {
		if !installed(command) && installed("apt-get") {
			packages = append(packages, name)
		}
	}
	slices.Sort(packages)
	return packages
}

func installed(command string) bool {
	_, err := exec.LookPath(command)
	return err == nil
}

// portTaken says why a loopback port cannot be listened on. That only root may is for another check to say.
func portTaken(port int) error {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	switch {
	case err == nil:
		return listener.Close()
	case errors.Is(err, unix.EACCES) && os.Geteuid() != 0:
		return nil
	case errors.Is(err, unix.EADDRINUSE):
		return fmt.Errorf("it is in use by %s", portUser(port))
	}
	return err
}

// lineValue returns the rest of the first line of the file that begins with prefix.
func lineValue(path, prefix string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), prefix); ok {
			return strings.TrimSpace(value), nil
		}
	}
	return "", fmt.Errorf("%s: no line begins with %q", path, prefix)
}
