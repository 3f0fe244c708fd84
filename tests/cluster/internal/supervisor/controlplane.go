package supervisor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"wordpress-on-kubernetes/tests/cluster/internal/layout"
	"wordpress-on-kubernetes/tests/cluster/internal/process"
	"wordpress-on-kubernetes/tests/cluster/internal/spec"
)

// Plain HTTP on the fabric's own loopback, which nothing but the control plane can reach.
const (
	etcdURL     = "http://127.0.0.1:2379"
	etcdPeerURL = "http://127.0.0.1:2380"
)

// checkTimeout bounds one readiness request.
const checkTimeout = 2 * time.Second

// startControlPlane starts etcd, the API server and its clients, each when the one before it is ready. The processes
// live as long as ctx, the waiting as long as starting.
func (s *Supervisor) startControlPlane(ctx, starting context.Context) error {
	go etcd().Keep(ctx)
	if err := process.Await(starting, "etcd", healthy(http.DefaultClient, etcdURL+"/health")); err != nil {
		return err
	}
	s.progress.add("etcd is ready")

	client, err := apiServerClient()
	if err != nil {
		return err
	}
	go apiServer().Keep(ctx)
	if err := process.Await(starting, "kube-apiserver", healthy(client, spec.APIServerURL+"/readyz")); err != nil {
		return err
	}
	s.progress.add("kube-apiserver is ready")

	go controllerManager().Keep(ctx)
	go scheduler().Keep(ctx)
	return nil
}

func healthy(client *http.Client, url string) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, checkTimeout)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s", url, response.Status)
		}
		return nil
	}
}

func apiServerClient() (*http.Client, error) {
	ca, err := os.ReadFile(layout.InsideState.PKI("ca.crt"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}, nil
}

func component(name string, args ...string) process.Process {
	return process.Process{
		Name:    name,
		Path:    filepath.Join(layout.InsideBin, name),
		Args:    args,
		LogFile: layout.InsideState.Log(name),
	}
}

func etcd() process.Process {
	return component("etcd",
		"--name=local",
		"--data-dir="+layout.InsideState.Etcd(),
		"--listen-client-urls="+etcdURL,
		"--advertise-client-urls="+etcdURL,
		"--listen-peer-urls="+etcdPeerURL,
		"--initial-advertise-peer-urls="+etcdPeerURL,
		"--initial-cluster=local="+etcdPeerURL,
		// The cluster does not outlive its supervisor, so no write has to reach the disk at once.
		"--unsafe-no-fsync",
	)
}

func apiServer() process.Process {
	pki := layout.InsideState.PKI
	return component("kube-apiserver",
		"--advertise-address="+spec.FabricIP,
		fmt.Sprintf("--secure-port=%d", spec.APIServerPort),
		"--etcd-servers="+etcdURL,
		"--service-cluster-ip-range="+spec.ServiceCIDR,
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged",
		"--client-ca-file="+pki("ca.crt"),
		"--tls-cert-file="+pki("apiserver.crt"),
		"--tls-private-key-file="+pki("apiserver.key"),
		"--service-account-issuer=https://kubernetes.default.svc."+spec.ClusterDomain,
		"--service-account-key-file="+pki("service-account.pub"),
		"--service-account-signing-key-file="+pki("service-account.key"),
		"--kubelet-certificate-authority="+pki("ca.crt"),
		"--kubelet-client-certificate="+pki("apiserver-kubelet-client.crt"),
		"--kubelet-client-key="+pki("apiserver-kubelet-client.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--requestheader-client-ca-file="+pki("front-proxy-ca.crt"),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file="+pki("front-proxy-client.crt"),
		"--proxy-client-key-file="+pki("front-proxy-client.key"),
		// The fabric has routes to pods but no kube-proxy, so Services are reached by their endpoints.
		"--enable-aggregator-routing",
	)
}

func controllerManager() process.Process {
	kubeconfig := layout.InsideState.ComponentKubeconfig("kube-controller-manager")
	return component("kube-controller-manager",
		"--kubeconfig="+kubeconfig,
		"--authentication-kubeconfig="+kubeconfig,
		"--authorization-kubeconfig="+kubeconfig,
		"--leader-elect=false",
		"--use-service-account-credentials",
		// How long a silent node counts as alive: the default until Kubernetes 1.31, ten seconds below that of today.
		"--node-monitor-grace-period=40s",
		"--root-ca-file="+layout.InsideState.PKI("ca.crt"),
		"--service-account-private-key-file="+layout.InsideState.PKI("service-account.key"),
		"--cluster-signing-cert-file="+layout.InsideState.PKI("ca.crt"),
		"--cluster-signing-key-file="+layout.InsideState.PKI("ca.key"),
	)
}

func scheduler() process.Process {
	kubeconfig := layout.InsideState.ComponentKubeconfig("kube-scheduler")
	return component("kube-scheduler",
		"--kubeconfig="+kubeconfig,
		"--authentication-kubeconfig="+kubeconfig,
		"--authorization-kubeconfig="+kubeconfig,
		"--leader-elect=false",
	)
}
