package node

import (
	"encoding/json"
	"net"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"wordpress-on-kubernetes/tests/cluster/internal/spec"
)

func rendered(t *testing.T, text string) string {
	t.Helper()
	n := spec.Node{Number: 2, Nodes: 3, CgroupRoot: spec.Cluster{ID: "test"}.NodeCgroup(2)}
	out, err := render(text, valuesOf(n))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestKubeletConfiguration(t *testing.T) {
	var config struct {
		Address                  string
		CgroupRoot               string
		ClusterDNS               []string
		ContainerRuntimeEndpoint string
		Authentication           struct{ Anonymous struct{ Enabled bool } }
	}
	config.Authentication.Anonymous.Enabled = true
	if err := yaml.Unmarshal([]byte(rendered(t, kubeletTemplate)), &config); err != nil {
		t.Fatal(err)
	}
	if config.Address != "10.200.0.12" || config.CgroupRoot != "/test/node2" || config.ClusterDNS[0] != spec.DNSIP ||
		config.ContainerRuntimeEndpoint != "unix://"+containerdSocket || config.Authentication.Anonymous.Enabled {
		t.Errorf("%+v", config)
	}
}

func TestCNIConfigurationIsOfTheNodesOwnNetwork(t *testing.T) {
	var config struct {
		Plugins []struct {
			IPAM struct{ Ranges [][]struct{ Subnet string } }
		}
	}
	if err := json.Unmarshal([]byte(rendered(t, cniTemplate)), &config); err != nil {
		t.Fatal(err)
	}
	if subnet := config.Plugins[0].IPAM.Ranges[0][0].Subnet; subnet != "10.244.2.0/24" {
		t.Errorf("subnet %s", subnet)
	}
}

func TestNoTemplateValueIsLeftOut(t *testing.T) {
	for name, text := range map[string]string{"containerd": containerdTemplate, "kube-proxy": kubeProxyTemplate} {
		if out := rendered(t, text); strings.Contains(out, "{{") || strings.Contains(out, "<no value>") {
			t.Errorf("%s: %s", name, out)
		}
	}
}

func TestNodesNetworksAreApartAndInsideTheClusters(t *testing.T) {
	_, pods, err := net.ParseCIDR(spec.PodCIDR)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for n := 1; n <= spec.MaxNodes; n++ {
		own := spec.NodePods(n)
		if !pods.Contains(own.IP) || seen[own.String()] || seen[spec.NodeIP(n).String()] {
			t.Errorf("node %d: %s, %s", n, own, spec.NodeIP(n))
		}
		seen[own.String()], seen[spec.NodeIP(n).String()] = true, true
	}
}
