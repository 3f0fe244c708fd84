package limits_test

import (
	"net/netip"
	"testing"

	"wordpress-on-kubernetes/components/limits"
)

func TestGracePeriodHoldsDrainAndRequest(t *testing.T) {
	for _, c := range []struct {
		drain, request, grace int
		want                  bool
	}{{20, 30, 51, true}, {20, 30, 50, false}, {0, 30, 30, false}, {0, 29, 30, true}} {
		if got := limits.GracePeriod(c.drain, c.request, c.grace); got != c.want {
			t.Errorf("drain %d, request %d, grace %d: %t, want %t", c.drain, c.request, c.grace, got, c.want)
		}
	}
}

func TestLivenessOutlastsRequests(t *testing.T) {
	if !limits.Liveness(limits.LivenessSeconds-1) || limits.Liveness(limits.LivenessSeconds) {
		t.Error("a request as long as the probe's patience must be too long, and no shorter one")
	}
}

func TestConnectionsAndTheirMemoryAgree(t *testing.T) {
	for _, connections := range []int{0, 1, 151, 512} {
		memory := limits.ConnectionsMemory(connections)
		if got := limits.Connections(memory); got != int64(connections) {
			t.Errorf("%d bytes, meant for %d connections, hold %d", memory, connections, got)
		}
		if got := limits.Connections(memory - 1); connections > 0 && got != int64(connections-1) {
			t.Errorf("a byte less than %d still holds %d connections, want %d", memory, got, connections-1)
		}
	}
	if got := limits.Connections(1 << 20); got != 0 {
		t.Errorf("1 MiB holds %d connections", got)
	}
}

func TestNeededConnections(t *testing.T) {
	if got := limits.NeededConnections(7, 6); got != 52 {
		t.Errorf("7 pods of 6 workers need %d connections, want 52", got)
	}
}

func TestNodeServices(t *testing.T) {
	for address, want := range map[string]bool{
		"169.254.169.254": true, "fe80::1": true, "127.0.0.1": true, "::1": true, "100.100.100.200": true,
		"168.63.129.16": true, "192.0.0.192": true, "fd00:ec2::254": true,
		"10.0.0.1": false, "100.100.100.201": false, "203.0.113.5": false, "fd00::1": false,
	} {
		if got := limits.NodeService(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %t, want %t", address, got, want)
		}
	}
	for _, network := range limits.MetadataServices() {
		if !network.IsSingleIP() || !limits.NodeService(network.Addr()) {
			t.Errorf("%s is not the address of a metadata service", network)
		}
	}
}
