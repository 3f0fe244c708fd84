package policy

import (
	"context"
	"fmt"
	"log"
	"net"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	listers "k8s.io/client-go/listers/networking/v1"
	"sigs.k8s.io/kube-network-policies/pkg/api"
	"sigs.k8s.io/kube-network-policies/pkg/network"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
	"sigs.k8s.io/kube-network-policies/pkg/podinfo"
)

const (
	// sourcePatience is how long the first packet of a new pod waits until the API tells whose address it has. The
	// kubelet reports it about a second after the pod's network is there.
	sourcePatience = 10 * time.Second
	// targetPatience is the same for a packet to an address without a pod. It is shorter, because most of these
	// were pods' once, and whoever calls them is to learn soon that nobody answers.
	targetPatience = time.Second
	// lookAgain is the time between two looks.
	lookAgain = 50 * time.Millisecond
)

// judge knows the cluster's policies, and the pods and namespaces that they select.
type judge struct {
	pods     *net.IPNet
	policies listers.NetworkPolicyLister
	known    api.PodInfoProvider
	engine   *networkpolicy.PolicyEngine
	stop     func()
}

// newJudge returns when all is known that there is at the moment.
func newJudge(ctx context.Context, a Agent) (*judge, error) {
	factory := informers.NewSharedInformerFactory(a.Client, 0)
	pods, namespaces := factory.Core().V1().Pods(), factory.Core().V1().Namespaces()
	policies := factory.Networking().V1().NetworkPolicies()
	if err := pods.Informer().SetTransform(forgetAddressWhenFinished); err != nil {
		return nil, err
	}
	resolver, err := podinfo.NewInformerResolver(pods.Informer())
	if err != nil {
		return nil, fmt.Errorf("index of pods: %w", err)
	}
	known := podinfo.NewInformerProvider(pods, namespaces, nil, []podinfo.IPResolver{resolver})
	standard := networkpolicy.NewStandardNetworkPolicy(a.Node, namespaces, pods, policies)
	factory.Start(ctx.Done())
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			factory.Shutdown()
			return nil, fmt.Errorf("list %s: %w", kind, context.Cause(ctx))
		}
	}
	return &judge{
		pods:     a.Pods,
		policies: policies.Lister(),
		known:    known,
		engine:   networkpolicy.NewPolicyEngine(known, []api.PolicyEvaluator{standard}),
		stop:     factory.Shutdown,
	}, nil
}

// forgetAddressWhenFinished takes its address from a pod whose processes have all ended: it may be another's by now.
func forgetAddressWhenFinished(object any) (any, error) {
	pod, ok := object.(*corev1.Pod)
	if ok && (pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed) {
		pod.Status.PodIP, pod.Status.PodIPs = "", nil
	}
	return object, nil
}

// allows says whether the packet may begin a connection. Where the cluster has no policy at all, any may.
func (j *judge) allows(ctx context.Context, packet *network.Packet) bool {
	if all, err := j.policies.List(labels.Everything()); err == nil && len(all) == 0 {
		return true
	}
	if !j.awaitPod(ctx, packet.SrcIP, sourcePatience) {
		return false // no policy can be applied to a pod that nobody knows
	}
	j.awaitPod(ctx, packet.DstIP, targetPatience)
	allowed, err := j.engine.EvaluatePacket(ctx, packet)
	if err != nil {
		log.Printf("judge %s to %s: %v", packet.SrcIP, packet.DstIP, err)
	}
	return allowed && err == nil
}

// awaitPod waits until the pod of an address of this node is known, and says whether it is. Other addresses, and the
// first of the network, which is the node's own, need no waiting.
func (j *judge) awaitPod(ctx context.Context, ip net.IP, patience time.Duration) bool {
	if !j.pods.Contains(ip) || ip[len(ip)-1] == 1 {
		return true
	}
	deadline := time.Now().Add(patience)
	for {
		if _, ok := j.known.GetPodInfoByIP(ip.String()); ok {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(lookAgain):
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}
