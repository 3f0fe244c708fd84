// Package node runs one node of the cluster: containerd, kubelet, kube-proxy and the enforcement of network policies
// in namespaces of their own.
package node

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"wordpress-on-kubernetes/tests/cluster/internal/layout"
	"wordpress-on-kubernetes/tests/cluster/internal/netsetup"
	"wordpress-on-kubernetes/tests/cluster/internal/policy"
	"wordpress-on-kubernetes/tests/cluster/internal/process"
	"wordpress-on-kubernetes/tests/cluster/internal/sandbox"
	"wordpress-on-kubernetes/tests/cluster/internal/spec"
)

const (
	containerdSocket  = "/run/containerd/containerd.sock"
	containerdConfig  = "/run/config/containerd.toml"
	kubeletConfig     = "/run/config/kubelet.yaml"
	kubeProxyConfig   = "/run/config/kube-proxy.yaml"
	cniConfig         = "/etc/cni/net.d/10-cluster.conflist"
	containerdTimeout = 30 * time.Second
)

// folders are the ones that a node writes to. Each node has its own, at the usual paths.
var folders = []string{
	"/var/lib/containerd", "/var/lib/kubelet", "/var/lib/cni", "/var/log/pods", "/var/log/containers", "/etc/cni/net.d",
}

// sysctls are the ones that the kubelet sets for the whole machine. It finds its values here, and the host keeps
// its own (kubernetes/pkg/kubelet/cm, setupKernelTunables).
var sysctls = map[string]string{
	"vm/overcommit_memory":      "1",
	"vm/panic_on_oom":           "0",
	"kernel/panic":              "10",
	"kernel/panic_on_oops":      "1",
	"kernel/keys/root_maxkeys":  "1000000",
	"kernel/keys/root_maxbytes": "25000000",
}

// Run is the node's supervisor. It reads the node's description from in, which the fabric writes once the node's
// network link is in place, and returns when ctx ends.
func Run(ctx context.Context, in *os.File) error {
	var n spec.Node
	if err := json.NewDecoder(in).Decode(&n); err != nil {
		return fmt.Errorf("read the node's description: %w", err)
	}
	_ = in.Close()
	if err := prepare(n); err != nil {
		return fmt.Errorf("%s: %w", spec.NodeName(n.Number), err)
	}
	return keepRunning(ctx, n)
}

func prepare(n spec.Node) error {
	machine := sandbox.Machine{Hostname: spec.NodeName(n.Number), Sysctls: sysctls}
	for _, folder := range folders {
		own := layout.InsideState.Node(n.Number, folder)
		machine.Binds = append(machine.Binds, sandbox.Bind{From: own, To: folder})
	}
	if err := machine.Enter(); err != nil {
		return err
	}
	if err := netsetup.Node(n.Number, n.Nodes); err != nil {
		return err
	}
	if err := policy.Divert(""); err != nil {
		return fmt.Errorf("network policies: %w", err)
	}
	return writeConfigs(n)
}

func keepRunning(ctx context.Context, n spec.Node) error {
	var all sync.WaitGroup
	defer all.Wait()
	keep := func(p process.Process) { all.Go(func() { p.Keep(ctx) }) }

	keep(containerd(n))
	ready, cancel := context.WithTimeout(ctx, containerdTimeout)
	defer cancel()
	if err := process.Await(ready, "containerd", containerdAnswers); err != nil {
		return err
	}
	keep(kubelet(n))
	keep(kubeProxy(n))
	keep(networkPolicies(n))
	<-ctx.Done()
	return nil
}

func containerdAnswers(ctx context.Context) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", containerdSocket)
	if err != nil {
		return err
	}
	return conn.Close()
}

func component(n spec.Node, name, path string, args ...string) process.Process {
	full := spec.NodeName(n.Number) + "-" + name
	return process.Process{Name: full, Path: path, Args: args, LogFile: layout.InsideState.Log(full)}
}

func containerd(n spec.Node) process.Process {
	return component(n, "containerd", "/usr/bin/containerd", "--config="+containerdConfig)
}

func kubelet(n spec.Node) process.Process {
	name := spec.NodeName(n.Number)
	return component(n, "kubelet", filepath.Join(layout.InsideBin, "kubelet"),
		"--config="+kubeletConfig,
		"--kubeconfig="+layout.InsideState.ComponentKubeconfig(name),
		"--hostname-override="+name,
		"--node-ip="+spec.NodeIP(n.Number).String(),
		fmt.Sprintf("--node-labels=topology.kubernetes.io/region=local,topology.kubernetes.io/zone=zone%d", n.Number))
}

func kubeProxy(n spec.Node) process.Process {
	return component(n, "kube-proxy", filepath.Join(layout.InsideBin, "kube-proxy"), "--config="+kubeProxyConfig)
}

// networkPolicies is this very program. A component of its own, it can end and start again without the others.
func networkPolicies(n spec.Node) process.Process {
	return component(n, policy.Command, "/proc/self/exe", policy.Command, strconv.Itoa(n.Number))
}
