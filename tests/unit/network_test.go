package unit_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"wordpress-on-kubernetes/components/network"
)

// policies are valid args beside a MySQL of the stack's own.
func policies(changes ...func(*network.Args)) *network.Args {
	args := &network.Args{
		Namespace: namespaceInput, Instance: instance,
		Frontend: network.PodsArgs{Selector: pulumi.StringMap{"app": pulumi.String("web")}, Port: 8080},
		Edge:     network.PeersArgs{Namespace: "traefik", PodLabels: map[string]string{"app": "traefik"}},
		DNS:      network.PeersArgs{Namespace: "kube-system", PodLabels: map[string]string{"app": "dns"}},
		DNSPort:  53,
		Database: &network.PodsArgs{Selector: pulumi.StringMap{"app": pulumi.String("db")}, Port: 3306},
	}
	for _, change := range changes {
		change(args)
	}
	return args
}

func withExternalDatabase(a *network.Args) {
	a.Database = nil
	a.ExternalDatabase = &network.DestinationArgs{Peers: network.PeersArgs{CIDRs: []string{"192.0.2.7/32"}}, Ports: []int{3307}}
}

func withSolver(a *network.Args) { a.ACMESolver = true }

func withCron(a *network.Args) { a.Cron = pulumi.StringMap{"app": pulumi.String("cron")} }

func withCache(a *network.Args) {
	a.Cache = &network.CacheArgs{Pods: network.PodsArgs{Selector: pulumi.StringMap{"app": pulumi.String("cache")}, Port: 8080}, PurgePort: 8081}
}

func withBackup(a *network.Args) {
	a.Backup = &network.BackupArgs{
		Selector: pulumi.StringMap{"app": pulumi.String("saver")}, Repository: pulumi.StringMap{"app": pulumi.String("drill")},
		Gateway: &network.PodsArgs{Selector: pulumi.StringMap{"app": pulumi.String("gateway")}, Port: 9091},
		Storage: []network.DestinationArgs{{Peers: network.PeersArgs{CIDRs: []string{"203.0.113.25/32"}}, Ports: []int{443}}},
	}
}

func withEgress(cidr string, ports ...int) func(*network.Args) {
	return func(a *network.Args) {
		a.Egress = append(a.Egress, network.DestinationArgs{Peers: network.PeersArgs{CIDRs: []string{cidr}}, Ports: ports})
	}
}

func networkProgram(args *network.Args) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		component, err := network.New(ctx, "net", args)
		if err != nil {
			return err
		}
		return expose(ctx, pulumi.StringMap{"closed": pulumi.String(fmt.Sprint(len(component.Closed)))})
	}
}

func runNetwork(t *testing.T, changes ...func(*network.Args)) planned {
	t.Helper()
	return run(t, networkProgram(policies(changes...)))
}

func TestPoliciesOfEachTier(t *testing.T) {
	p := runNetwork(t)
	p.wantObjects("NetworkPolicy default-deny", "NetworkPolicy wordpress", "NetworkPolicy wordpress-mysql")
	p.wantOutputs(map[string]string{"closed": "3"})
	p.wantSpec("NetworkPolicy", "default-deny", `{podSelector: {}, policyTypes: [Ingress, Egress]}`)
	p.wantSpec("NetworkPolicy", "wordpress", `
podSelector: {matchLabels: {app: web}}
policyTypes: [Ingress, Egress]
ingress:
- from:
  - {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: traefik}}, podSelector: {matchLabels: {app: traefik}}}
  ports: [{protocol: TCP, port: 8080}]
egress:
- {to: [{podSelector: {matchLabels: {app: db}}}], ports: [{protocol: TCP, port: 3306}]}
- to:
  - {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {app: dns}}}
  ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
`)
	p.wantSpec("NetworkPolicy", "wordpress-mysql", `
podSelector: {matchLabels: {app: db}}
policyTypes: [Ingress, Egress]
ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{protocol: TCP, port: 3306}]}]
`)
}

// host is an end of a connection: a pod, or an address alone.
type host struct {
	namespace, app, address string
}

var (
	webPod   = host{namespaceName, "web", "10.1.0.1"}
	otherWeb = host{namespaceName, "web", "10.1.0.2"}
	db       = host{namespaceName, "db", "10.1.0.3"}
	stranger = host{namespaceName, "shell", "10.1.0.4"}
	task     = host{namespaceName, "cron", "10.1.0.11"}
	keeper   = host{"site", "cache", "10.1.0.77"}
	solver   = host{namespaceName, "solver", "10.1.0.5"}
	saving   = host{namespaceName, "saver", "10.1.0.12"}
	drill    = host{namespaceName, "drill", "10.1.0.13"}
	gateway  = host{namespaceName, "gateway", "10.1.0.14"}
	traefik  = host{"traefik", "traefik", "10.1.0.6"}
	neighbor = host{"traefik", "shell", "10.1.0.7"}
	poser    = host{"elsewhere", "traefik", "10.1.0.8"}
	dns      = host{"kube-system", "dns", "10.1.0.9"}
	metrics  = host{"kube-system", "metrics-server", "10.1.0.10"}
	api      = host{address: "10.0.0.2"}
	metadata = host{address: "169.254.169.254"}
	nodeDNS  = host{address: "169.254.20.10"}
	otherDB  = host{address: "192.0.2.7"}
	internet = host{address: "203.0.113.25"}
	visitor  = host{address: "2001:db8::1"}
)

var everyHost = []host{webPod, otherWeb, db, stranger, task, keeper, solver, traefik, neighbor, poser, dns, metrics,
	api, metadata, nodeDNS, otherDB, internet, visitor, saving, drill, gateway}

var everyPort = []int32{25, 53, 80, 443, 587, 3306, 3307, 5353, 6443, 8080, 8081, 8089, 9091}

// Every pair of hosts is tried on every port, so that a policy that lets more through than it should is noticed.
func TestWhoReachesWhom(t *testing.T) {
	base := []string{"traefik/traefik -> site/web:8080", "site/web -> site/db:3306", "site/web -> kube-system/dns:53"}
	for name, row := range map[string]struct {
		changes []func(*network.Args)
		want    []string
	}{
		"nothing configured": {nil, base},
		"external database": {[]func(*network.Args){withExternalDatabase}, []string{
			"traefik/traefik -> site/web:8080", "site/web -> 192.0.2.7:3307", "site/web -> kube-system/dns:53",
		}},
		"external database in pods": {[]func(*network.Args){withExternalDatabase, func(a *network.Args) {
			a.ExternalDatabase.Peers = network.PeersArgs{Namespace: "elsewhere"}
		}}, []string{
			"traefik/traefik -> site/web:8080", "site/web -> elsewhere/traefik:3307", "site/web -> kube-system/dns:53",
		}},
		"edge of addresses": {[]func(*network.Args){func(a *network.Args) {
			a.Edge = network.PeersArgs{CIDRs: []string{"203.0.113.0/24", "2001:db8::/32"}}
		}}, []string{
			"203.0.113.25 -> site/web:8080", "2001:db8::1 -> site/web:8080", "site/web -> site/db:3306", "site/web -> kube-system/dns:53",
		}},
		"edge of any pod of a namespace": {[]func(*network.Args){func(a *network.Args) { a.Edge.PodLabels = nil }},
			append([]string{"traefik/shell -> site/web:8080"}, base...)},
		"DNS on the node": {[]func(*network.Args){func(a *network.Args) { a.DNS.CIDRs = []string{"169.254.20.10/32"} }},
			append([]string{"site/web -> 169.254.20.10:53"}, base...)},
		"DNS cached by pods": {[]func(*network.Args){func(a *network.Args) { a.DNSCacheLabels = map[string]string{"app": "metrics-server"} }},
			append([]string{"site/web -> kube-system/metrics-server:53"}, base...)},
		"DNS cached by any pod": {[]func(*network.Args){func(a *network.Args) { a.DNSCacheLabels = map[string]string{} }},
			append([]string{"site/web -> kube-system/metrics-server:53"}, base...)},
		"DNS on another port": {[]func(*network.Args){func(a *network.Args) { a.DNSPort = 5353 }}, []string{
			"traefik/traefik -> site/web:8080", "site/web -> site/db:3306", "site/web -> kube-system/dns:5353",
		}},
		"mail": {[]func(*network.Args){withEgress("203.0.113.25/32", 587)}, append([]string{"site/web -> 203.0.113.25:587"}, base...)},
		"the internet": {[]func(*network.Args){withEgress("0.0.0.0/0", 80, 443), withEgress("::/0", 443)}, append([]string{
			"site/web -> 192.0.2.7:80", "site/web -> 192.0.2.7:443", "site/web -> 203.0.113.25:80", "site/web -> 203.0.113.25:443",
			"site/web -> 2001:db8::1:443",
		}, base...)},
		"a private network": {[]func(*network.Args){withEgress("10.0.0.0/30", 6443)}, append([]string{"site/web -> 10.0.0.2:6443"}, base...)},
		"scheduled tasks": {[]func(*network.Args){withCron}, append([]string{
			"site/cron -> site/web:8080", "site/cron -> kube-system/dns:53",
		}, base...)},
		"a cache": {[]func(*network.Args){withCache}, append([]string{
			"traefik/traefik -> site/cache:8080", "site/web -> site/cache:8081", "site/cache -> site/web:8080", "site/cache -> kube-system/dns:53",
		}, base...)},
		"backups": {[]func(*network.Args){withBackup}, append([]string{
			"site/saver -> site/db:3306", "site/saver -> site/web:8080", "site/saver -> kube-system/dns:53", "site/saver -> 203.0.113.25:443",
			"site/saver -> site/gateway:9091", "site/drill -> kube-system/dns:53", "site/drill -> 203.0.113.25:443", "site/drill -> site/gateway:9091",
		}, base...)},
		"backups and a cache": {[]func(*network.Args){withBackup, withCache, func(a *network.Args) { a.Backup.Gateway = nil }}, append([]string{
			"site/saver -> site/db:3306", "site/saver -> site/web:8080", "site/saver -> kube-system/dns:53", "site/saver -> 203.0.113.25:443",
			"site/saver -> site/cache:8081", "site/drill -> kube-system/dns:53", "site/drill -> 203.0.113.25:443",
			"traefik/traefik -> site/cache:8080", "site/web -> site/cache:8081", "site/cache -> site/web:8080", "site/cache -> kube-system/dns:53",
		}, base...)},
		"certificates": {[]func(*network.Args){withSolver}, append([]string{"traefik/traefik -> site/solver:8089"}, base...)},
	} {
		t.Run(name, func(t *testing.T) {
			p := runNetwork(t, row.changes...)
			slices.Sort(row.want)
			if got := p.connections(); !slices.Equal(got, row.want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(row.want, "\n  "))
			}
		})
	}
}

// connections are those that the policies let through to or from a pod of the namespace, without repetition.
func (p planned) connections() []string {
	p.t.Helper()
	var policies []networkingv1.NetworkPolicy
	for _, object := range p.objects() {
		policies = append(policies, get[networkingv1.NetworkPolicy](p, object.Kind(), object.Name()))
	}
	var found []string
	for _, from := range everyHost {
		for _, to := range everyHost {
			isOurs := from.namespace == namespaceName || to.namespace == namespaceName
			for _, port := range everyPort {
				if isOurs && from != to && isAllowed(policies, from, to, port) {
					found = append(found, fmt.Sprintf("%s -> %s:%d", from, to, port))
				}
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func (h host) String() string {
	if h.namespace == "" {
		return h.address
	}
	return h.namespace + "/" + h.app
}

func (h host) labels() labels.Set {
	if h.app == "solver" {
		return labels.Set{"acme.cert-manager.io/http01-solver": "true"}
	}
	return labels.Set{"app": h.app}
}

// isAllowed is what https://kubernetes.io/docs/concepts/services-networking/network-policies/ says of a TCP connection: both
// ends let it pass, and an end that a policy selects lets pass what one of its policies names.
func isAllowed(policies []networkingv1.NetworkPolicy, from, to host, port int32) bool {
	out, in := !isIsolated(policies, from, networkingv1.PolicyTypeEgress), !isIsolated(policies, to, networkingv1.PolicyTypeIngress)
	for _, policy := range policies {
		if selects(policy, from) {
			for _, rule := range policy.Spec.Egress {
				out = out || hasPeer(rule.To, policy.Namespace, to) && hasTCPPort(rule.Ports, port)
			}
		}
		if selects(policy, to) {
			for _, rule := range policy.Spec.Ingress {
				in = in || hasPeer(rule.From, policy.Namespace, from) && hasTCPPort(rule.Ports, port)
			}
		}
	}
	return out && in
}

func isIsolated(policies []networkingv1.NetworkPolicy, h host, way networkingv1.PolicyType) bool {
	return slices.ContainsFunc(policies, func(policy networkingv1.NetworkPolicy) bool {
		return selects(policy, h) && slices.Contains(policy.Spec.PolicyTypes, way)
	})
}

func selects(policy networkingv1.NetworkPolicy, h host) bool {
	return policy.Namespace == h.namespace && matches(&policy.Spec.PodSelector, h.labels())
}

func matches(selector *metav1.LabelSelector, set labels.Set) bool {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && parsed.Matches(set)
}

// hasPeer: a list without peers names everybody.
func hasPeer(peers []networkingv1.NetworkPolicyPeer, namespace string, h host) bool {
	return len(peers) == 0 || slices.ContainsFunc(peers, func(peer networkingv1.NetworkPolicyPeer) bool {
		if peer.IPBlock != nil {
			return h.namespace == "" && isInBlock(peer.IPBlock, netip.MustParseAddr(h.address))
		}
		if peer.NamespaceSelector == nil {
			return h.namespace == namespace && matches(peer.PodSelector, h.labels())
		}
		isInNamespace := h.namespace != "" && matches(peer.NamespaceSelector, labels.Set{corev1.LabelMetadataName: h.namespace})
		return isInNamespace && (peer.PodSelector == nil || matches(peer.PodSelector, h.labels()))
	})
}

func isInBlock(block *networkingv1.IPBlock, address netip.Addr) bool {
	isIn := func(cidr string) bool { return netip.MustParsePrefix(cidr).Contains(address) }
	return isIn(block.CIDR) && !slices.ContainsFunc(block.Except, isIn)
}

// hasTCPPort: a list without ports names every port.
func hasTCPPort(ports []networkingv1.NetworkPolicyPort, port int32) bool {
	return len(ports) == 0 || slices.ContainsFunc(ports, func(p networkingv1.NetworkPolicyPort) bool {
		return *p.Protocol == corev1.ProtocolTCP && p.Port.IntVal == port
	})
}

// The API server refuses exceptions that do not lie inside their network.
func TestPrivateNetworksAreLeftOutOfWiderOnes(t *testing.T) {
	for cidr, want := range map[string]string{
		"0.0.0.0/0":       "10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.168.0.0/16 198.18.0.0/15 240.0.0.0/4 168.63.129.16/32",
		"::/0":            "::1/128 64:ff9b::/96 fc00::/7 fe80::/10",
		"0.0.0.0/1":       "10.0.0.0/8 100.64.0.0/10 127.0.0.0/8",
		"172.0.0.0/8":     "172.16.0.0/12",
		"172.16.0.0/12":   "",
		"100.64.0.0/10":   "100.100.100.200/32",
		"192.0.0.0/24":    "192.0.0.192/32",
		"fd00::/8":        "fd00:ec2::254/128",
		"10.0.0.0/8":      "",
		"10.1.0.0/16":     "",
		"203.0.113.25/32": "",
		"fe00::/7":        "fe80::/10",
	} {
		policy := get[networkingv1.NetworkPolicy](runNetwork(t, withEgress(cidr, 443)), "NetworkPolicy", "wordpress")
		block := policy.Spec.Egress[2].To[0].IPBlock
		if got := strings.Join(block.Except, " "); block.CIDR != cidr || got != want {
			t.Errorf("%s: got %s without %q, want it without %q", cidr, block.CIDR, got, want)
		}
	}
}

// Where others have pods in the namespace, theirs stay as open as they are, and a default-deny of theirs stays theirs.
func TestSharedNamespaceClosesTheSitesPodsAlone(t *testing.T) {
	p := runNetwork(t, func(a *network.Args) { a.Shared = true })
	p.wantObjects("NetworkPolicy wordpress-default-deny", "NetworkPolicy wordpress", "NetworkPolicy wordpress-mysql")
	p.wantSpec("NetworkPolicy", "wordpress-default-deny", `{podSelector: {matchLabels: {
		app.kubernetes.io/part-of: wordpress, app.kubernetes.io/managed-by: pulumi}}, policyTypes: [Ingress, Egress]}`)
}

// What is allowed comes first, so that a site that runs already is never cut off; and goes last.
func TestNothingIsDeniedBeforeItsExceptionsAreThere(t *testing.T) {
	p := runNetwork(t, withSolver, withCron)
	waits := p.registration("NetworkPolicy", "default-deny").DependsOn
	for _, name := range []string{"wordpress", "wordpress-mysql", "wordpress-cron", "wordpress-acme-solver"} {
		if urn := p.registration("NetworkPolicy", name).URN; !slices.Contains(waits, urn) {
			t.Errorf("the default policy waits for %q, want %s too", waits, urn)
		}
	}
}

func TestNetworkRefusesIncompleteArgs(t *testing.T) {
	const ends = "edge, DNS and its port are required"
	for name, row := range map[string]struct {
		spoil func(*network.Args)
		want  string
	}{
		"no namespace":     {func(a *network.Args) { a.Namespace = nil }, "namespace and instance are required"},
		"no instance":      {func(a *network.Args) { a.Instance = "" }, "namespace and instance are required"},
		"every pod":        {func(a *network.Args) { a.Frontend.Selector = nil }, "selector and port of the frontend are required"},
		"every port":       {func(a *network.Args) { a.Frontend.Port = 0 }, "selector and port of the frontend are required"},
		"everybody":        {func(a *network.Args) { a.Edge = network.PeersArgs{} }, ends},
		"labels alone":     {func(a *network.Args) { a.Edge.Namespace = "" }, ends},
		"no DNS":           {func(a *network.Args) { a.DNS = network.PeersArgs{} }, ends},
		"no DNS port":      {func(a *network.Args) { a.DNSPort = 0 }, ends},
		"no database":      {func(a *network.Args) { a.Database = nil }, "either the database's pods or an external database"},
		"every database":   {func(a *network.Args) { a.Database.Selector = nil }, "selector and port of the database are required"},
		"two databases":    {func(a *network.Args) { a.ExternalDatabase = &network.DestinationArgs{} }, "either the database's pods or an external database"},
		"database nowhere": {func(a *network.Args) { withExternalDatabase(a); a.ExternalDatabase.Peers.CIDRs = nil }, "where the external database is"},
		"egress anywhere":  {func(a *network.Args) { a.Egress = []network.DestinationArgs{{Ports: []int{443}}} }, "networks and ports of each egress"},
		"any backup":       {func(a *network.Args) { withBackup(a); a.Backup.Repository = nil }, "selectors of the backup's pods"},
		"backup anywhere":  {func(a *network.Args) { withBackup(a); a.Backup.Storage = nil }, "networks and ports of its storage"},
		"egress any port":  {withEgress("203.0.113.25/32"), "networks and ports of each egress"},
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, networkProgram(policies(row.spoil)), `network "net"`, row.want)
		})
	}
}
