// Package supervisor runs the local cluster: the control plane in its own namespaces (the fabric), the nodes as
// children in namespaces of theirs, and what surrounds them.
//
// It is started detached, with new process, mount, network, host-name and IPC namespaces. When it ends, however it
// ends, the kernel ends everything that it started.
package supervisor

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"wordpress-on-kubernetes/tests/cluster/internal/addons"
	"wordpress-on-kubernetes/tests/cluster/internal/control"
	"wordpress-on-kubernetes/tests/cluster/internal/forward"
	"wordpress-on-kubernetes/tests/cluster/internal/layout"
	"wordpress-on-kubernetes/tests/cluster/internal/netsetup"
	"wordpress-on-kubernetes/tests/cluster/internal/process"
	"wordpress-on-kubernetes/tests/cluster/internal/provisioner"
	"wordpress-on-kubernetes/tests/cluster/internal/spec"
)

// startTimeout bounds everything between the supervisor's start and a ready cluster. On two busy processors three
// nodes take about two minutes.
const startTimeout = 10 * time.Minute

// Files are what the host hands down: listeners opened in the host's network namespace, and the lock that says
// that the supervisor lives.
type Files struct {
	Control, HTTPS, HTTP, API, Proxy net.Listener
	Alive                            *os.File
}

// Supervisor is a running cluster.
type Supervisor struct {
	cluster  spec.Cluster
	progress *progress
	nodes    *nodes
	stop     context.CancelFunc
	// imports keeps two imports of the same images apart.
	imports sync.Mutex
}

// New returns the supervisor of a cluster that is not yet started.
func New(cluster spec.Cluster) *Supervisor {
	progress := newProgress()
	return &Supervisor{cluster: cluster, progress: progress, nodes: newNodes(cluster)}
}

// Run starts the cluster and keeps it running until ctx ends or it is told to stop. A cluster that does not become
// ready is kept for inspection, and says why to whoever asks.
func (s *Supervisor) Run(ctx context.Context, files Files) error {
	ctx, s.stop = context.WithCancel(ctx)
	defer s.stop()
	go func() {
		if err := http.Serve(files.Control, control.Handler(s)); err != nil && ctx.Err() == nil {
			log.Printf("control socket: %v", err)
			s.stop()
		}
	}()
	if err := s.start(ctx, files); err != nil && ctx.Err() == nil {
		log.Printf("start failed: %v", err)
		s.progress.fail(err)
	}
	<-ctx.Done()
	runtime.KeepAlive(files.Alive) // a file that nobody refers to any more is closed, and its lock gone
	log.Print("stopping: all processes end now")
	return nil
}

func (s *Supervisor) start(ctx context.Context, files Files) error {
	starting, cancel := context.WithTimeoutCause(ctx, startTimeout,
		fmt.Errorf("not ready within %s", startTimeout))
	defer cancel()

	if err := netsetup.Fabric(s.cluster.Nodes); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	s.forward(ctx, files)
	if err := s.startControlPlane(ctx, starting); err != nil {
		return err
	}
	clients, err := newClients()
	if err != nil {
		return err
	}
	if err := s.nodes.startAll(ctx); err != nil {
		return err
	}
	if err := provisioner.Start(ctx, clients.typed, layout.InsideState.Volumes()); err != nil {
		return err
	}
	if err := s.startWorkloads(starting, clients); err != nil {
		return err
	}
	s.progress.ready()
	return nil
}

// startWorkloads does side by side what does not depend on one another: nodes becoming Ready, images being imported,
// addons being created.
func (s *Supervisor) startWorkloads(ctx context.Context, clients *clients) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		for n := 1; n <= s.cluster.Nodes; n++ {
			name := spec.NodeName(n)
			if err := process.Await(ctx, name+" to be Ready", clients.nodeReady(name)); err != nil {
				return err
			}
			s.progress.add(name + " is Ready")
		}
		return nil
	})
	group.Go(func() error { return s.importAll(ctx) })
	group.Go(func() error {
		if err := addons.Apply(ctx, clients.config, layout.InsideState); err != nil {
			return err
		}
		s.progress.add("addons are created")
		return addons.Await(ctx, clients.typed, clients.dynamic, s.progress.add)
	})
	return group.Wait()
}

// forward serves the host's ports. Until its target answers, a connection is closed again.
func (s *Supervisor) forward(ctx context.Context, files Files) {
	api := func() []forward.Target {
		return []forward.Target{{Address: fmt.Sprintf("%s:%d", spec.FabricIP, spec.APIServerPort)}}
	}
	go forward.TCP(ctx, files.API, api, nil)
	go forward.TCP(ctx, files.HTTPS, s.nodes.targets(spec.SecureNodePort), forward.Visitor)
	go forward.TCP(ctx, files.HTTP, s.nodes.targets(spec.WebNodePort), forward.Visitor)
	go func() {
		if err := http.Serve(files.Proxy, forward.Proxy(s.nodes.dial)); err != nil && !errors.Is(err, net.ErrClosed) {
			log.Printf("proxy: %v", err)
		}
	}()
}

// Status implements control.Supervisor.
func (s *Supervisor) Status() control.Status {
	status := s.progress.status()
	status.Nodes = s.nodes.status()
	return status
}

// Progress implements control.Supervisor.
func (s *Supervisor) Progress(done <-chan struct{}) <-chan control.Event {
	return s.progress.follow(done)
}

// KillNode implements control.Supervisor.
func (s *Supervisor) KillNode(n int) error { return s.nodes.kill(n) }

// StartNode implements control.Supervisor.
func (s *Supervisor) StartNode(n int) error { return s.nodes.start(n) }

// LoadImages implements control.Supervisor.
func (s *Supervisor) LoadImages() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	return s.importAll(ctx)
}

// Stop implements control.Supervisor.
func (s *Supervisor) Stop() { s.stop() }
