// Package netsetup builds the cluster's network: a bridge in the supervisor's network namespace (the fabric), a
// veth pair to each node, and routes to every node's pods.
package netsetup

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"wordpress-on-kubernetes/tests/cluster/internal/spec"
)

const (
	bridge = "br0"
	uplink = "eth0" // a node's link into the fabric
)

// Fabric brings up the bridge in the calling process's network namespace, and routes to the pods of all nodes.
func Fabric(nodes int) error {
	if err := loopback(); err != nil {
		return err
	}
	link := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: bridge}}
	if err := netlink.LinkAdd(link); err != nil {
		return fmt.Errorf("add bridge %s: %w", bridge, err)
	}
	if err := up(bridge, net.ParseIP(spec.FabricIP)); err != nil {
		return err
	}
	if err := Sysctl("net/ipv4/ip_forward", "1"); err != nil {
		return err
	}
	return podRoutes(nodes, 0)
}

// Attach gives node n a link: one end on the bridge, the other, not yet configured, in the network namespace of
// the process pid. What is left of an earlier link of the node is removed.
func Attach(n, pid int) error {
	if err := Detach(n); err != nil {
		return err
	}
	name := spec.NodeName(n)
	master, err := netlink.LinkByName(bridge)
	if err != nil {
		return fmt.Errorf("bridge %s: %w", bridge, err)
	}
	veth := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: name, MasterIndex: master.Attrs().Index},
		PeerName:      uplink,
		PeerNamespace: netlink.NsPid(pid),
	}
	if err := netlink.LinkAdd(veth); err != nil {
		return fmt.Errorf("add link %s: %w", name, err)
	}
	return netlink.LinkSetUp(veth)
}

// Detach takes away node n's link, if it has one: whatever the node or its pods still send reaches nobody.
func Detach(n int) error {
	name := spec.NodeName(n)
	link, err := netlink.LinkByName(name)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("link %s: %w", name, err)
	}
	if err := netlink.LinkDel(link); err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("remove link %s: %w", name, err)
	}
	return nil
}

// Node configures the calling process's network namespace as node n of nodes, once it is attached.
func Node(n, nodes int) error {
	if err := loopback(); err != nil {
		return err
	}
	if err := up(uplink, spec.NodeIP(n)); err != nil {
		return err
	}
	// The fabric has no way out, so what a pod sends to the world is refused at once instead of timing out.
	if err := netlink.RouteAdd(&netlink.Route{Gw: net.ParseIP(spec.FabricIP)}); err != nil {
		return fmt.Errorf("default route: %w", err)
	}
	if err := podRoutes(nodes, n); err != nil {
		return err
	}
	if err := Sysctl("net/ipv4/ip_forward", "1"); err != nil {
		return err
	}
	// A pod that reaches another of the same node by a Service goes over the bridge both ways; kube-proxy's rules
	// must see the answer too, or it comes from an address that the pod never spoke to.
	return Sysctl("net/bridge/bridge-nf-call-iptables", "1")
}

// Sysctl sets a kernel setting of the calling process's network namespace, by its path below /proc/sys.
func Sysctl(name, value string) error {
	return os.WriteFile(filepath.Join("/proc/sys", name), []byte(value), 0o644)
}

func loopback() error {
	link, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("link lo: %w", err)
	}
	return netlink.LinkSetUp(link)
}

func up(name string, ip net.IP) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("link %s: %w", name, err)
	}
	address := &netlink.Addr{IPNet: &net.IPNet{IP: ip, Mask: net.CIDRMask(spec.FabricPrefix, 32)}}
	if err := netlink.AddrAdd(link, address); err != nil {
		return fmt.Errorf("address %s on %s: %w", address, name, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("set %s up: %w", name, err)
	}
	return nil
}

// podRoutes leads to the pods of every node except self, whose own bridge has them.
func podRoutes(nodes, self int) error {
	for n := 1; n <= nodes; n++ {
		if n == self {
			continue
		}
		route := &netlink.Route{Dst: spec.NodePods(n), Gw: spec.NodeIP(n)}
		if err := netlink.RouteAdd(route); err != nil {
			return fmt.Errorf("route to the pods of %s: %w", spec.NodeName(n), err)
		}
	}
	return nil
}
