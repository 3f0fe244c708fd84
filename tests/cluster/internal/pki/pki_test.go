package pki

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"k8s.io/client-go/tools/clientcmd"

	"wordpress-on-kubernetes/tests/cluster/internal/layout"
	"wordpress-on-kubernetes/tests/cluster/internal/spec"
)

// written makes the certificates of a cluster with two nodes.
func written(t *testing.T) layout.Local {
	t.Helper()
	local := layout.Local(t.TempDir())
	if err := os.MkdirAll(string(local.State()), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := WriteCluster(local, spec.Cluster{ID: "test", Nodes: 2, Ports: spec.Ports{API: 6443}}); err != nil {
		t.Fatal(err)
	}
	return local
}

func certificate(t *testing.T, path string) *x509.Certificate {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, raw)
}

func parse(t *testing.T, raw []byte) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(raw)
	if block == nil {
		t.Fatalf("no PEM in %q", raw)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func verify(cert, ca *x509.Certificate, name string, usage x509.ExtKeyUsage) error {
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	_, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: name, KeyUsages: []x509.ExtKeyUsage{usage}})
	return err
}

func TestServersAreTrustedByTheNamesTheyAreReachedBy(t *testing.T) {
	local := written(t)
	state := local.State()
	tests := []struct{ cert, ca, name string }{
		{state.PKI("apiserver.crt"), state.PKI("ca.crt"), "127.0.0.1"},
		{state.PKI("apiserver.crt"), state.PKI("ca.crt"), spec.FabricIP},
		{state.PKI("apiserver.crt"), state.PKI("ca.crt"), spec.ServiceIP},
		{state.PKI("apiserver.crt"), state.PKI("ca.crt"), "kubernetes.default.svc"},
		{state.PKI("kubelet-node2.crt"), state.PKI("ca.crt"), spec.NodeIP(2).String()},
		{state.PKI("edge.crt"), local.EdgeCA(), "wordpress.localhost"},
		{state.PKI("edge.crt"), local.EdgeCA(), "blog.wordpress.localhost"},
		{state.PKI("edge.crt"), local.EdgeCA(), "blog.wordpress.test"},
		{state.PKI("edge.crt"), local.EdgeCA(), "localhost"},
	}
	for _, test := range tests {
		if err := verify(certificate(t, test.cert), certificate(t, test.ca), test.name, x509.ExtKeyUsageServerAuth); err != nil {
			t.Errorf("%s as %s: %v", filepath.Base(test.cert), test.name, err)
		}
	}
}

func TestAuthoritiesDoNotSpeakForOneAnother(t *testing.T) {
	local := written(t)
	state := local.State()
	wrong := map[string]string{
		state.PKI("edge.crt"):               state.PKI("ca.crt"),
		state.PKI("apiserver.crt"):          local.EdgeCA(),
		state.PKI("front-proxy-client.crt"): state.PKI("ca.crt"),
	}
	for cert, ca := range wrong {
		if verify(certificate(t, cert), certificate(t, ca), "", x509.ExtKeyUsageAny) == nil {
			t.Errorf("%s is trusted by %s", filepath.Base(cert), filepath.Base(ca))
		}
	}
}

func TestKubeconfigsCarryTheUsersThatKubernetesKnows(t *testing.T) {
	state := written(t).State()
	want := map[string]struct{ user, group string }{
		"admin":                   {"kubernetes-admin", "system:masters"},
		"kube-controller-manager": {"system:kube-controller-manager", ""},
		"kube-scheduler":          {"system:kube-scheduler", ""},
		"kube-proxy":              {"system:kube-proxy", ""},
		"node1":                   {"system:node:node1", "system:nodes"},
		"node2":                   {"system:node:node2", "system:nodes"},
	}
	for name, identity := range want {
		config, err := clientcmd.BuildConfigFromFlags("", state.ComponentKubeconfig(name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if config.Host != spec.APIServerURL {
			t.Errorf("%s talks to %s, want %s", name, config.Host, spec.APIServerURL)
		}
		if _, err := tls.X509KeyPair(config.CertData, config.KeyData); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		cert := parse(t, config.CertData)
		if cert.Subject.CommonName != identity.user {
			t.Errorf("%s is user %q, want %q", name, cert.Subject.CommonName, identity.user)
		}
		if identity.group != "" && !slices.Contains(cert.Subject.Organization, identity.group) {
			t.Errorf("%s is in groups %q, want %q", name, cert.Subject.Organization, identity.group)
		}
		if err := verify(cert, certificate(t, state.PKI("ca.crt")), "", x509.ExtKeyUsageServerAuth); err == nil {
			t.Errorf("%s's certificate would do for a server", name)
		}
	}
}

func TestTheHostsKubeconfig(t *testing.T) {
	local := written(t)
	config, err := clientcmd.LoadFromFile(local.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	if config.CurrentContext != "wordpress-local" || len(config.Contexts) != 1 {
		t.Errorf("contexts %v, current %q", config.Contexts, config.CurrentContext)
	}
	if server := config.Clusters["wordpress-local"].Server; server != "https://127.0.0.1:6443" {
		t.Errorf("server %q", server)
	}
}

func TestKeysAreTheOwnersAlone(t *testing.T) {
	local := written(t)
	var secrets []string
	for _, pattern := range []string{local.State().PKI("*.key"), local.State().ComponentKubeconfig("*"), local.Kubeconfig()} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v, %v", pattern, found, err)
		}
		secrets = append(secrets, found...)
	}
	for _, path := range secrets {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o", filepath.Base(path), mode)
		}
	}
}

func TestACertificateIsForItsOwnAddressesAlone(t *testing.T) {
	ca, err := NewAuthority("test")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.Issue(Request{CommonName: "server", IPs: []net.IP{net.IPv4(127, 0, 0, 1)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(parse(t, pair.Cert), parse(t, ca.CertPEM()), "127.0.0.2", x509.ExtKeyUsageServerAuth); err == nil {
		t.Error("a certificate for 127.0.0.1 is accepted for 127.0.0.2")
	}
}
