package supervisor

import (
	"testing"

	"wordpress-on-kubernetes/tests/cluster/internal/spec"
)

func TestANodeIsFoundByAPodsAddress(t *testing.T) {
	n := newNodes(spec.Cluster{Nodes: 2})
	for address, want := range map[string]int{
		"10.244.1.7:80":   1,
		"10.244.2.255:80": 2,
		"10.244.3.7:80":   0, // there is no third node
		"10.200.0.11:80":  0,
		"example.com:80":  0,
		"10.244.1.7":      0,
	} {
		if got := n.ofPod(address); got != want {
			t.Errorf("%s: node %d, want %d", address, got, want)
		}
	}
}
