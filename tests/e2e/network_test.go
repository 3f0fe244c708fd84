package e2e

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"wordpress-on-kubernetes/tests/stack"
)

// A thread that ends in another network takes it along, but the first thread of a process never ends, and it is by that one that
// the process is looked up in /proc. It is kept for the main goroutine.
func init() { runtime.LockOSThread() }

// inNetwork makes a socket in the network that joins the local cluster's nodes, which is none of this machine's. A socket stays
// in the network that its thread was in.
func inNetwork[T any](project *stack.Project, socket func() (T, error)) (made T, err error) {
	pid, err := supervisor(project)
	if err != nil {
		return made, err
	}
	return inNetworkOf(pid, socket)
}

// inNetworkOf does something in the network of a process.
func inNetworkOf[T any](pid int, do func() (T, error)) (made T, err error) {
	network, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return made, fmt.Errorf("the network of process %d: %w", pid, err)
	}
	defer func() { err = errors.Join(err, network.Close()) }()
	done := make(chan struct{})
	go func() {
		defer close(done)
		// Never unlocked: the thread ends with the goroutine, and nothing else ever runs in that network.
		runtime.LockOSThread()
		if err = unix.Setns(int(network.Fd()), unix.CLONE_NEWNET); err != nil {
			err = fmt.Errorf("enter the network of process %d: %w", pid, err)
			return
		}
		made, err = do()
	}()
	<-done
	return made, err
}

// filterIn runs iptables in the network of a process, by the nodes' own tool.
func (s *subject) filterIn(pid int, args ...string) error {
	root := filepath.Join(s.project.Local(), "noderoot")
	output, err := inNetworkOf(pid, func() ([]byte, error) {
		return exec.Command("chroot", append([]string{root, "iptables", "-w"}, args...)...).CombinedOutput()
	})
	if err != nil {
		return fmt.Errorf("iptables %s: %w: %s", strings.Join(args, " "), err, output)
	}
	return nil
}

// gatewayOf is the address by which a process's network leads to all others.
func gatewayOf(pid int) (string, error) {
	const anywhere = "00000000"
	routes, err := lines(fmt.Sprintf("/proc/%d/net/route", pid))
	if err != nil {
		return "", err
	}
	for _, route := range routes {
		fields := strings.Fields(route)
		if len(fields) < 3 || fields[1] != anywhere {
			continue
		}
		var address uint32
		if _, err := fmt.Sscanf(fields[2], "%X", &address); err != nil {
			return "", fmt.Errorf("route %q: %w", route, err)
		}
		var bytes [net.IPv4len]byte
		binary.NativeEndian.PutUint32(bytes[:], address)
		return netip.AddrFrom4(bytes).String(), nil
	}
	return "", fmt.Errorf("process %d has no way out of its network", pid)
}
