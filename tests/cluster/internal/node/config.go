package node

import (
	_ "embed"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"wordpress-on-kubernetes/tests/cluster/internal/layout"
	"wordpress-on-kubernetes/tests/cluster/internal/spec"
)

// The configuration files are templates of configValues.
var (
	//go:embed containerd.toml
	containerdTemplate string
	//go:embed kubelet.yaml
	kubeletTemplate string
	//go:embed kube-proxy.yaml
	kubeProxyTemplate string
	//go:embed cni.json
	cniTemplate string
)

type configValues struct {
	Name, IP, PodCIDR, ClusterCIDR, DNS, Domain, CgroupRoot, Socket, Bridge string
	PKI, ProxyKubeconfig                                                    string
}

func valuesOf(n spec.Node) configValues {
	return configValues{
		Name:            spec.NodeName(n.Number),
		IP:              spec.NodeIP(n.Number).String(),
		PodCIDR:         spec.NodePods(n.Number).String(),
		ClusterCIDR:     spec.PodCIDR,
		DNS:             spec.DNSIP,
		Domain:          spec.ClusterDomain,
		CgroupRoot:      "/" + n.CgroupRoot,
		Socket:          containerdSocket,
		Bridge:          spec.PodBridge,
		PKI:             layout.InsideState.PKI(""),
		ProxyKubeconfig: layout.InsideState.ComponentKubeconfig("kube-proxy"),
	}
}

func writeConfigs(n spec.Node) error {
	files := map[string]string{
		containerdConfig: containerdTemplate,
		kubeletConfig:    kubeletTemplate,
		kubeProxyConfig:  kubeProxyTemplate,
		cniConfig:        cniTemplate,
	}
	for path, text := range files {
		content, err := render(text, valuesOf(n))
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func render(text string, values configValues) (string, error) {
	parsed, err := template.New("config").Option("missingkey=error").Parse(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = parsed.Execute(&out, values)
	return out.String(), err
}
