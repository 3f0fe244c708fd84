package network

import (
	"net/netip"
	"slices"

	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	networkingv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/networking/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/labels"
	"wordpress-on-kubernetes/components/limits"
)

const (
	tcp = "TCP"
	udp = "UDP"

	// solverLabel and solverPort are those of the pods that cert-manager starts for an HTTP-01 challenge, in the namespace of
	// the Certificate (cert-manager's pkg/issuer/acme/http).
	solverLabel = "acme.cert-manager.io/http01-solver"
	solverPort  = 8089

	// namespaceLabel is what the API server gives every namespace.
	namespaceLabel = "kubernetes.io/metadata.name"
)

// privateNetworks are where a company's own services are: RFC 1918, RFC 6598 and RFC 4193, what never leaves a machine or its
// link, ranges of RFC 6890 that clusters use for pods and Services, and the way of RFC 6052 from IPv6 to all IPv4 addresses.
// The public internet is all but these.
var privateNetworks = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::1/128"),
	netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("fc00::/7"),
	netip.MustParsePrefix("fe80::/10"),
}

// denySpec isolates every pod of the namespace, those that nobody has thought of included, or where others have pods there, every pod
// of the site.
func denySpec(args *Args) *networkingv1.NetworkPolicySpecArgs {
	selector := &metav1.LabelSelectorArgs{}
	if args.Shared {
		selector.MatchLabels = labels.Site()
	}
	return &networkingv1.NetworkPolicySpecArgs{PodSelector: selector, PolicyTypes: bothWays()}
}

func frontendSpec(args *Args) *networkingv1.NetworkPolicySpecArgs {
	egress := networkingv1.NetworkPolicyEgressRuleArray{databaseRule(args), dnsRule(args)}
	if args.Cache != nil {
		egress = append(egress, egressTo(args.Cache.Pods, args.Cache.PurgePort))
	}
	for _, destination := range args.Egress {
		egress = append(egress, egressRule(destination))
	}
	return &networkingv1.NetworkPolicySpecArgs{
		PodSelector: &metav1.LabelSelectorArgs{MatchLabels: args.Frontend.Selector},
		PolicyTypes: bothWays(),
		// The kubelet's probes come from the pod's own node, which no implementation shuts out.
		// The edge is let in with a cache, too: it comes here until the cache serves, and again before that goes.
		Ingress: slices.Concat(fromEdge(args, args.Frontend.Port), fromCron(args), fromBackup(args, args.Frontend.Port)),
		Egress:  egress,
	}
}

// databaseSpec lets MySQL open no connection at all: it looks up no names, and answers are part of their connections.
func databaseSpec(args *Args) *networkingv1.NetworkPolicySpecArgs {
	return &networkingv1.NetworkPolicySpecArgs{
		PodSelector: &metav1.LabelSelectorArgs{MatchLabels: args.Database.Selector},
		PolicyTypes: bothWays(),
		Ingress: slices.Concat(networkingv1.NetworkPolicyIngressRuleArray{ingressFrom(args.Frontend.Selector, args.Database.Port)},
			fromBackup(args, args.Database.Port), fromBinlog(args, args.Database.Port)),
	}
}

// cronSpec lets the tasks' pods look up WordPress's Service and ask it.
func cronSpec(args *Args) *networkingv1.NetworkPolicySpecArgs {
	return &networkingv1.NetworkPolicySpecArgs{
		PodSelector: &metav1.LabelSelectorArgs{MatchLabels: args.Cron},
		PolicyTypes: bothWays(),
		Egress: networkingv1.NetworkPolicyEgressRuleArray{
			egressTo(args.Frontend, args.Frontend.Port),
			dnsRule(args),
		},
	}
}

// cacheSpec lets the edge and WordPress in, and the cache out to WordPress and to look it up.
func cacheSpec(args *Args) *networkingv1.NetworkPolicySpecArgs {
	return &networkingv1.NetworkPolicySpecArgs{
		PodSelector: &metav1.LabelSelectorArgs{MatchLabels: args.Cache.Pods.Selector},
		PolicyTypes: bothWays(),
		Ingress: append(append(fromEdge(args, args.Cache.Pods.Port), ingressFrom(args.Frontend.Selector, args.Cache.PurgePort)),
			fromBackup(args, args.Cache.PurgePort)...),
		Egress: networkingv1.NetworkPolicyEgressRuleArray{egressTo(args.Frontend, args.Frontend.Port), dnsRule(args)},
	}
}

func fromCacheSpec(args *Args) *networkingv1.NetworkPolicySpecArgs {
	return &networkingv1.NetworkPolicySpecArgs{
		PodSelector: &metav1.LabelSelectorArgs{MatchLabels: args.Frontend.Selector},
		PolicyTypes: pulumi.ToStringArray([]string{"Ingress"}),
		Ingress:     networkingv1.NetworkPolicyIngressRuleArray{ingressFrom(args.Cache.Pods.Selector, args.Frontend.Port)},
	}
}

func ingressFrom(selector pulumi.StringMap, port int) *networkingv1.NetworkPolicyIngressRuleArgs {
	return &networkingv1.NetworkPolicyIngressRuleArgs{
		From: networkingv1.NetworkPolicyPeerArray{podsPeer(PodsArgs{Selector: selector})}, Ports: ports(tcp, port),
	}
}

func egressTo(pods PodsArgs, port int) *networkingv1.NetworkPolicyEgressRuleArgs {
	return &networkingv1.NetworkPolicyEgressRuleArgs{
		To: networkingv1.NetworkPolicyPeerArray{podsPeer(pods)}, Ports: ports(tcp, port),
	}
}

func fromCron(args *Args) networkingv1.NetworkPolicyIngressRuleArray {
	if args.Cron == nil {
		return nil
	}
	return networkingv1.NetworkPolicyIngressRuleArray{ingressFrom(args.Cron, args.Frontend.Port)}
}

// backupSpec lets the pods that save and restore the site out to the database, the storage and what a restore ends with, and nobody in.
func backupSpec(args *Args) *networkingv1.NetworkPolicySpecArgs {
	egress := networkingv1.NetworkPolicyEgressRuleArray{databaseRule(args), dnsRule(args), egressTo(args.Frontend, args.Frontend.Port)}
	if args.Cache != nil {
		egress = append(egress, egressTo(args.Cache.Pods, args.Cache.PurgePort))
	}
	return &networkingv1.NetworkPolicySpecArgs{
		PodSelector: &metav1.LabelSelectorArgs{MatchLabels: args.Backup.Selector}, PolicyTypes: bothWays(), Egress: slices.Concat(egress, toStorage(args), toGateway(args)),
	}
}

// repositorySpec lets the pods that work on the backups alone out to the storage, and nobody in.
func repositorySpec(args *Args) *networkingv1.NetworkPolicySpecArgs {
	return &networkingv1.NetworkPolicySpecArgs{
		PodSelector: &metav1.LabelSelectorArgs{MatchLabels: args.Backup.Repository}, PolicyTypes: bothWays(),
		Egress: slices.Concat(networkingv1.NetworkPolicyEgressRuleArray{dnsRule(args)}, toStorage(args), toGateway(args)),
	}
}

// binlogSpec lets the pod that brings the binary log to the storage out to the two, and nobody in.
func binlogSpec(args *Args) *networkingv1.NetworkPolicySpecArgs {
	return &networkingv1.NetworkPolicySpecArgs{
		PodSelector: &metav1.LabelSelectorArgs{MatchLabels: args.Backup.Binlog}, PolicyTypes: bothWays(),
		Egress: slices.Concat(networkingv1.NetworkPolicyEgressRuleArray{databaseRule(args), dnsRule(args)}, toStorage(args), toGateway(args)),
	}
}

// gatewaySpec lets those in who measure, and nothing out.
func gatewaySpec(args *Args) *networkingv1.NetworkPolicySpecArgs {
	gateway := args.Backup.Gateway
	return &networkingv1.NetworkPolicySpecArgs{
		PodSelector: &metav1.LabelSelectorArgs{MatchLabels: gateway.Selector}, PolicyTypes: bothWays(),
		Ingress: append(networkingv1.NetworkPolicyIngressRuleArray{
			ingressFrom(args.Backup.Selector, gateway.Port), ingressFrom(args.Backup.Repository, gateway.Port),
		}, fromBinlog(args, gateway.Port)...),
	}
}

func toGateway(args *Args) networkingv1.NetworkPolicyEgressRuleArray {
	if args.Backup.Gateway == nil {
		return nil
	}
	return networkingv1.NetworkPolicyEgressRuleArray{egressTo(*args.Backup.Gateway, args.Backup.Gateway.Port)}
}

func toStorage(args *Args) (egress networkingv1.NetworkPolicyEgressRuleArray) {
	for _, destination := range args.Backup.Storage {
		egress = append(egress, egressRule(destination))
	}
	return egress
}

func fromBackup(args *Args, port int) networkingv1.NetworkPolicyIngressRuleArray {
	if args.Backup == nil {
		return nil
	}
	return networkingv1.NetworkPolicyIngressRuleArray{ingressFrom(args.Backup.Selector, port)}
}

func fromBinlog(args *Args, port int) networkingv1.NetworkPolicyIngressRuleArray {
	if args.Backup == nil || args.Backup.Binlog == nil {
		return nil
	}
	return networkingv1.NetworkPolicyIngressRuleArray{ingressFrom(args.Backup.Binlog, port)}
}

func solverSpec(args *Args) *networkingv1.NetworkPolicySpecArgs {
	return &networkingv1.NetworkPolicySpecArgs{
		PodSelector: &metav1.LabelSelectorArgs{MatchLabels: pulumi.StringMap{solverLabel: pulumi.String("true")}},
		PolicyTypes: bothWays(),
		Ingress:     fromEdge(args, solverPort),
	}
}

func bothWays() pulumi.StringArray { return pulumi.ToStringArray([]string{"Ingress", "Egress"}) }

func fromEdge(args *Args, port int) networkingv1.NetworkPolicyIngressRuleArray {
	return networkingv1.NetworkPolicyIngressRuleArray{&networkingv1.NetworkPolicyIngressRuleArgs{
		From: peers(args.Edge), Ports: ports(tcp, port),
	}}
}

func databaseRule(args *Args) *networkingv1.NetworkPolicyEgressRuleArgs {
	if args.ExternalDatabase != nil {
		return &networkingv1.NetworkPolicyEgressRuleArgs{
			To: peers(args.ExternalDatabase.Peers), Ports: ports(tcp, args.ExternalDatabase.Ports...),
		}
	}
	return &networkingv1.NetworkPolicyEgressRuleArgs{
		To: networkingv1.NetworkPolicyPeerArray{podsPeer(*args.Database)}, Ports: ports(tcp, args.Database.Port),
	}
}

func dnsRule(args *Args) *networkingv1.NetworkPolicyEgressRuleArgs {
	servers := peers(args.DNS)
	if args.DNSCacheLabels != nil {
		servers = append(servers, podPeers(PeersArgs{Namespace: args.DNS.Namespace, PodLabels: args.DNSCacheLabels})...)
	}
	return &networkingv1.NetworkPolicyEgressRuleArgs{
		To: servers, Ports: append(ports(udp, args.DNSPort), ports(tcp, args.DNSPort)...),
	}
}

// egressRule leaves the private networks out of a wider one, and metadata services out of any: whoever opens the internet for updates
// does not mean to open the cluster and the company's network to a broken plugin as well.
func egressRule(destination DestinationArgs) *networkingv1.NetworkPolicyEgressRuleArgs {
	to := podPeers(destination.Peers)
	for _, cidr := range destination.Peers.CIDRs {
		to = append(to, blockPeer(cidr, privateWithin(cidr)))
	}
	return &networkingv1.NetworkPolicyEgressRuleArgs{To: to, Ports: ports(tcp, destination.Ports...)}
}

// privateWithin are the private networks and metadata services that a network holds, itself excepted.
func privateWithin(cidr string) []netip.Prefix {
	network, err := netip.ParsePrefix(cidr)
	if err != nil {
		return nil
	}
	var within []netip.Prefix
	for _, private := range slices.Concat(privateNetworks, limits.MetadataServices()) {
		isCovered := slices.ContainsFunc(within, func(wider netip.Prefix) bool { return wider.Overlaps(private) })
		if network.Bits() < private.Bits() && network.Contains(private.Addr()) && !isCovered {
			within = append(within, private)
		}
	}
	return within
}

// peers are pods as they are and networks as they are.
func peers(args PeersArgs) networkingv1.NetworkPolicyPeerArray {
	list := podPeers(args)
	for _, cidr := range args.CIDRs {
		list = append(list, blockPeer(cidr, nil))
	}
	return list
}

// podPeers is a peer at most: the pods must be of the namespace and carry the labels.
func podPeers(args PeersArgs) networkingv1.NetworkPolicyPeerArray {
	if args.Namespace == "" {
		return nil
	}
	peer := &networkingv1.NetworkPolicyPeerArgs{NamespaceSelector: &metav1.LabelSelectorArgs{
		MatchLabels: pulumi.StringMap{namespaceLabel: pulumi.String(args.Namespace)},
	}}
	if len(args.PodLabels) > 0 {
		peer.PodSelector = &metav1.LabelSelectorArgs{MatchLabels: pulumi.ToStringMap(args.PodLabels)}
	}
	return networkingv1.NetworkPolicyPeerArray{peer}
}

// podsPeer are pods of the policy's own namespace.
func podsPeer(pods PodsArgs) *networkingv1.NetworkPolicyPeerArgs {
	return &networkingv1.NetworkPolicyPeerArgs{PodSelector: &metav1.LabelSelectorArgs{MatchLabels: pods.Selector}}
}

func blockPeer(cidr string, except []netip.Prefix) *networkingv1.NetworkPolicyPeerArgs {
	var texts pulumi.StringArray
	for _, network := range except {
		texts = append(texts, pulumi.String(network.String()))
	}
	block := &networkingv1.IPBlockArgs{Cidr: pulumi.String(cidr), Except: texts}
	return &networkingv1.NetworkPolicyPeerArgs{IpBlock: block}
}

// ports are numbers rather than names: not every implementation looks a name up in the pods that a rule leads to.
func ports(protocol string, numbers ...int) networkingv1.NetworkPolicyPortArray {
	list := make(networkingv1.NetworkPolicyPortArray, 0, len(numbers))
	for _, number := range numbers {
		list = append(list, &networkingv1.NetworkPolicyPortArgs{Protocol: pulumi.String(protocol), Port: pulumi.Int(number)})
	}
	return list
}
