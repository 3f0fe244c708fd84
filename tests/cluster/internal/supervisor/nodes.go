package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"wordpress-on-kubernetes/tests/cluster/internal/control"
	"wordpress-on-kubernetes/tests/cluster/internal/forward"
	"wordpress-on-kubernetes/tests/cluster/internal/layout"
	"wordpress-on-kubernetes/tests/cluster/internal/netsetup"
	"wordpress-on-kubernetes/tests/cluster/internal/spec"
)

// NodeCommand is the argument with which this program is started as a node.
const NodeCommand = "node-supervise"

// nodeNamespaces are those that each node has to itself.
const nodeNamespaces = unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC

// restartDelay keeps a node that cannot start from taking the machine's processors.
const restartDelay = 5 * time.Second

// nodes starts and ends the cluster's nodes.
type nodes struct {
	cluster spec.Cluster

	mu    sync.Mutex
	ctx   context.Context // the cluster's; nil until startAll
	lives map[int]*life
}

// life is one node from its start to its being killed, over however many runs of its first process.
type life struct {
	end     context.CancelFunc
	ended   chan struct{}
	process *os.Process // nil between two runs
}

func newNodes(cluster spec.Cluster) *nodes {
	return &nodes{cluster: cluster, lives: map[int]*life{}}
}

func (n *nodes) startAll(ctx context.Context) error {
	n.mu.Lock()
	n.ctx = ctx
	n.mu.Unlock()
	for number := 1; number <= n.cluster.Nodes; number++ {
		if err := n.start(number); err != nil {
			return err
		}
	}
	return nil
}

// start starts a node and keeps it running.
func (n *nodes) start(number int) error {
	if number < 1 || number > n.cluster.Nodes {
		return fmt.Errorf("there is no node %d: the cluster has nodes 1 to %d", number, n.cluster.Nodes)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.ctx == nil:
		return fmt.Errorf("node %d: the control plane is still starting", number)
	case n.lives[number] != nil:
		return fmt.Errorf("node %d runs already", number)
	}
	ctx, end := context.WithCancel(n.ctx)
	l := &life{end: end, ended: make(chan struct{})}
	n.lives[number] = l
	log.Printf("%s starts", spec.NodeName(number))
	go n.keep(ctx, number, l)
	return nil
}

// kill does what a power cut would: it takes the node's link away, so that nobody is told of the end of a connection, and ends its
// first process, with which the kernel ends all others of the node. It returns when all have ended.
func (n *nodes) kill(number int) error {
	n.mu.Lock()
	l := n.lives[number]
	n.mu.Unlock()
	if l == nil {
		return fmt.Errorf("node %d does not run", number)
	}
	if err := netsetup.Detach(number); err != nil {
		return err
	}
	l.end()
	<-l.ended
	log.Printf("%s was killed", spec.NodeName(number))
	return nil
}

// keep runs the node again and again until ctx, its life, ends.
func (n *nodes) keep(ctx context.Context, number int, l *life) {
	defer close(l.ended)
	defer n.set(func() { delete(n.lives, number) })
	for {
		err := n.run(ctx, number, l)
		if ctx.Err() != nil {
			return
		}
		log.Printf("%s ended (%v); starting it again in %s", spec.NodeName(number), err, restartDelay)
		select {
		case <-ctx.Done():
			return
		case <-time.After(restartDelay):
		}
	}
}

func (n *nodes) set(change func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change()
}

// run starts the node's supervisor, gives it a network link, then its description, and waits for its end.
func (n *nodes) run(ctx context.Context, number int, l *life) error {
	output, err := os.OpenFile(layout.InsideState.Log(spec.NodeName(number)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = output.Close() }()
	in, description, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = description.Close() }()

	cmd := exec.CommandContext(ctx, "/proc/self/exe", NodeCommand, strconv.Itoa(number))
	cmd.Stdout, cmd.Stderr = output, output
	cmd.ExtraFiles = []*os.File{in}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: nodeNamespaces}
	err = cmd.Start()
	_ = in.Close()
	if err != nil {
		return err
	}
	n.set(func() { l.process = cmd.Process })
	defer n.set(func() { l.process = nil })
	if err := n.describe(number, cmd.Process.Pid, description); err != nil {
		_ = cmd.Process.Kill()
		return errors.Join(err, cmd.Wait())
	}
	return cmd.Wait()
}

func (n *nodes) describe(number, pid int, to *os.File) error {
	if err := netsetup.Attach(number, pid); err != nil {
		return err
	}
	err := json.NewEncoder(to).Encode(spec.Node{
		Number:     number,
		Nodes:      n.cluster.Nodes,
		CgroupRoot: n.cluster.NodeCgroup(number),
	})
	_ = to.Close()
	return err
}

// pid is the number of the node's first process, 0 when it does not run.
func (n *nodes) pid(number int) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if l := n.lives[number]; l != nil && l.process != nil {
		return l.process.Pid
	}
	return 0
}

func (n *nodes) status() []control.Node {
	var all []control.Node
	for number := 1; number <= n.cluster.Nodes; number++ {
		pid := n.pid(number)
		all = append(all, control.Node{
			Name:    spec.NodeName(number),
			IP:      spec.NodeIP(number).String(),
			Running: pid != 0,
			PID:     pid,
		})
	}
	return all
}

// targets returns a node port on all nodes that run.
func (n *nodes) targets(port int) forward.Targets {
	return func() []forward.Target {
		n.mu.Lock()
		defer n.mu.Unlock()
		var all []forward.Target
		for number := 1; number <= n.cluster.Nodes; number++ {
			if l := n.lives[number]; l != nil && l.process != nil {
				address := net.JoinHostPort(spec.NodeIP(number).String(), strconv.Itoa(port))
				all = append(all, forward.Target{Address: address, Gone: l.ended})
			}
		}
		return all
	}
}

// dial connects to an address of the cluster's network. A pod is called from its own node, as the kubelet calls it for
// probes and port-forwards, because network policies keep out whoever calls from elsewhere.
func (n *nodes) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	connect := func() error {
		var err error
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		return err
	}
	if pid := n.pid(n.ofPod(address)); pid != 0 {
		err = netsetup.Inside(pid, connect)
	} else {
		err = connect()
	}
	return conn, err
}

// ofPod is the number of the node whose pods have the address, 0 if it is nobody's.
func (n *nodes) ofPod(address string) int {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return 0
	}
	for number := 1; number <= n.cluster.Nodes; number++ {
		if spec.NodePods(number).Contains(net.ParseIP(host)) {
			return number
		}
	}
	return 0
}

// isAlive says whether the node is meant to run.
func (n *nodes) isAlive(number int) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lives[number] != nil
}
