// Package network is the component that owns the NetworkPolicies: nothing in the namespace may be reached or reach out, except
// for what the site needs.
package network

import (
	"errors"
	"fmt"
	"slices"

	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	networkingv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/networking/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/labels"
)

// Type is the component's type token.
const Type = "wordpress:network:Network"

// Names of the policies.
const (
	// DefaultDeny is for every pod of the namespace.
	DefaultDeny = "default-deny"
	// SiteDeny takes its place, for the site's pods alone, in a namespace that others have pods in. It has a name of its own because
	// such a namespace often has a default-deny already.
	SiteDeny = "wordpress-default-deny"
	// FrontendPolicy is for WordPress.
	FrontendPolicy = "wordpress"
	// DatabasePolicy is for MySQL.
	DatabasePolicy = "wordpress-mysql"
	// CronPolicy is for the pods that ask WordPress for its scheduled tasks.
	CronPolicy = "wordpress-cron"
	// BackupPolicy is for the pods that save the site and restore it.
	BackupPolicy = "wordpress-backup"
	// RepositoryPolicy is for the pods that work on the backups alone.
	RepositoryPolicy = "wordpress-backup-repository"
	// GatewayPolicy is for what keeps the numbers that they measure.
	GatewayPolicy = "wordpress-metrics-gateway"
	// BinlogPolicy is for the pod that brings MySQL's binary log to the storage.
	BinlogPolicy = "wordpress-binlog"
	// CachePolicy is for the cache before WordPress.
	CachePolicy = "wordpress-cache"
	// FromCachePolicy lets the cache reach WordPress. As an object of its own it goes last when the cache goes: until then the edge may be led
	// there.
	FromCachePolicy = "wordpress-from-cache"
	// SolverPolicy is for the pods by which cert-manager proves that the host is the site's own.
	SolverPolicy = "wordpress-acme-solver"
)

// Args are the inputs of New.
type Args struct {
	// Namespace that the policies live in. Required.
	Namespace pulumi.StringInput
	// Instance is the stack's name, for labels. Required.
	Instance string
	// Shared says that the namespace may have pods of others, which stay as open as they are.
	Shared bool
	// Frontend are WordPress's pods. Required.
	Frontend PodsArgs
	// Edge is where visitors' requests come from. Required.
	Edge PeersArgs
	// DNS is where WordPress looks up names, and DNSPort what the servers listen on, UDP and TCP. Required.
	DNS     PeersArgs
	DNSPort int
	// DNSCacheLabels are those of the pods of a cache on every node, in the namespace of DNS. Nil: there is none.
	DNSCacheLabels map[string]string
	// Database are MySQL's pods. Nil: ExternalDatabase is used.
	Database *PodsArgs
	// ExternalDatabase is a server that somebody else runs. Nil: Database is used.
	ExternalDatabase *DestinationArgs
	// Egress is what else WordPress may reach. Of a network that holds private ones, these are left out.
	Egress []DestinationArgs
	// Cron selects the pods that ask WordPress for its scheduled tasks. Nil: there are none.
	Cron pulumi.StringMap
	// Cache are the pods between the edge and WordPress. Nil: there are none.
	Cache *CacheArgs
	// Backup are the pods that save the site. Nil: there are none.
	Backup *BackupArgs
	// ACMESolver lets the edge reach the pods that cert-manager starts to answer for the host.
	ACMESolver bool
}

// PodsArgs are pods of the namespace and the port that they are reached on.
type PodsArgs struct {
	// Selector matches the pods' labels and those of no others.
	Selector pulumi.StringMap
	// Port is the pods' own, TCP, not their Service's: what a policy sees is behind the Service.
	Port int
}

// CacheArgs are pods between the edge and WordPress.
type CacheArgs struct {
	// Pods, and the port that the edge reaches.
	Pods PodsArgs
	// PurgePort is the one that WordPress reaches there. Required.
	PurgePort int
}

// BackupArgs are pods that save the site and restore it.
type BackupArgs struct {
	// Selector matches the labels of pods that reach the site as well, and those of no others. Required.
	Selector pulumi.StringMap
	// Repository matches the labels of pods that reach the storage and nothing of the site's. Nil: there are none, and no gateway.
	Repository pulumi.StringMap
	// Binlog matches the labels of the pod that reaches MySQL and the storage, and nothing else of the site's. Nil: there is none.
	Binlog pulumi.StringMap
	// Gateway takes what they measure. Nil: there is none.
	Gateway *PodsArgs
	// Storage is where the backups are. Required. Of a network that holds private ones, these are left out.
	Storage []DestinationArgs
}

// PeersArgs are pods of another namespace, networks, or both.
type PeersArgs struct {
	// Namespace of the pods. Empty: none.
	Namespace string
	// PodLabels that the pods carry. Empty: all pods of the namespace.
	PodLabels map[string]string
	// CIDRs are networks. Empty: none.
	CIDRs []string
}

// DestinationArgs are peers and the TCP ports that are reached there.
type DestinationArgs struct {
	Peers PeersArgs
	Ports []int
}

// Network is the policies.
type Network struct {
	pulumi.ResourceState

	// Closed are what must be there before a pod starts, so that none ever runs in the open.
	Closed []pulumi.Resource
}

// New registers the policies.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Network, error) {
	if err := args.check(); err != nil {
		return nil, fmt.Errorf("network %q: %w", name, err)
	}
	component := &Network{}
	if err := ctx.RegisterComponentResource(Type, name, component, opts...); err != nil {
		return nil, fmt.Errorf("network %q: %w", name, err)
	}
	if err := component.register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("network %q: %w", name, err)
	}
	if err := ctx.RegisterResourceOutputs(component, pulumi.Map{}); err != nil {
		return nil, fmt.Errorf("network %q: outputs: %w", name, err)
	}
	return component, nil
}

func (a *Args) check() error {
	switch {
	case a == nil || a.Namespace == nil || a.Instance == "":
		return errors.New("namespace and instance are required")
	case a.Frontend.isIncomplete():
		return errors.New("selector and port of the frontend are required")
	case a.Cache.isIncomplete():
		return errors.New("selector and both ports of the cache are required")
	case a.Edge.isEmpty() || a.DNS.isEmpty() || a.DNSPort == 0:
		return errors.New("edge, DNS and its port are required")
	}
	if slices.ContainsFunc(a.Egress, DestinationArgs.isIncomplete) {
		return errors.New("networks and ports of each egress are required")
	}
	if a.Backup.isIncomplete() {
		return errors.New("selectors of the backup's pods, and networks and ports of its storage, are required")
	}
	return a.checkDatabase()
}

func (a *Args) checkDatabase() error {
	switch {
	case (a.Database == nil) == (a.ExternalDatabase == nil):
		return errors.New("either the database's pods or an external database are required")
	case a.Database != nil && a.Database.isIncomplete():
		return errors.New("selector and port of the database are required")
	case a.ExternalDatabase != nil && a.ExternalDatabase.isIncomplete():
		return errors.New("where the external database is, and its port, are required")
	}
	return nil
}

func (b *BackupArgs) isIncomplete() bool {
	return b != nil && (len(b.Selector) == 0 || b.Gateway != nil && len(b.Repository) == 0 || len(b.Storage) == 0 ||
		slices.ContainsFunc(b.Storage, DestinationArgs.isIncomplete))
}

func (c *CacheArgs) isIncomplete() bool {
	return c != nil && (c.Pods.isIncomplete() || c.PurgePort == 0)
}

// An empty selector would match every pod of the namespace, and an empty list of peers or ports everything at all.
func (p PodsArgs) isIncomplete() bool        { return len(p.Selector) == 0 || p.Port == 0 }
func (p PeersArgs) isEmpty() bool            { return p.Namespace == "" && len(p.CIDRs) == 0 }
func (d DestinationArgs) isIncomplete() bool { return d.Peers.isEmpty() || len(d.Ports) == 0 }

// allowance is a policy that lets something through, with the ending of its resource's name and what a message calls it.
type allowance struct {
	suffix, policy, what string
	spec                 func(*Args) *networkingv1.NetworkPolicySpecArgs
}

// allowances are those of the pods that there are.
func (a *Args) allowances() []allowance {
	all := []allowance{{"frontend", FrontendPolicy, "frontend's policy", frontendSpec}}
	if a.Database != nil {
		all = append(all, allowance{"database", DatabasePolicy, "database's policy", databaseSpec})
	}
	if a.Cron != nil {
		all = append(all, allowance{"cron", CronPolicy, "cron's policy", cronSpec})
	}
	if a.Cache != nil {
		all = append(all, allowance{"cache", CachePolicy, "cache's policy", cacheSpec},
			allowance{"from-cache", FromCachePolicy, "policy for what comes from the cache", fromCacheSpec})
	}
	if a.Backup != nil {
		all = append(all, allowance{"backup", BackupPolicy, "backup's policy", backupSpec})
		if len(a.Backup.Repository) > 0 {
			all = append(all, allowance{"repository", RepositoryPolicy, "policy of the backup's repository", repositorySpec})
		}
		if a.Backup.Binlog != nil {
			all = append(all, allowance{"binlog", BinlogPolicy, "policy of the binary log", binlogSpec})
		}
		if a.Backup.Gateway != nil {
			all = append(all, allowance{"gateway", GatewayPolicy, "policy of the metrics gateway", gatewaySpec})
		}
	}
	if a.ACMESolver {
		all = append(all, allowance{"solver", SolverPolicy, "solver's policy", solverSpec})
	}
	return all
}

// register registers what is allowed before what is denied: on a site that runs already, nothing is cut off in between.
func (n *Network) register(ctx *pulumi.Context, name string, args *Args) error {
	var allowed []pulumi.Resource
	for _, one := range args.allowances() {
		policy, err := networkingv1.NewNetworkPolicy(ctx, name+"-"+one.suffix, policyArgs(args, one.policy, one.spec(args)), pulumi.Parent(n))
		if err != nil {
			return fmt.Errorf("%s: %w", one.what, err)
		}
		allowed = append(allowed, policy)
	}
	denied := DefaultDeny
	if args.Shared {
		denied = SiteDeny
	}
	deny, err := networkingv1.NewNetworkPolicy(ctx, name+"-deny", policyArgs(args, denied, denySpec(args)),
		pulumi.Parent(n), pulumi.DependsOn(allowed))
	if err != nil {
		return fmt.Errorf("default policy: %w", err)
	}
	n.Closed = slices.Concat(allowed, []pulumi.Resource{deny})
	return nil
}

func policyArgs(args *Args, name string, spec *networkingv1.NetworkPolicySpecArgs) *networkingv1.NetworkPolicyArgs {
	return &networkingv1.NetworkPolicyArgs{
		Metadata: &metav1.ObjectMetaArgs{
			Name:      pulumi.String(name),
			Namespace: args.Namespace,
			Labels:    labels.Set{Name: "wordpress", Component: "network", Instance: args.Instance}.All(),
		},
		Spec: spec,
	}
}
