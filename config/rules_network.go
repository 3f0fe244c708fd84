package config

import (
	"fmt"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

var networkRules = []rule{
	{keysOfAClosedNetwork, []string{"network.enabled"}},
	{edgeIsKnown, []string{"ingress.kind", "frontend.service.type", "network.enabled", "network.edge"}},
	{nodePortHasClients, []string{"frontend.service.type", "network.enabled", "network.edge.cidrs"}},
	{edgeLabelsHaveNamespace, []string{"ingress.kind", "network.edge"}},
	{databaseLabelsHaveNamespace, []string{"network.database"}},
	{networkOfExternalDatabase, []string{"database.mode"}},
	{externalDatabaseIsKnown, []string{"database.mode", "database.host", "network.enabled", "network.database"}},
	{proxyIsWhole, []string{"network.proxy"}},
	{proxyIsLetOut, []string{"network.enabled", "network.egress", "network.proxy"}},
}

// network.enabled false refuses every other key of network: nothing would read them, and whoever set them believes the
// pods protected.
func keysOfAClosedNetwork(d *draft) field.ErrorList {
	if *d.stack.Network.Enabled {
		return nil
	}
	return d.refuseGiven("not used with network.enabled false: remove it, or set enabled",
		"network.edge", "network.dns", "network.database", "network.egress")
}

// network.edge has a namespace or cidrs with ingress.kind ingress or none: every controller runs somewhere else, and a
// guess would shut all visitors out.
func edgeIsKnown(d *draft) field.ErrorList {
	n := d.stack.Network
	isKnown := n.Edge.Namespace != "" || len(n.Edge.CIDRs) > 0
	// With NodePort, cidrs are asked for anyway.
	if !*n.Enabled || isKnown || d.stack.Frontend.Service.Type == NodePort {
		return nil
	}
	return field.ErrorList{field.Required(at("network.edge"),
		"where requests come from: set namespace to the ingress controller's, or cidrs to the load balancer's networks")}
}

// frontend.service.type NodePort needs network.edge.cidrs: such requests come from the addresses of clients or nodes, which
// no selector of pods matches.
func nodePortHasClients(d *draft) field.ErrorList {
	n := d.stack.Network
	if !*n.Enabled || d.stack.Frontend.Service.Type != NodePort || len(n.Edge.CIDRs) > 0 {
		return nil
	}
	return field.ErrorList{field.Required(at("network.edge.cidrs"),
		"where requests to the node port come from: the clients' and the nodes' networks, or 0.0.0.0/0 for anywhere")}
}

// network.edge.podLabels go with network.edge.namespace: beside cidrs alone they would select nothing.
func edgeLabelsHaveNamespace(d *draft) field.ErrorList {
	if d.stack.Network.Edge.Namespace != "" {
		return nil
	}
	return d.refuseGiven("goes with namespace only: remove it, or set the namespace of these pods", "network.edge.podLabels")
}

// network.database.podLabels go with network.database.namespace: beside cidrs alone they would select nothing.
func databaseLabelsHaveNamespace(d *draft) field.ErrorList {
	if d.stack.Network.Database.Namespace != "" {
		return nil
	}
	return d.refuseGiven("goes with namespace only: remove it, or set the namespace of these pods", "network.database.podLabels")
}

// network.database goes with database.mode external: of its own server the program knows where it is.
func networkOfExternalDatabase(d *draft) field.ErrorList {
	if d.stack.Database.Mode != Standalone {
		return nil
	}
	return d.refuseGiven("goes with database.mode external only: remove it, or set the mode", "network.database")
}

// network.database has a namespace or cidrs where database.host is a DNS name: a policy holds addresses and not names, and
// those behind a name change.
func externalDatabaseIsKnown(d *draft) field.ErrorList {
	db, n := d.stack.Database, d.stack.Network
	_, err := netip.ParseAddr(db.Host)
	isKnown := err == nil || n.Database.Namespace != "" || len(n.Database.CIDRs) > 0
	if db.Mode != External || db.Host == "" || !*n.Enabled || isKnown {
		return nil
	}
	return field.ErrorList{field.Required(at("network.database"),
		"where the database is: set cidrs to its networks, or namespace where it runs in this cluster")}
}

// network.proxy has a host and a port, or neither: WordPress uses a proxy only where it knows both.
func proxyIsWhole(d *draft) field.ErrorList {
	proxy := d.stack.Network.Proxy
	switch {
	case proxy.Host == "":
		return d.refuseGiven("goes with host only: remove it, or set the proxy's host", "network.proxy.port", "network.proxy.bypass")
	case proxy.Port == nil:
		return field.ErrorList{field.Required(at("network.proxy.port"), "the port that the proxy listens on, such as 3128")}
	}
	return nil
}

// network.proxy is let out by network.egress: all that WordPress asks for goes there, and would wait in vain.
func proxyIsLetOut(d *draft) field.ErrorList {
	n := d.stack.Network
	proxy := n.Proxy
	if !*n.Enabled || proxy.Host == "" || proxy.Port == nil {
		return nil
	}
	address, err := netip.ParseAddr(proxy.Host)
	leads := func(destination NetworkDestination) bool {
		network, wrong := netip.ParsePrefix(destination.CIDR)
		isNear := err != nil || destination.Namespace != "" || wrong == nil && network.Contains(address)
		return isNear && slices.Contains(destination.Ports, *proxy.Port)
	}
	if slices.ContainsFunc(n.Egress, leads) {
		return nil
	}
	return field.ErrorList{field.Required(at("network.egress"),
		fmt.Sprintf("the way to network.proxy: add its network, or the namespace of its pods, with port %d", *proxy.Port))}
}
