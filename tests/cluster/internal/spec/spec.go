// Package spec describes one local cluster: its size and identity, and the addresses and names that every
// part of it agrees on.
package spec

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
)

// Addresses inside the cluster's private network. Nothing of it is visible on the host, so they are fixed.
const (
	FabricIP        = "10.200.0.1"
	FabricPrefix    = 24
	PodCIDR         = "10.244.0.0/16"
	ServiceCIDR     = "10.96.0.0/16"
	ServiceIP       = "10.96.0.1" // the Service kubernetes.default: the first address of ServiceCIDR
	DNSIP           = "10.96.0.10"
	EdgeIP          = "10.96.0.80"
	ClusterDomain   = "cluster.local"
	APIServerPort   = 6443
	WebNodePort     = 30080
	SecureNodePort  = 30443
	MaxNodes        = 9
	EdgeHost        = "wordpress.localhost"
	InnerEdgeHost   = "wordpress.test" // leads to the edge from pods too; below localhost curl looks up nothing and asks the pod itself
	KubeconfigName  = "wordpress-local"
	PodBridge       = "cni0" // in each node, the bridge that its pods are attached to
	firstNodeOctet  = 10
	nodeNamePattern = "node%d"
)

// APIServerURL is the API server's address inside the cluster's network.
var APIServerURL = fmt.Sprintf("https://%s:%d", FabricIP, APIServerPort)

// Ports are the loopback ports of the host through which the cluster is reached.
type Ports struct {
	HTTPS int `json:"https"`
	HTTP  int `json:"http"`
	API   int `json:"api"`
	Proxy int `json:"proxy"`
}

// Cluster is what a supervisor is started with.
type Cluster struct {
	// ID names the cluster's control groups on the host; each clone of the repository has its own.
	ID string `json:"id"`
	// Nodes is the number of nodes, 1 to MaxNodes.
	Nodes int   `json:"nodes"`
	Ports Ports `json:"ports"`
}

// Node is what one node is started with.
type Node struct {
	Number int `json:"number"`
	// Nodes is the size of the cluster: each node has a route to the pods of all others.
	Nodes int `json:"nodes"`
	// CgroupRoot is the control group, relative to each hierarchy, below which all pods of the node run.
	CgroupRoot string `json:"cgroupRoot"`
}

// SupervisorCgroup is the control group of the supervisor and of all processes that are not in a pod.
func (c Cluster) SupervisorCgroup() string { return c.ID + "/supervisor" }

// NodeCgroup is the control group of the pods of node n.
func (c Cluster) NodeCgroup(n int) string { return fmt.Sprintf("%s/%s", c.ID, NodeName(n)) }

// NodeName is the name of node n.
func NodeName(n int) string { return fmt.Sprintf(nodeNamePattern, n) }

// NodeIP is the address of node n in the cluster's network.
func NodeIP(n int) net.IP { return net.IPv4(10, 200, 0, byte(firstNodeOctet+n)) }

// NodePods is the network of the pods of node n.
func NodePods(n int) *net.IPNet {
	return &net.IPNet{IP: net.IPv4(10, 244, byte(n), 0), Mask: net.CIDRMask(24, 32)}
}

// Load reads a cluster's description.
func Load(path string) (Cluster, error) {
	var c Cluster
	raw, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// Save writes the description to path.
func (c Cluster) Save(path string) error {
	raw, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, raw, 0o644)
}
