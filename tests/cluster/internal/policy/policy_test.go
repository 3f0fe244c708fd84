package policy

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"sigs.k8s.io/yaml"

	"wordpress-on-kubernetes/tests/cluster/internal/netsetup"
	"wordpress-on-kubernetes/tests/cluster/internal/process"
	"wordpress-on-kubernetes/tests/cluster/internal/spec"
)

// patience is how long the test waits for what must come true.
const patience = 20 * time.Second

// member is a pod of the test. All of them listen on all ports, so that nothing but a policy keeps one from another.
type member struct {
	namespace, name string
	node, host      int
	space           *space
}

func (m *member) ip() string { return podIP(m.node, m.host) }

var ports = []string{"53", "80", "3306"}

func (m *member) object() *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: m.namespace, Name: m.name, Labels: map[string]string{"app": m.name}},
		Spec: corev1.PodSpec{NodeName: spec.NodeName(m.node), Containers: []corev1.Container{{
			Name:  "main",
			Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 80, Protocol: corev1.ProtocolTCP}},
		}}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning},
	}
	return withAddress(pod, m.ip())
}

func withAddress(pod *corev1.Pod, ip string) *corev1.Pod {
	pod.Status.PodIP, pod.Status.PodIPs = ip, []corev1.PodIP{{IP: ip}}
	return pod
}

// policies are those of a site: nothing but the edge to the web, the web to the database and to DNS.
const policies = `
- metadata: {namespace: site, name: deny}
  spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
- metadata: {namespace: site, name: web}
  spec:
    podSelector: {matchLabels: {app: web}}
    policyTypes: [Ingress, Egress]
    ingress:
    - from: [{namespaceSelector: {matchLabels: {name: edge}}, podSelector: {matchLabels: {app: edge}}}]
      ports: [{protocol: TCP, port: http}]
    egress:
    - to: [{podSelector: {matchLabels: {app: db}}}]
      ports: [{protocol: TCP, port: 3306}]
    - to: [{namespaceSelector: {matchLabels: {name: kube-system}}}]
      ports: [{protocol: UDP, port: 53}]
- metadata: {namespace: site, name: db}
  spec:
    podSelector: {matchLabels: {app: db}}
    policyTypes: [Ingress]
    ingress:
    - from: [{podSelector: {matchLabels: {app: web}}}]
      ports: [{protocol: TCP, port: 3306}]
`

// allowed says which connections these policies let through, in words of its own.
func allowed(from, to *member, network, port string) bool {
	service := network + " " + port
	switch {
	case from.namespace != "site" && to.namespace != "site":
		return true // no policy selects either
	case from.namespace == "edge" && to.name == "web":
		return service == "tcp 80"
	case from.name == "web" && to.name == "db":
		return service == "tcp 3306"
	case from.name == "web" && to.namespace == "kube-system":
		return service == "udp 53"
	}
	return false
}

// site is a cluster of two nodes with the pods of a site and others.
type site struct {
	*testbed
	client  kubernetes.Interface
	members []*member
	stops   map[int]func() // end the agent of a node
}

func newSite(t *testing.T) *site {
	t.Helper()
	requireRoot(t)
	s := &site{testbed: newTestbed(t, 2), stops: map[int]func(){}, members: []*member{
		{namespace: "site", name: "web", node: 1, host: 2},
		{namespace: "site", name: "web", node: 2, host: 2},
		{namespace: "site", name: "db", node: 1, host: 3},
		{namespace: "kube-system", name: "dns", node: 1, host: 4},
		{namespace: "kube-system", name: "dns", node: 2, host: 4},
		{namespace: "edge", name: "edge", node: 2, host: 5},
		{namespace: "other", name: "edge", node: 1, host: 6}, // the right label in the wrong namespace
	}}
	var objects []runtime.Object
	for _, name := range []string{"site", "kube-system", "edge", "other"} {
		objects = append(objects, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"name": name}}})
	}
	for i, m := range s.members {
		m.space = s.pod(t, m.node, m.host, ports...)
		object := m.object()
		object.Name = fmt.Sprintf("%s-%d", m.name, i)
		objects = append(objects, object)
	}
	s.client = fake.NewClientset(objects...)
	return s
}

// member finds a pod by its name and node.
func (s *site) member(name string, node int) *member {
	for _, m := range s.members {
		if m.name == name && m.node == node {
			return m
		}
	}
	panic(fmt.Sprintf("no %s on node %d", name, node))
}

// startAgent starts the agent of a node, which ends with the test or by the node's entry in stops.
func (s *site) startAgent(t *testing.T, n int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	agent := Agent{Node: spec.NodeName(n), Pods: spec.NodePods(n), Client: s.client, NetNS: int(s.nodes[n-1].handle)}
	var running sync.WaitGroup
	running.Go(func() {
		if err := agent.Run(ctx); err != nil {
			t.Errorf("agent of node %d: %v", n, err)
		}
	})
	s.stops[n] = func() { cancel(); running.Wait() }
	t.Cleanup(s.stops[n])
}

func (s *site) startAgents(t *testing.T) {
	t.Helper()
	s.startAgent(t, 1)
	s.startAgent(t, 2)
	// Namespaces whose pods no policy selects reach each other once both agents judge.
	s.await(t, "the agents", func() bool { return s.reaches("edge", 2, "edge", 1) && s.reaches("dns", 1, "dns", 2) })
}

func (s *site) reaches(from string, fromNode int, to string, toNode int) bool {
	return s.member(from, fromNode).space.answers("tcp", s.member(to, toNode).ip()+":80")
}

func (s *site) await(t *testing.T, what string, check func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := process.Await(ctx, what, func(context.Context) error {
		if !check() {
			return fmt.Errorf("not yet")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// applyPolicies creates the policies and waits until both agents know all of them.
func (s *site) applyPolicies(t *testing.T) {
	t.Helper()
	var all []*networkingv1.NetworkPolicy
	if err := yaml.UnmarshalStrict([]byte(policies), &all); err != nil {
		t.Fatal(err)
	}
	for _, policy := range all {
		if _, err := s.client.NetworkingV1().NetworkPolicies(policy.Namespace).Create(t.Context(), policy, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	// The last one is known where the database is reached; the one before, on the other node, where the web is.
	s.await(t, "the policies", func() bool {
		return !s.reaches("dns", 1, "db", 1) && !s.reaches("dns", 2, "web", 2) &&
			s.member("web", 2).space.answers("tcp", s.member("db", 1).ip()+":3306") && s.reaches("edge", 2, "web", 2)
	})
}

// attempt is one connection and whether it is to succeed.
type attempt struct {
	name             string
	from             *space
	network, address string
	want             bool
}

func (s *site) try(t *testing.T, attempts []attempt) {
	t.Helper()
	sideBySide(attempts, func(a attempt) {
		if got := a.from.answers(a.network, a.address); got != a.want {
			t.Errorf("%s to %s %s: connected %t, want %t", a.name, a.network, a.address, got, a.want)
		}
	})
}

// pairs are all connections between two pods.
func (s *site) pairs(want func(from, to *member, network, port string) bool) []attempt {
	var all []attempt
	for _, from := range s.members {
		for _, to := range s.members {
			for _, port := range ports {
				for _, network := range []string{"tcp", "udp"} {
					if from == to {
						continue
					}
					all = append(all, attempt{
						name: fmt.Sprintf("%s/%s (%s)", from.namespace, from.name, from.ip()), from: from.space,
						network: network, address: net.JoinHostPort(to.ip(), port), want: want(from, to, network, port),
					})
				}
			}
		}
	}
	return all
}

func TestWithoutPoliciesEveryPodReachesEveryOther(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.startAgents(t)
	s.try(t, s.pairs(func(*member, *member, string, string) bool { return true }))
}

func TestPoliciesHoldBetweenEveryPairOfPods(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.startAgents(t)
	s.applyPolicies(t)
	s.try(t, s.pairs(allowed))
}

func TestPoliciesHoldTowardsNodesAndTheWorld(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.startAgents(t)
	s.applyPolicies(t)
	api := fmt.Sprintf("%s:%d", spec.FabricIP, spec.APIServerPort)
	var attempts []attempt
	for _, m := range s.members {
		free := m.namespace != "site"
		for _, address := range []string{api, metadata + ":80", spec.NodeIP(1).String() + ":80", spec.NodeIP(2).String() + ":80"} {
			attempts = append(attempts, attempt{name: m.namespace + "/" + m.name, from: m.space, network: "tcp", address: address, want: free})
		}
		for n, node := range s.nodes {
			// A pod's own node always reaches it: the kubelet must be able to probe it.
			attempts = append(attempts, attempt{name: spec.NodeName(n + 1), from: node, network: "tcp",
				address: m.ip() + ":80", want: free || m.node == n+1})
		}
		attempts = append(attempts, attempt{name: "fabric", from: s.fabric, network: "tcp", address: m.ip() + ":80", want: free})
	}
	s.try(t, attempts)
}

// The way of the cluster's proxy, by which tests on the host call single pods.
func TestWhoeverEntersAPodsNodeReachesIt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.startAgents(t)
	s.applyPolicies(t)
	web := s.member("web", 1)
	s.nodes[0].must(t, func() error {
		inNode, result := unix.Gettid(), make(chan error)
		go func() {
			result <- netsetup.Inside(inNode, func() error {
				conn, err := net.DialTimeout("tcp", web.ip()+":80", answerTimeout)
				if err == nil {
					_ = conn.Close()
				}
				return err
			})
		}()
		return <-result
	})
}

func TestPodsDoNotReachEachOtherByIPv6(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	web, db := s.member("web", 1), s.member("db", 1)
	s.await(t, "a link-local address", func() bool { return linkLocal(db, db) != "" })
	s.await(t, "the address to be usable", func() bool {
		return db.space.run(func() error {
			listener, err := net.Listen("tcp", linkLocal(db, db))
			if err == nil {
				t.Cleanup(func() { _ = listener.Close() })
				go echoStreams(listener)
			}
			return err
		}) == nil
	})
	if web.space.answers("tcp", linkLocal(db, web)) {
		t.Error("connected past the policies")
	}
	const none = "*mangle\nCOMMIT\n"
	s.nodes[0].must(t, func() error { return restore(iptablesRoot(t), "/usr/sbin/ip6tables-restore", none) })
	s.await(t, "a connection without the rules", func() bool { return web.space.answers("tcp", linkLocal(db, web)) })
}

// linkLocal is the IPv6 address of a pod's port 80 as it is written in another, where the link has a number of its own.
func linkLocal(of, in *member) string {
	var ip string
	var zone int
	_ = in.space.run(func() error {
		link, err := netlink.LinkByName("eth0")
		if err == nil {
			zone = link.Attrs().Index
		}
		return err
	})
	_ = of.space.run(func() error {
		link, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		addresses, err := netlink.AddrList(link, netlink.FAMILY_V6)
		for _, address := range addresses {
			ip = address.IP.String()
		}
		return err
	})
	if ip == "" {
		return ""
	}
	return fmt.Sprintf("[%s%%%d]:80", ip, zone)
}

func TestWithoutAnAgentOldConnectionsGoOnAndNewOnesFail(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if s.reaches("dns", 1, "edge", 1) || s.reaches("dns", 1, "dns", 2) {
		t.Fatal("connected before any agent ran")
	}
	s.startAgents(t)
	s.applyPolicies(t)
	open, err := s.member("edge", 2).space.dial("tcp", s.member("web", 2).ip()+":80")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = open.Close() }()
	s.stops[2]()
	if !echoes(open) {
		t.Error("an open connection ended with the agent")
	}
	if s.reaches("edge", 2, "web", 2) || s.reaches("edge", 1, "dns", 2) {
		t.Error("connected without an agent")
	}
	s.startAgent(t, 2)
	s.await(t, "the agent's return", func() bool { return s.reaches("edge", 2, "web", 2) })
}

func TestANewPodsFirstPacketWaitsUntilThePodIsKnown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.startAgents(t)
	s.applyPolicies(t)
	fresh := &member{namespace: "site", name: "web", node: 1, host: 20}
	fresh.space = s.pod(t, fresh.node, fresh.host)
	object := withAddress(fresh.object(), "")
	object.Name, object.Status.PodIPs = "fresh", nil
	pods := s.client.CoreV1().Pods(object.Namespace)
	object, err := pods.Create(t.Context(), object, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if fresh.space.answers("tcp", s.member("edge", 1).ip()+":80") {
		t.Error("a pod that nobody knows reached another")
	}
	// A lost query is asked again only after seconds, so the answer to the first one shows that it waited.
	answered := make(chan error, 1)
	go func() {
		conn, err := fresh.space.dial("udp", s.member("dns", 2).ip()+":53")
		if err != nil {
			answered <- err
			return
		}
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(sourcePatience))
		_, _ = conn.Write([]byte("A"))
		_, err = conn.Read(make([]byte, 8))
		answered <- err
	}()
	select {
	case err := <-answered:
		t.Fatalf("answered before the pod was known: %v", err)
	case <-time.After(500 * time.Millisecond):
	}
	if _, err := pods.UpdateStatus(t.Context(), withAddress(object, fresh.ip()), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Errorf("the first query got lost: %v", err)
	}
}

// A resolver asks for both kinds of address at once from one socket. Held in a queue, both become the first packet of
// a connection, for which the Service may choose two different servers.
func TestNoneOfTwoQueriesAtOnceGetsLost(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.startAgents(t)
	s.applyPolicies(t)
	rules := fmt.Sprintf(`*nat
-A PREROUTING -d %[1]s -p udp --dport 53 -m statistic --mode random --probability 0.5 -j DNAT --to-destination %[2]s:53
-A PREROUTING -d %[1]s -p udp --dport 53 -j DNAT --to-destination %[3]s:53
COMMIT
`, spec.DNSIP, s.member("dns", 1).ip(), s.member("dns", 2).ip())
	s.nodes[0].must(t, func() error { return restore(iptablesRoot(t), "/usr/sbin/iptables-restore", rules) })

	const rounds = 300
	lost := 0
	for range rounds {
		conn, err := s.member("web", 1).space.dial("udp", spec.DNSIP+":53")
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(answerTimeout))
		for _, query := range []string{"A", "AAAA"} {
			if _, err := conn.Write([]byte(query)); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if _, err := conn.Read(make([]byte, 8)); err != nil {
				lost++
			}
		}
		_ = conn.Close()
	}
	if lost > 0 {
		t.Errorf("%d of %d queries got no answer", lost, 2*rounds)
	}
}

// The rules belong to the node's namespace: the machine's own stay as they are.
func TestTheMachinesOwnRulesStay(t *testing.T) {
	t.Parallel()
	requireRoot(t)
	before := machineRules(t)
	newTestbed(t, 1)
	if after := machineRules(t); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
}

func machineRules(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, program := range []string{"/usr/sbin/iptables-nft-save", "/usr/sbin/ip6tables-nft-save"} {
		cmd := exec.Command(program)
		if root := iptablesRoot(t); root != "" {
			cmd.SysProcAttr, cmd.Dir = &syscall.SysProcAttr{Chroot: root}, "/"
		}
		cmd.Stderr = os.Stderr
		output, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(output)) {
			if strings.HasPrefix(line, "-A") {
				all.WriteString(line)
			}
		}
	}
	return all.String()
}
