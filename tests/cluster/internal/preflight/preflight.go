// Package preflight finds out, before anything is built or started, whether a machine can run the local cluster.
package preflight

import (
	"errors"
	"fmt"
	"strings"
)

const (
	gibibyte = 1 << 30
	// firstNodeMemory covers the control plane, the addons and one node with the site: about 3.5 GiB in use at the
	// peak of a rolling update, and as much again for the compiler.
	firstNodeMemory = 6 * gibibyte
	// nextNodeMemory is what each further node needs for itself and its pods.
	nextNodeMemory = 1 * gibibyte
	// runDisk is for the tools, images, volumes and logs: 3 GiB and 7 GiB with three nodes after start, and what a
	// site and its load write.
	runDisk = 15 * gibibyte
	// compileDisk is what the Go modules and the compiler's cache grow by when both are empty.
	compileDisk = 20 * gibibyte
)

// Need is what the cluster is to be.
type Need struct {
	Nodes int
	// ToolsBuilt says that nothing has to be compiled.
	ToolsBuilt bool
	// HTTP and HTTPS are the loopback ports of the edge.
	HTTP, HTTPS int
}

// Machine is what a machine offers.
type Machine struct {
	Root bool
	// MissingCapabilities are the kernel capabilities, such as CAP_SYS_ADMIN, that the process lacks and the cluster needs.
	MissingCapabilities []string
	// Cgroups is why control groups cannot be used, nil if they can.
	Cgroups error
	// Overlay says whether the kernel knows the overlay file system.
	Overlay bool
	// Namespaces are the kinds of namespace that the kernel lacks.
	MissingNamespaces []string
	// MemoryAvailable and DiskFree are in bytes; DiskFree is that of DiskPath.
	MemoryAvailable, DiskFree uint64
	DiskPath                  string
	// PortTaken returns why a loopback port cannot be listened on, nil if it can.
	PortTaken func(port int) error
	// GoVersion is the installed compiler's, and GoWanted the one that go.mod asks for. Both as in "go1.26.0".
	GoVersion, GoWanted string
	GoTooOld            bool
	// MissingCommands maps commands that are needed and not installed to the way to install them.
	MissingCommands map[string]string
}

// Check returns every reason why the machine cannot run the cluster, each with the way out, as one error.
func Check(m Machine, need Need) error {
	var problems []string
	add := func(bad bool, format string, args ...any) {
		if bad {
			problems = append(problems, fmt.Sprintf(format, args...))
		}
	}
	add(!m.Root, "not root: namespaces, mounts and control groups need it; run the command as root (sudo)")
	add(m.Root && len(m.MissingCapabilities) > 0,
		"root without %s: this machine is a container with fewer rights; run it privileged, or use a machine of your own",
		strings.Join(m.MissingCapabilities, ", "))
	add(m.Cgroups != nil, "%v: mount them (in a container: run it privileged with its own control groups)", m.Cgroups)
	add(!m.Overlay, "the kernel has no overlay file system: load it with `modprobe overlay`, or use another kernel")
	add(len(m.MissingNamespaces) > 0, "the kernel has no %s namespaces: use a kernel that has them",
		strings.Join(m.MissingNamespaces, ", "))
	problems = append(problems, checkSizes(m, need)...)
	problems = append(problems, checkPorts(m, need)...)
	add(m.GoTooOld, "Go is %s, and go.mod asks for %s: install it", m.GoVersion, m.GoWanted)
	for command, install := range m.MissingCommands {
		add(true, "the command %s is not installed: %s", command, install)
	}
	return join(problems)
}

func checkSizes(m Machine, need Need) []string {
	var problems []string
	memory := uint64(firstNodeMemory + (need.Nodes-1)*nextNodeMemory)
	if m.MemoryAvailable < memory {
		problems = append(problems, fmt.Sprintf("%s of memory are available, and %s are needed for %d node(s): end other programs or start fewer nodes",
			size(m.MemoryAvailable), size(memory), need.Nodes))
	}
	if m.DiskFree < runDisk {
		problems = append(problems, fmt.Sprintf("%s are free at %s, and %s are needed: free some, or move the repository to a larger disk",
			size(m.DiskFree), m.DiskPath, size(runDisk)))
	}
	return problems
}

// Caution returns what may go wrong on a machine that Check accepts, empty if nothing is known. How full Go's caches are
// already, and on which disk, cannot be told without reading all of them; a build that runs out of space can be
// repeated and keeps what is done.
func Caution(m Machine, need Need) string {
	if need.ToolsBuilt || m.DiskFree >= runDisk+compileDisk {
		return ""
	}
	return fmt.Sprintf("%s are free at %s; a first build with empty Go caches on the same disk may need %s: free some if it runs out, and run it again",
		size(m.DiskFree), m.DiskPath, size(compileDisk+runDisk))
}

func checkPorts(m Machine, need Need) []string {
	var problems []string
	for _, port := range []struct {
		number   int
		variable string
	}{{need.HTTP, "HTTP_PORT"}, {need.HTTPS, "HTTPS_PORT"}} {
		if err := m.PortTaken(port.number); err != nil {
			problems = append(problems, fmt.Sprintf("port %d cannot be used: %v: end what uses it, or choose another with %s=<port>, which the links of a site do not know",
				port.number, err, port.variable))
		}
	}
	if need.HTTP == need.HTTPS {
		problems = append(problems, fmt.Sprintf("HTTP_PORT and HTTPS_PORT are both %d: choose two", need.HTTP))
	}
	return problems
}

func join(problems []string) error {
	if len(problems) == 0 {
		return nil
	}
	return errors.New("this machine cannot run the local cluster:\n  - " + strings.Join(problems, "\n  - "))
}

func size(bytes uint64) string { return fmt.Sprintf("%.1f GiB", float64(bytes)/gibibyte) }
