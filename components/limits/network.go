package limits

import (
	"net/netip"
	"slices"
)

// metadataServices give clouds' machines their settings and credentials at addresses that are not link-local: Alibaba's, Azure's
// WireServer, Oracle's and, by IPv6, Amazon's. All but Azure's lie in networks that somebody may have services of their own in.
var metadataServices = []netip.Addr{
	netip.MustParseAddr("100.100.100.200"),
	netip.MustParseAddr("168.63.129.16"),
	netip.MustParseAddr("192.0.0.192"),
	netip.MustParseAddr("fd00:ec2::254"),
}

// MetadataServices are the networks, of one address each, of the clouds' metadata services that are not link-local.
func MetadataServices() []netip.Prefix {
	networks := make([]netip.Prefix, 0, len(metadataServices))
	for _, address := range metadataServices {
		networks = append(networks, netip.PrefixFrom(address, address.BitLen()))
	}
	return networks
}

// NodeService reports whether the node's own services, credentials of the cloud's machines among them, are at the address: it is
// link-local, loopback or a metadata service's.
func NodeService(address netip.Addr) bool {
	return address.IsLinkLocalUnicast() || address.IsLoopback() || slices.Contains(metadataServices, address)
}
