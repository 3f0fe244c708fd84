package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

var productionRules = []rule{
	{publicHost, []string{"profile", "site.host"}},
	{pinnedFrontendImage, []string{"profile", "frontend.image"}},
	{pinnedDatabaseImage, []string{"profile", "database.mode", "database.image"}},
	{pinnedCacheImage, []string{"profile", "cache.enabled", "cache.image"}},
	{severalCaches, []string{"profile", "cache.enabled", "cache.replicas"}},
	{backupIsDecided, []string{"profile", "backup.enabled"}},
	{backupIsEncrypted, []string{"profile", "backup.repository"}},
	{pinnedBackupImages, []string{"profile", "backup.enabled", "backup.image", "backup.metrics.image"}},
	{pinnedBinlogImage, []string{"profile", "backup.enabled", "backup.binlog.enabled", "backup.binlog.image"}},
	{noNodePort, []string{"profile", "frontend.service.type"}},
	{protectedStorage, []string{"profile", "storage.protect"}},
	{severalReplicas, []string{"profile", "autoscaling", "frontend.replicas"}},
	{encryptedSite, []string{"profile", "ingress"}},
	{drainOutlastsTheEdge, []string{"profile", "frontend.drainSeconds"}},
	{databaseStopsCleanly, []string{"profile", "database.mode", "database.terminationGracePeriodSeconds"}},
	{databaseIsEncrypted, []string{"profile", "database.mode", "database.tls.mode"}},
	{databaseHasMemory, []string{"profile", "database.mode", "database.resources.memory"}},
	{closedNetwork, []string{"profile", "network.enabled"}},
	{edgeIsNotEverybody, []string{"profile", "namespace", "ingress.kind", "network.edge"}},
	{dnsIsNotEverybody, []string{"profile", "network.dns.cidrs"}},
	{waysOutAvoidTheCluster, []string{"profile", "network.egress"}},
	{contentHasClass, []string{"profile", "storage.content", "storage.cephfs.create"}},
	{loginsAreLimited, []string{"profile", "ingress.kind"}},
	{usersAreNoNodes, []string{"profile", "podSecurity"}},
	{clientAddressIsStated, []string{"profile", "ingress.kind", "ingress.clientAddress", "ingress.loginLimit.enabled"}},
}

// In production site.host is no name under localhost, test, example or invalid: such names lead to the visitor's own
// machine or nowhere, and mostly are left over from a development stack.
func publicHost(d *draft) field.ErrorList {
	host := d.stack.Site.Host
	// The domains that RFC 6761 keeps out of the public DNS.
	reserved := []string{"localhost", "test", "example", "invalid"}
	last := host[strings.LastIndex(host, ".")+1:]
	if d.stack.Profile != Production || !slices.Contains(reserved, last) {
		return nil
	}
	return invalid("site.host", host, "must be a name that visitors can look up in production: none under %s", list(reserved))
}

// In production frontend.image has a tag with a full version, which are three numbers, or a digest: where a tag moves, a pod that
// restarts brings another WordPress than its neighbours.
func pinnedFrontendImage(d *draft) field.ErrorList {
	return d.checkPinned("frontend.image", d.stack.Frontend.Image, DefaultFrontendImage)
}

// In production database.image has a tag with a full version, which are three numbers, or a digest: where a tag moves, the next
// restart upgrades MySQL's data directory, and there is no way back.
func pinnedDatabaseImage(d *draft) field.ErrorList {
	if d.stack.Database.Mode != Standalone {
		return nil
	}
	return d.checkPinned("database.image", d.stack.Database.Image, DefaultDatabaseImage)
}

// In production cache.image has a tag with a full version, which are three numbers, or a digest: where a tag moves, a pod that restarts
// may not know what the others do.
func pinnedCacheImage(d *draft) field.ErrorList {
	if !*d.stack.Cache.Enabled {
		return nil
	}
	return d.checkPinned("cache.image", d.stack.Cache.Image, DefaultCacheImage)
}

// In production cache.replicas is at least 2: the site is there while one pod is away.
func severalCaches(d *draft) field.ErrorList {
	c := d.stack.Cache
	if d.stack.Profile != Production || !*c.Enabled || c.Replicas > 1 {
		return nil
	}
	return invalid("cache.replicas", c.Replicas, "must be at least 2 in production: the site would be away with its node")
}

func (d *draft) checkPinned(key, image, example string) field.ErrorList {
	if d.stack.Profile != Production || isPinned(image) {
		return nil
	}
	return invalid(key, image, "must have a tag with a full version in production, three numbers as in %s, or a digest (NAME@sha256:...): "+
		"any other tag may lead to another image tomorrow", example)
}

// In production frontend.service.type is ClusterIP: a NodePort goes round the ingress and its TLS.
func noNodePort(d *draft) field.ErrorList {
	service := d.stack.Frontend.Service
	if d.stack.Profile != Production || service.Type != NodePort {
		return nil
	}
	return invalid("frontend.service.type", service.Type, "must be ClusterIP in production: visitors come through the ingress")
}

// In production storage.protect is on: the data would go with the stack.
func protectedStorage(d *draft) field.ErrorList {
	if d.stack.Profile != Production || *d.stack.Storage.Protect {
		return nil
	}
	return invalid("storage.protect", false, "must be true in production: the data would go with the stack")
}

// In production database.tls.mode is not disabled: passwords, sessions and visitors' data would cross the network in plain.
func databaseIsEncrypted(d *draft) field.ErrorList {
	db := d.stack.Database
	if d.stack.Profile != Production || db.Mode != External || db.TLS.Mode != DatabaseTLSDisabled {
		return nil
	}
	return invalid("database.tls.mode", db.TLS.Mode,
		"must be %s in production, or %s where the server's certificate is nobody's", DatabaseTLSVerified, DatabaseTLSUnverified)
}

// In production there are at least two pods: the site outlives the loss of one.
func severalReplicas(d *draft) field.ErrorList {
	least, _ := d.stack.ReplicaRange()
	if d.stack.Profile != Production || least > 1 {
		return nil
	}
	key := "frontend.replicas"
	if *d.stack.Autoscaling.Enabled {
		key = "autoscaling.minReplicas"
	}
	return invalid(key, least, "must be at least 2 in production: storage that one pod alone can mount needs a class that can share, such as "+
		"NFS or CephFS, or profile development, which drops every other guard of production as well")
}

// In production ingress.tls has a source of the certificate, unless ingress.kind is none: passwords and sessions would
// cross the network in plain text.
func encryptedSite(d *draft) field.ErrorList {
	i := d.stack.Ingress
	if d.stack.Profile != Production || i.Kind == IngressNone || i.TLS.Enabled() {
		return nil
	}
	return field.ErrorList{field.Required(at("ingress.tls"),
		"production is served over HTTPS: set one of certResolver, existingSecret, clusterIssuer or defaultCertificate")}
}

// In production frontend.drainSeconds is at least 5: proxies and edges send requests to a pod for some three seconds
// after it began to leave.
func drainOutlastsTheEdge(d *draft) field.ErrorList {
	drain := d.stack.Frontend.DrainSeconds
	if d.stack.Profile != Production || drain >= MinProductionDrainSeconds {
		return nil
	}
	return invalid("frontend.drainSeconds", drain, "must be at least %d in production", MinProductionDrainSeconds)
}

// In production database.terminationGracePeriodSeconds is at least 30: a server that is killed while it stops replays
// its log at the next start, and the site waits.
func databaseStopsCleanly(d *draft) field.ErrorList {
	db := d.stack.Database
	if d.stack.Profile != Production || db.Mode != Standalone || db.TerminationGracePeriodSeconds >= MinProductionDatabaseGraceSeconds {
		return nil
	}
	return invalid("database.terminationGracePeriodSeconds", db.TerminationGracePeriodSeconds,
		"must be at least %d in production", MinProductionDatabaseGraceSeconds)
}

// In production database.resources.memory is at least 1Gi: MySQL itself takes half of it, and with less, most of a small site's
// database is read from disk again and again.
func databaseHasMemory(d *draft) field.ErrorList {
	db := d.stack.Database
	if d.stack.Profile != Production || db.Mode != Standalone ||
		db.Resources.Memory.Cmp(resource.MustParse(MinProductionDatabaseMemory)) >= 0 {
		return nil
	}
	return invalid("database.resources.memory", db.Resources.Memory.String(),
		"must be at least %s in production", MinProductionDatabaseMemory)
}

// In production network.enabled is on: every pod of the cluster could try passwords on MySQL, and a broken plugin could
// reach every other service.
func closedNetwork(d *draft) field.ErrorList {
	if d.stack.Profile != Production || *d.stack.Network.Enabled {
		return nil
	}
	return invalid("network.enabled", false, "must be true in production: every pod of the cluster could reach the database")
}

// In production with ingress.kind ingress or none, ingress.loginLimit.enabled is set to false by hand: the program cannot limit
// log-ins there, so that somebody must have seen to it elsewhere.
func loginsAreLimited(d *draft) field.ErrorList {
	kind := d.stack.Ingress.Kind
	if d.stack.Profile != Production || kind == IngressTraefik || d.has("ingress.loginLimit.enabled") {
		return nil
	}
	return field.ErrorList{field.Required(at("ingress.loginLimit.enabled"), fmt.Sprintf("kind %s cannot limit log-ins: limit /wp-login.php "+
		"for each client by other means, such as the controller's or load balancer's own, and then set this to false", kind))}
}

// In production with ingress.kind traefik, ingress.clientAddress is given, and with hidden also ingress.loginLimit.enabled: behind a load
// balancer that hides addresses, which is what Kubernetes's externalTrafficPolicy does by default, no client can be limited, and
// somebody must have seen to it elsewhere.
func clientAddressIsStated(d *draft) field.ErrorList {
	i := d.stack.Ingress
	switch {
	case d.stack.Profile != Production || i.Kind != IngressTraefik || i.ClientAddress != AddressHidden || d.has("ingress.loginLimit.enabled"):
		return nil
	case d.has("ingress.clientAddress"):
		return field.ErrorList{field.Required(at("ingress.loginLimit.enabled"), "clients with hidden addresses cannot be told apart: limit "+
			"/wp-login.php before the address is lost, and then set this to false")}
	}
	return field.ErrorList{field.Required(at("ingress.clientAddress"), "clients are limited by it: connection where Traefik sees visitors' "+
		"addresses (externalTrafficPolicy Local or PROXY protocol), forwarded behind proxies that tell them, or hidden with loginLimit.enabled false")}
}

// In production network.edge does not admit much of the internet with ingress.kind traefik or ingress, which is every public
// network wider than a /8 of IPv4 or a /32 of IPv6, nor the whole of a private range, such as 10.0.0.0/8: whoever reaches the pods past the
// edge goes past its TLS and its limits, and can make up the visitor's address.
func edgeIsNotEverybody(d *draft) field.ErrorList {
	edge := d.stack.Network.Edge
	if d.stack.Profile != Production || d.stack.Ingress.Kind == IngressNone {
		return nil
	}
	var problems field.ErrorList
	for i, cidr := range edge.CIDRs {
		network, err := netip.ParsePrefix(cidr)
		switch {
		case err != nil:
		case isMuchOfTheInternet(network):
			problems = append(problems, field.Invalid(at("network.edge.cidrs").Index(i), cidr,
				"must be the networks of the ingress controller or its nodes in production: this is much of the internet"))
		case isWholePrivateRange(network):
			problems = append(problems, field.Invalid(at("network.edge.cidrs").Index(i), cidr,
				"must be the networks of the ingress controller or its nodes in production: this is a private range as a whole, every pod of the cluster included"))
		}
	}
	if edge.Namespace == d.stack.Namespace {
		problems = append(problems, field.Invalid(at("network.edge.namespace"), edge.Namespace,
			"must be the ingress controller's namespace in production, and not the site's own"))
	}
	return problems
}

// In production network.dns.cidrs are not much of the internet, which is every public network wider than a /8 of IPv4 or a /32 of IPv6: what
// reaches any server by port 53 carries data out.
func dnsIsNotEverybody(d *draft) field.ErrorList {
	if d.stack.Profile != Production {
		return nil
	}
	var problems field.ErrorList
	for i, cidr := range d.stack.Network.DNS.CIDRs {
		if network, err := netip.ParsePrefix(cidr); err == nil && isMuchOfTheInternet(network) {
			problems = append(problems, field.Invalid(at("network.dns.cidrs").Index(i), cidr,
				"must be the addresses of the DNS servers in production: this is much of the internet"))
		}
	}
	return problems
}

// Networks of IPv6 that are judged by themselves: the private ones of RFC 4193, and by which RFC 6052 reaches all of IPv4.
var (
	privateIPv6 = netip.MustParsePrefix("fc00::/7")
	ipv4AsIPv6  = netip.MustParsePrefix("64:ff9b::/96")
)

// privateRanges are those of RFC 1918 and the half of RFC 4193's that is in use. No company's ingress controller fills one.
var privateRanges = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("fd00::/8"),
}

// sharedIPv4 is RFC 6598's range, in which clouds put pods and nodes as well.
var sharedIPv4 = netip.MustParsePrefix("100.64.0.0/10")

// isWholePrivateRange finds a private range, and what holds one.
func isWholePrivateRange(network netip.Prefix) bool {
	return slices.ContainsFunc(privateRanges, func(whole netip.Prefix) bool {
		return network.Bits() <= whole.Bits() && network.Contains(whole.Addr())
	})
}

// clusterPorts are those of the cluster's own servers, which listen on its nodes: the API server and etcd, the kubelet, the scheduler and the
// controller manager.
var clusterPorts = []int{2379, 2380, 6443, 10250, 10255, 10257, 10259}

// In production network.egress does not lead to the ports of the cluster's own servers in private networks (the API server's 6443, the
// kubelet's 10250, etcd's and others): WordPress fetches addresses that visitors hand it, and a broken plugin would be at the cluster's
// controls.
func waysOutAvoidTheCluster(d *draft) field.ErrorList {
	if d.stack.Profile != Production {
		return nil
	}
	var problems field.ErrorList
	for i, destination := range d.stack.Network.Egress {
		network, err := netip.ParsePrefix(destination.CIDR)
		if err != nil || !network.Addr().IsPrivate() && !sharedIPv4.Contains(network.Addr()) {
			continue
		}
		for j, port := range destination.Ports {
			if slices.Contains(clusterPorts, port) {
				problems = append(problems, field.Invalid(at("network.egress").Index(i).Child("ports").Index(j), port,
					"must be a service's port in production: on this one the cluster's own servers listen, such as the API server and kubelets"))
			}
		}
	}
	return problems
}

// In production storage.content.storageClass or .existingClaim is given where the content is shared (accessMode ReadWriteMany): a cluster's default class mostly is
// block storage, which one node alone can mount, and pods would wait for the volume for ever.
func contentHasClass(d *draft) field.ErrorList {
	content := d.stack.Storage.Content
	isNamed := content.StorageClass != "" || content.ExistingClaim != "" || d.stack.Storage.CephFS.Create
	if d.stack.Profile != Production || content.AccessMode != ReadWriteMany || isNamed {
		return nil
	}
	return field.ErrorList{field.Required(at("storage.content.storageClass"), "the name of a class that offers ReadWriteMany, such as NFS, EFS, Filestore "+
		"or CephFS: the cluster's default one mostly does not, and pods would wait for their volume for ever")}
}

// In production podSecurity's userID and groupID are above 10000: whoever breaks out of a container is, on the node, the user or
// group that has the same number there.
func usersAreNoNodes(d *draft) field.ErrorList {
	if d.stack.Profile != Production {
		return nil
	}
	p := d.stack.PodSecurity
	var problems field.ErrorList
	for _, one := range []struct {
		key string
		id  *int
	}{
		{"podSecurity.frontend.userID", p.Frontend.UserID},
		{"podSecurity.frontend.groupID", p.Frontend.GroupID},
		{"podSecurity.database.userID", p.Database.UserID},
		{"podSecurity.database.groupID", p.Database.GroupID},
		{"podSecurity.cache.userID", p.Cache.UserID},
		{"podSecurity.cache.groupID", p.Cache.GroupID},
	} {
		// A group that nobody gave is the user's number.
		if d.has(one.key) && *one.id < MinProductionUserID {
			problems = append(problems, field.Invalid(at(one.key), *one.id, fmt.Sprintf(
				"must be at least %d in production, as no user of a node has: give the volume's folder to such a one", MinProductionUserID)))
		}
	}
	return problems
}

// TrustedProxies are the networks whose word WordPress takes for a visitor's address: those of network.edge.cidrs, unless they are so
// wide that visitors themselves are in them, and the private ones where the edge runs in pods, whose addresses are among them.
func (s *Stack) TrustedProxies() []string {
	var trusted []string
	if edge := s.Network.Edge; edge.Namespace != "" || len(edge.CIDRs) == 0 {
		for _, network := range append([]netip.Prefix{sharedIPv4}, privateRanges...) {
			trusted = append(trusted, network.String())
		}
	}
	for _, cidr := range s.Network.Edge.CIDRs {
		if network, err := netip.ParsePrefix(cidr); err == nil && !isMuchOfTheInternet(network) {
			trusted = append(trusted, cidr)
		}
	}
	return trusted
}

// ProxiesOfWordPress are the networks whose word WordPress's own pods take: with a cache before them its pods', which are of the private
// ones and are believed what they have found out, and those of the edge, which comes past it while the cache is put there or taken away.
func (s *Stack) ProxiesOfWordPress() []string {
	trusted := s.TrustedProxies()
	if !*s.Cache.Enabled {
		return trusted
	}
	for _, network := range append([]netip.Prefix{sharedIPv4}, privateRanges...) {
		if !slices.Contains(trusted, network.String()) {
			trusted = append(trusted, network.String())
		}
	}
	return trusted
}

// isMuchOfTheInternet finds public networks wider than the largest providers are given, and whatever holds such a one.
func isMuchOfTheInternet(network netip.Prefix) bool {
	const widest, widest6 = 8, 32
	holds := func(whole netip.Prefix) bool {
		return whole.Contains(network.Addr()) && network.Bits() >= whole.Bits()
	}
	switch {
	case network.Addr().Is4():
		return network.Bits() < widest
	case holds(privateIPv6):
		return false
	case holds(ipv4AsIPv6):
		return network.Bits() < ipv4AsIPv6.Bits()+widest
	}
	return network.Bits() < widest6
}
