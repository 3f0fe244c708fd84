package policy

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"wordpress-on-kubernetes/tests/cluster/internal/layout"
	"wordpress-on-kubernetes/tests/cluster/internal/netsetup"
	"wordpress-on-kubernetes/tests/cluster/internal/spec"
)

const (
	// metadata is where clouds keep a machine's credentials. The test's fabric has it.
	metadata = "169.254.169.254"
	// answerTimeout is how long an allowed connection may take on a busy machine, and a denied one is waited for.
	answerTimeout = 1500 * time.Millisecond
)

// space is a network namespace without a name: it ends with the last thread, socket and descriptor in it.
type space struct{ handle netns.NsHandle }

func newSpace(t *testing.T) *space {
	t.Helper()
	created := make(chan error)
	s := &space{}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		var err error
		s.handle, err = netns.New()
		created <- err
	}()
	if err := <-created; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.handle.Close() })
	return s
}

// run calls f on a thread inside the namespace.
func (s *space) run(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if err := netns.Set(s.handle); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
}

func (s *space) must(t *testing.T, f func() error) {
	t.Helper()
	if err := s.run(f); err != nil {
		t.Fatal(err)
	}
}

// testbed is the network of a cluster of nodes, made by the code that makes the real one.
type testbed struct {
	fabric *space
	nodes  []*space
}

func newTestbed(t *testing.T, nodes int) *testbed {
	t.Helper()
	b := &testbed{fabric: newSpace(t)}
	b.fabric.must(t, func() error {
		if err := netsetup.Fabric(nodes); err != nil {
			return err
		}
		return address("lo", metadata+"/32")
	})
	b.fabric.serve(t, metadata+":80", fmt.Sprintf("%s:%d", spec.FabricIP, spec.APIServerPort))
	for n := 1; n <= nodes; n++ {
		b.nodes = append(b.nodes, b.newNode(t, n, nodes))
	}
	return b
}

func (b *testbed) newNode(t *testing.T, n, nodes int) *space {
	t.Helper()
	node := newSpace(t)
	node.must(t, func() error {
		tid := unix.Gettid()
		if err := b.fabric.run(func() error { return netsetup.Attach(n, tid) }); err != nil {
			return err
		}
		if err := netsetup.Node(n, nodes); err != nil {
			return err
		}
		if err := Divert(iptablesRoot(t)); err != nil {
			return err
		}
		bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: spec.PodBridge}}
		if err := netlink.LinkAdd(bridge); err != nil {
			return err
		}
		return address(spec.PodBridge, podIP(n, 1)+"/24")
	})
	node.serve(t, spec.NodeIP(n).String()+":80")
	return node
}

// pod attaches a pod to node n as the CNI plugin does, and listens on the ports there.
func (b *testbed) pod(t *testing.T, n, host int, ports ...string) *space {
	t.Helper()
	pod := newSpace(t)
	b.nodes[n-1].must(t, func() error {
		bridge, err := netlink.LinkByName(spec.PodBridge)
		if err != nil {
			return err
		}
		veth := &netlink.Veth{
			LinkAttrs:     netlink.LinkAttrs{Name: fmt.Sprintf("veth%d", host), MasterIndex: bridge.Attrs().Index},
			PeerName:      "eth0",
			PeerNamespace: netlink.NsFd(pod.handle),
		}
		return errors.Join(netlink.LinkAdd(veth), netlink.LinkSetHairpin(veth, true), netlink.LinkSetUp(veth))
	})
	pod.must(t, func() error {
		if err := errors.Join(address("lo", "127.0.0.1/8"), address("eth0", podIP(n, host)+"/24")); err != nil {
			return err
		}
		return netlink.RouteAdd(&netlink.Route{Gw: net.ParseIP(podIP(n, 1))})
	})
	for _, port := range ports {
		pod.serve(t, net.JoinHostPort(podIP(n, host), port))
	}
	return pod
}

func podIP(n, host int) string { return fmt.Sprintf("10.244.%d.%d", n, host) }

func address(link, cidr string) error {
	l, err := netlink.LinkByName(link)
	if err != nil {
		return err
	}
	addr, err := netlink.ParseAddr(cidr)
	if err != nil {
		return err
	}
	if err := netlink.AddrAdd(l, addr); err != nil && !errors.Is(err, unix.EEXIST) {
		return err
	}
	return netlink.LinkSetUp(l)
}

// serve echoes what comes to the addresses, over TCP and UDP.
func (s *space) serve(t *testing.T, addresses ...string) {
	t.Helper()
	for _, address := range addresses {
		s.must(t, func() error {
			listener, err := net.Listen("tcp", address)
			if err != nil {
				return err
			}
			packets, err := net.ListenPacket("udp", address)
			if err != nil {
				return err
			}
			t.Cleanup(func() { _, _ = listener.Close(), packets.Close() })
			go echoStreams(listener)
			go echoPackets(packets)
			return nil
		})
	}
}

func echoStreams(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = conn.Close() }()
			_, _ = conn.(*net.TCPConn).WriteTo(conn)
		}()
	}
}

func echoPackets(packets net.PacketConn) {
	buffer := make([]byte, 512)
	for {
		n, from, err := packets.ReadFrom(buffer)
		if err != nil {
			return
		}
		_, _ = packets.WriteTo(buffer[:n], from)
	}
}

// dial connects from the namespace. The connection stays in it.
func (s *space) dial(network, address string) (conn net.Conn, err error) {
	err = s.run(func() error {
		var err error
		conn, err = net.DialTimeout(network, address, answerTimeout)
		return err
	})
	return conn, err
}

// answers says whether a connection from the namespace to the address carries data there and back.
func (s *space) answers(network, address string) bool {
	conn, err := s.dial(network, address)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	return echoes(conn)
}

func echoes(conn net.Conn) bool {
	const word = "hello"
	_ = conn.SetDeadline(time.Now().Add(answerTimeout))
	if _, err := conn.Write([]byte(word)); err != nil {
		return false
	}
	answer := make([]byte, len(word))
	n, err := conn.Read(answer)
	return err == nil && string(answer[:n]) == word
}

// iptablesRoot is the file system whose iptables the test uses: the machine's, or that of the local cluster's nodes.
// The program is a link that leads somewhere only inside that file system.
func iptablesRoot(t *testing.T) string {
	t.Helper()
	built := layout.InRepo(filepath.Join("..", "..", "..", "..")).NodeRoot()
	for _, root := range []string{"", built} {
		if _, err := os.Lstat(filepath.Join(root, "/usr/sbin/iptables-restore")); err == nil {
			return root
		}
	}
	t.Skip("there is no iptables: install it, or build the local cluster's nodes with `make cluster`")
	return ""
}

// A thread that ends in another namespace takes it along, but the first thread of a process never ends. It is kept for
// the main goroutine.
func init() { runtime.LockOSThread() }

// TestMain fails when anything is left of the namespaces that the tests made.
func TestMain(m *testing.M) {
	flag.Parse()
	// More side by side than there are processors: what is denied is waited for.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	before := leftovers()
	code := m.Run()
	after := leftovers()
	for deadline := time.Now().Add(patience); after != before && time.Now().Before(deadline); after = leftovers() {
		time.Sleep(50 * time.Millisecond)
	}
	if after != before {
		fmt.Printf("FAIL: left behind: before\n%s\nafter\n%s\n", before, after)
		code = 1
	}
	os.Exit(code)
}

// requireRoot skips the test where namespaces cannot be made.
func requireRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("making network namespaces takes root")
	}
	iptablesRoot(t)
}

// leftovers are the machine's own links, and the network namespaces and children of this process.
func leftovers() string {
	seen := map[string]bool{}
	links, err := net.Interfaces()
	if err != nil {
		seen[err.Error()] = true
	}
	for _, link := range links {
		seen["link "+link.Name] = true
	}
	for _, pattern := range []string{"/proc/self/task/*/ns/net", "/proc/self/fd/*"} {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			if target, err := os.Readlink(path); err == nil && strings.HasPrefix(target, "net:") {
				seen[target] = true
			}
		}
	}
	children, _ := filepath.Glob("/proc/self/task/*/children")
	for _, path := range children {
		if pids, err := os.ReadFile(path); err == nil && len(pids) > 0 {
			seen["child "+string(pids)] = true
		}
	}
	return sortedLines(seen)
}

// sideBySide calls f for all of them, because what is denied takes its whole timeout.
func sideBySide[T any](all []T, f func(T)) {
	var group sync.WaitGroup
	limit := make(chan struct{}, 128)
	for _, one := range all {
		limit <- struct{}{}
		group.Go(func() {
			defer func() { <-limit }()
			f(one)
		})
	}
	group.Wait()
}

func sortedLines(set map[string]bool) string {
	return strings.Join(slices.Sorted(maps.Keys(set)), "\n")
}
