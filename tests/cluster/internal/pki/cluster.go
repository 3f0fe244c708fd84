package pki

import (
	"fmt"
	"net"
	"os"
	"path/filepath"

	"wordpress-on-kubernetes/tests/cluster/internal/kubeconfig"
	"wordpress-on-kubernetes/tests/cluster/internal/layout"
	"wordpress-on-kubernetes/tests/cluster/internal/spec"
)

// Client is a user of the Kubernetes API: a name and the groups that give it its rights.
type Client struct {
	// File is the base name of its kubeconfig.
	File   string
	User   string
	Groups []string
}

// clients are the control plane's own users; each name is bound by Kubernetes' built-in roles, the last by the addons'.
var clients = []Client{
	{File: "admin", User: "kubernetes-admin", Groups: []string{"system:masters"}},
	{File: "kube-controller-manager", User: "system:kube-controller-manager"},
	{File: "kube-scheduler", User: "system:kube-scheduler"},
	{File: "kube-proxy", User: "system:kube-proxy"},
	{File: "network-policies", User: "network-policies"},
}

// WriteCluster makes every certificate, key and kubeconfig of a cluster below local.
func WriteCluster(local layout.Local, c spec.Cluster) error {
	state := local.State()
	for _, dir := range []string{state.PKI(""), filepath.Dir(state.ComponentKubeconfig("any"))} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	ca, err := NewAuthority("kubernetes")
	if err != nil {
		return err
	}
	steps := []func() error{
		func() error { return writeAuthority(ca, state.PKI("ca")) },
		func() error { return writeAPIServer(ca, state) },
		func() error { return writeServiceAccountKeys(state) },
		func() error { return writeFrontProxy(state) },
		func() error { return writeClients(ca, local, c) },
		func() error { return writeKubelets(ca, state, c.Nodes) },
		func() error { return writeEdge(local) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("cluster certificates: %w", err)
		}
	}
	return nil
}

func writeAuthority(a *Authority, base string) error {
	pair, err := a.Pair()
	if err != nil {
		return err
	}
	return pair.WriteFiles(base)
}

func issue(a *Authority, r Request, base string) error {
	pair, err := a.Issue(r)
	if err != nil {
		return err
	}
	return pair.WriteFiles(base)
}

func writeAPIServer(ca *Authority, state layout.State) error {
	server := Request{
		CommonName: "kube-apiserver",
		Names: []string{
			"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
			"kubernetes.default.svc." + spec.ClusterDomain,
		},
		IPs: []net.IP{net.IPv4(127, 0, 0, 1), net.ParseIP(spec.ServiceIP), net.ParseIP(spec.FabricIP)},
	}
	if err := issue(ca, server, state.PKI("apiserver")); err != nil {
		return err
	}
	kubeletClient := Request{CommonName: "kube-apiserver-kubelet-client", Organizations: []string{"system:masters"}}
	return issue(ca, kubeletClient, state.PKI("apiserver-kubelet-client"))
}

func writeServiceAccountKeys(state layout.State) error {
	private, public, err := NewKeyPair()
	if err != nil {
		return err
	}
	if err := os.WriteFile(state.PKI("service-account.key"), private, 0o600); err != nil {
		return err
	}
	return os.WriteFile(state.PKI("service-account.pub"), public, 0o644)
}

// writeFrontProxy makes the authority by which extension API servers recognise the API server. It must not be
// the cluster's own: any client certificate could then speak in another user's name.
func writeFrontProxy(state layout.State) error {
	ca, err := NewAuthority("front-proxy-ca")
	if err != nil {
		return err
	}
	if err := os.WriteFile(state.PKI("front-proxy-ca.crt"), ca.CertPEM(), 0o644); err != nil {
		return err
	}
	return issue(ca, Request{CommonName: "front-proxy-client"}, state.PKI("front-proxy-client"))
}

func writeClients(ca *Authority, local layout.Local, c spec.Cluster) error {
	for _, client := range clients {
		if err := writeClient(ca, local.State(), client); err != nil {
			return err
		}
	}
	pair, err := ca.Issue(Request{CommonName: clients[0].User, Organizations: clients[0].Groups})
	if err != nil {
		return err
	}
	server := fmt.Sprintf("https://127.0.0.1:%d", c.Ports.API)
	return kubeconfig.Write(local.Kubeconfig(), spec.KubeconfigName, server, ca.CertPEM(), pair.Cert, pair.Key)
}

func writeClient(ca *Authority, state layout.State, client Client) error {
	pair, err := ca.Issue(Request{CommonName: client.User, Organizations: client.Groups})
	if err != nil {
		return err
	}
	return kubeconfig.Write(state.ComponentKubeconfig(client.File), client.File, spec.APIServerURL, ca.CertPEM(), pair.Cert, pair.Key)
}

func writeKubelets(ca *Authority, state layout.State, nodes int) error {
	for n := 1; n <= nodes; n++ {
		name := spec.NodeName(n)
		client := Client{File: name, User: "system:node:" + name, Groups: []string{"system:nodes"}}
		if err := writeClient(ca, state, client); err != nil {
			return err
		}
		serving := Request{CommonName: "system:node:" + name, Names: []string{name}, IPs: []net.IP{spec.NodeIP(n)}}
		if err := issue(ca, serving, state.PKI("kubelet-"+name)); err != nil {
			return err
		}
	}
	return nil
}

// writeEdge makes the certificate that the edge serves, from an authority of its own: trusting it in a browser
// must not mean trusting whatever the cluster's authority signs.
func writeEdge(local layout.Local) error {
	ca, err := NewAuthority("WordPress local edge")
	if err != nil {
		return err
	}
	if err := os.WriteFile(local.EdgeCA(), ca.CertPEM(), 0o644); err != nil {
		return err
	}
	return issue(ca, Request{
		CommonName: spec.EdgeHost,
		Names:      []string{spec.EdgeHost, "*." + spec.EdgeHost, spec.InnerEdgeHost, "*." + spec.InnerEdgeHost, "localhost"},
	}, local.State().PKI("edge"))
}
