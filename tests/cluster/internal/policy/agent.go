// Package policy enforces NetworkPolicies on a node, whose bridge CNI plugin knows none.
//
// Fixed rules of the kernel, set by Divert, hand the first packet of each connection to the node's Agent, which judges
// it by the policies in force at that moment with the engine of sigs.k8s.io/kube-network-policies. That project's own
// data plane needs the nftables statement "queue", which not every kernel has; the iptables target NFQUEUE does the
// same. A connection once accepted stays so when policies change.
//
// Rules and queue belong to the node's network namespace and end with it.
package policy

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"

	nfqueue "github.com/florianl/go-nfqueue/v2"
	mdlayher "github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/kube-network-policies/pkg/network"
)

const (
	// headers is how many bytes of a packet the agent is shown: addresses and ports, with all options.
	headers = 128
	// maxWaiting is how many packets may wait for their verdict; the kernel drops what comes on top. A flood of new
	// connections is judged at some ten thousand a second.
	maxWaiting = 4096
	// receiveBuffer, in bytes, holds that many packets between the kernel and the agent.
	receiveBuffer = 4 << 20
)

// Agent decides which connections from and to the pods of one node are allowed.
type Agent struct {
	// Node is the node's name.
	Node string
	// Pods is the network of the node's pods.
	Pods *net.IPNet
	// Client lists and watches pods, namespaces and network policies.
	Client kubernetes.Interface
	// NetNS is a descriptor of the node's network namespace; 0 is that of the calling process.
	NetNS int
}

// Run judges until ctx ends. Before it knows every policy and pod, and after it has returned, no new connection is
// let through.
func (a Agent) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	judge, err := newJudge(ctx, a)
	if err != nil {
		return err
	}
	defer judge.stop()
	queue, err := nfqueue.Open(&nfqueue.Config{
		NetNS:        a.NetNS,
		NfQueue:      queueNumber,
		MaxPacketLen: headers,
		MaxQueueLen:  maxWaiting,
		Copymode:     nfqueue.NfQnlCopyPacket,
		Flags:        nfqueue.NfQaCfgFlagGSO, // the kernel need not cut large packets up to show their beginning
	})
	if err != nil {
		return fmt.Errorf("netlink queue: %w", err)
	}
	defer func() { _ = queue.Close() }()
	if err := queue.Con.SetReadBuffer(receiveBuffer); err != nil {
		return fmt.Errorf("netlink queue: receive buffer: %w", err)
	}
	decide := func(packet nfqueue.Attribute) int {
		go judge.decide(ctx, queue, packet) // one that waits for its pod to be known must not hold up the others
		return 0
	}
	if err := queue.RegisterWithErrorFunc(ctx, decide, onReceiveError(cancel)); err != nil {
		return fmt.Errorf("netlink queue %d: %w", queueNumber, err)
	}
	log.Printf("judging the connections of %s on %s", a.Pods, a.Node)
	<-ctx.Done()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// onReceiveError says whether to stop reading the queue. What the kernel could not hand over for want of room it has
// dropped, and its sender sends again.
func onReceiveError(cancel context.CancelCauseFunc) nfqueue.ErrorFunc {
	return func(err error) int {
		var failure *mdlayher.OpError
		if errors.Is(err, unix.ENOBUFS) || errors.As(err, &failure) && (failure.Timeout() || failure.Temporary()) {
			return 0
		}
		cancel(fmt.Errorf("read the netlink queue: %w", err))
		return 1
	}
}

// decide gives the kernel the verdict on one packet.
func (j *judge) decide(ctx context.Context, queue *nfqueue.Nfqueue, attributes nfqueue.Attribute) {
	if attributes.PacketID == nil || attributes.Payload == nil {
		return
	}
	verdict := nfqueue.NfDrop
	packet, err := network.ParsePacket(*attributes.Payload)
	switch {
	case err != nil:
		log.Printf("dropped a packet that cannot be read: %v", err)
	case j.allows(ctx, &packet):
		verdict = nfqueue.NfAccept
	default:
		log.Printf("denied %s %s:%d to %s:%d", packet.Proto, packet.SrcIP, packet.SrcPort, packet.DstIP, packet.DstPort)
	}
	if err := queue.SetVerdict(*attributes.PacketID, verdict); err != nil && ctx.Err() == nil {
		log.Printf("verdict: %v", err)
	}
}
