// Package layout names every file and folder that the local cluster uses, in one place.
//
// The same state folder is seen under two paths: below the repository by the commands that run on the host,
// and at InsideState by the processes inside the cluster's private namespaces. State holds either.
package layout

import (
	"fmt"
	"path/filepath"
)

// Paths inside the cluster's private root file system.
const (
	InsideState  = State("/cluster")
	InsideBin    = "/opt/kubernetes/bin"
	InsideImages = "/images"
)

// Local is the repository's git-ignored folder for everything that is built or kept.
type Local string

// InRepo returns the local folder of the repository at root.
func InRepo(root string) Local { return Local(filepath.Join(root, ".local")) }

// Bin is the folder of the built tools, or one of them.
func (l Local) Bin(elem ...string) string {
	return filepath.Join(append([]string{string(l), "bin"}, elem...)...)
}

// Images is the folder of the container images.
func (l Local) Images() string { return filepath.Join(string(l), "images") }

// NodeRoot is the Debian root file system that nodes run in.
func (l Local) NodeRoot() string { return filepath.Join(string(l), "noderoot") }

// Kubeconfig is the administrator's kubeconfig for use from the host.
func (l Local) Kubeconfig() string { return filepath.Join(string(l), "kubeconfig") }

// EdgeCA is the certificate of the authority behind the edge's certificate.
func (l Local) EdgeCA() string { return filepath.Join(string(l), "ca.crt") }

// CommandLock is the file whose lock keeps two commands from changing the cluster at the same time.
func (l Local) CommandLock() string { return filepath.Join(string(l), "cluster.lock") }

// State is the folder of the running cluster.
func (l Local) State() State { return State(filepath.Join(string(l), "cluster")) }

// State is the folder that holds everything of the running cluster. It is deleted by down.
type State string

func (s State) path(elem ...string) string {
	return filepath.Join(append([]string{string(s)}, elem...)...)
}

// Spec is the description that the supervisor was started with.
func (s State) Spec() string { return s.path("spec.json") }

// Endpoints tells other programs where the cluster is reached.
func (s State) Endpoints() string { return s.path("endpoints.json") }

// ControlSocket is where the supervisor takes commands.
func (s State) ControlSocket() string { return s.path("control.sock") }

// AliveLock is locked for as long as the supervisor lives.
func (s State) AliveLock() string { return s.path("supervisor.lock") }

// Logs is the folder of the processes' log files.
func (s State) Logs() string { return s.path("logs") }

// Log is the log file of one process.
func (s State) Log(process string) string { return s.path("logs", process+".log") }

// PKI is a file of the cluster's certificates and keys.
func (s State) PKI(name string) string { return s.path("pki", name) }

// ComponentKubeconfig is the kubeconfig of a component, for use inside the cluster's network.
func (s State) ComponentKubeconfig(component string) string {
	return s.path("kubeconfigs", component+".kubeconfig")
}

// TraefikCRDs is the copy of the custom resource definitions from Traefik's module.
func (s State) TraefikCRDs() string { return s.path("traefik-crds.yaml") }

// Etcd is etcd's data folder.
func (s State) Etcd() string { return s.path("etcd") }

// Volumes is the folder of the provisioned volumes, seen by all nodes.
func (s State) Volumes() string { return s.path("volumes") }

// Scratch is the writable layer over the nodes' root file system.
func (s State) Scratch() string { return s.path("root") }

// Node is a file or folder of node n.
func (s State) Node(n int, elem ...string) string {
	return s.path(append([]string{"nodes", fmt.Sprint(n)}, elem...)...)
}
