// Package database is the component that owns MySQL: a StatefulSet on a persistent volume, or the address and
// the Secret of a server that somebody else runs.
package database

import (
	"errors"
	"fmt"
	"slices"

	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	policyv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/policy/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/hooks"
	"wordpress-on-kubernetes/components/labels"
	"wordpress-on-kubernetes/components/pod"
)

// Type is the component's type token.
const Type = "wordpress:database:Database"

// Names that other objects and people rely on.
const (
	// Service is the name that WordPress finds MySQL by; the StatefulSet has the same.
	Service = "wordpress-mysql"
	// HeadlessService governs the StatefulSet.
	HeadlessService = "wordpress-mysql-headless"
	// Secret holds the WordPress user's password under PasswordKey.
	Secret = "wordpress-db-pwd"
	// RootSecret holds root's password under RootPasswordKey; no frontend pod can see it.
	RootSecret = "wordpress-db-root-pwd"
	// PasswordKey and RootPasswordKey are the keys in the Secrets, also in an existing one.
	PasswordKey     = "dbpwd"
	RootPasswordKey = "dbrootpwd"
	// Port that MySQL listens on.
	Port = 3306
	// Container of the pod that MySQL runs in.
	Container = "mysql"
)

// Args are the inputs of New.
type Args struct {
	// Namespace that the objects live in. Required.
	Namespace pulumi.StringInput
	// Instance is the stack's name, for labels. Required.
	Instance string
	// Database and User that WordPress works with. Required.
	Database, User string
	// Password of the user, a secret. Nil with ExistingSecret.
	Password pulumi.StringInput
	// BeforePassword runs before the Secret with the user's password changes. Nil: nothing does.
	BeforePassword *pulumi.ResourceHook
	// AfterPassword runs when it has changed, before what uses it does. Nil: nothing does.
	AfterPassword *pulumi.ResourceHook
	// ExistingSecret holds the passwords instead. Empty: the component creates its Secrets.
	ExistingSecret string
	// External is a server that somebody else runs. Nil: Server is run here.
	External *ExternalArgs
	// Server is the MySQL to run. Nil with External.
	Server *ServerArgs
	// FilesMade runs when the ConfigMap with the server's files was made, and BeforeServer before the server changes. Nil: nothing does.
	FilesMade, BeforeServer *pulumi.ResourceHook
	// After are resources that must be there before the pod starts, such as network policies.
	After []pulumi.Resource
}

// ExternalArgs are the address of a server that somebody else runs.
type ExternalArgs struct {
	// Host is a DNS name or an IP address.
	Host string
	// Port, 1 to 65535.
	Port int
}

// ServerArgs describe the MySQL to run.
type ServerArgs struct {
	// Image keeps the contract of the official mysql image.
	Image string
	// ImagePullPolicy is Always or IfNotPresent. Required.
	ImagePullPolicy string
	// ImagePullSecrets are names of Secrets in the namespace with which the image is pulled.
	ImagePullSecrets []string
	// RootPassword is a secret. Nil with ExistingSecret.
	RootPassword pulumi.StringInput
	// BeforeRootPassword runs before the Secret with root's password changes. Nil: nothing does.
	BeforeRootPassword *pulumi.ResourceHook
	// User that the pod runs as.
	User pod.User
	// Resources of the server. The buffer pool is sized from the memory.
	Resources pod.Resources
	// MaxConnections that the server accepts.
	MaxConnections int
	// BinlogSeconds is how long the binary log is kept. 0: there is none.
	BinlogSeconds int
	// TerminationGracePeriodSeconds in which InnoDB can stop cleanly.
	TerminationGracePeriodSeconds int
	// DataClaim is the name of the claim for MySQL's data.
	DataClaim pulumi.StringInput
}

// Database is MySQL, wherever it runs.
type Database struct {
	pulumi.ResourceState

	// Files is the name of the ConfigMap that the server runs with. Empty with External.
	Files pulumi.StringOutput
	// Host is the server's address in the form host:port.
	Host pulumi.StringOutput
	// SecretName is the name of the Secret that holds the user's password under PasswordKey.
	SecretName pulumi.StringOutput
	// Server is the name of the StatefulSet, once it is as wanted. Empty with External.
	Server pulumi.StringOutput
	// Ready are what must be there before a client starts; empty where somebody else runs the server, and before Serve. To depend on
	// the component itself would not do: its children join it concurrently, and the late ones would be missed.
	Ready []pulumi.Resource

	// serve registers the server. Nil where somebody else runs it.
	serve func(after []pulumi.Resource) error
}

// New registers the database but for the server itself, which Serve does.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Database, error) {
	if err := args.check(); err != nil {
		return nil, fmt.Errorf("database %q: %w", name, err)
	}
	component := &Database{}
	if err := ctx.RegisterComponentResource(Type, name, component, opts...); err != nil {
		return nil, fmt.Errorf("database %q: %w", name, err)
	}
	if err := component.register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("database %q: %w", name, err)
	}
	outputs := pulumi.Map{"host": component.Host, "secretName": component.SecretName}
	if err := ctx.RegisterResourceOutputs(component, outputs); err != nil {
		return nil, fmt.Errorf("database %q: outputs: %w", name, err)
	}
	return component, nil
}

// Serve registers the server, which starts or changes when the other resources are there. Where somebody else runs it, there is nothing to do.
func (d *Database) Serve(after ...pulumi.Resource) error {
	if d.serve == nil {
		return nil
	}
	return d.serve(after)
}

func (a *Args) check() error {
	switch {
	case a == nil || a.Namespace == nil || a.Instance == "" || a.Database == "" || a.User == "":
		return errors.New("namespace, instance, database and user are required")
	case (a.External == nil) == (a.Server == nil):
		return errors.New("either an external server or one to run is required")
	case (a.Password == nil) == (a.ExistingSecret == ""):
		return errors.New("either a password or an existing secret is required")
	case a.Server != nil && (a.Server.RootPassword == nil) == (a.ExistingSecret == ""):
		return errors.New("either a root password or an existing secret is required")
	case a.Server != nil:
		return a.Server.check()
	}
	return nil
}

func (s *ServerArgs) check() error {
	switch {
	case s.Image == "" || s.DataClaim == nil || s.MaxConnections < 1:
		return errors.New("image, data claim and maximum connections of the server are required")
	case s.ImagePullPolicy == "":
		return errors.New("an image pull policy of the server is required")
	}
	return nil
}

func (d *Database) register(ctx *pulumi.Context, name string, args *Args) error {
	parent := pulumi.Parent(d)
	if err := d.registerSecret(ctx, name, args, parent); err != nil {
		return err
	}
	if args.External != nil {
		d.Files = pulumi.String("").ToStringOutput()
		d.Server = pulumi.String("").ToStringOutput()
		d.Host = pulumi.Sprintf("%s:%d", args.External.Host, args.External.Port)
		return nil
	}
	return d.registerServer(ctx, name, args, parent)
}

func (d *Database) registerSecret(ctx *pulumi.Context, name string, args *Args, parent pulumi.ResourceOption) error {
	if args.ExistingSecret != "" {
		d.SecretName = pulumi.String(args.ExistingSecret).ToStringOutput()
		return nil
	}
	secret, err := corev1.NewSecret(ctx, name+"-secret", secretArgs(args, Secret, PasswordKey, args.Password),
		parent, hooks.AroundUpdate(args.BeforePassword, args.AfterPassword))
	if err != nil {
		return fmt.Errorf("secret: %w", err)
	}
	d.SecretName = secret.Metadata.Name().Elem()
	return nil
}

func (d *Database) registerServer(ctx *pulumi.Context, name string, args *Args, parent pulumi.ResourceOption) error {
	rootSecret := pulumi.String(args.ExistingSecret).ToStringOutput()
	if args.ExistingSecret == "" {
		secret, err := corev1.NewSecret(ctx, name+"-root-secret",
			secretArgs(args, RootSecret, RootPasswordKey, args.Server.RootPassword),
			parent, hooks.AroundUpdate(args.Server.BeforeRootPassword, nil))
		if err != nil {
			return fmt.Errorf("root secret: %w", err)
		}
		rootSecret = secret.Metadata.Name().Elem()
	}
	configMap, err := corev1.NewConfigMap(ctx, name+"-config", pod.FilesArgs(metadata(args, Service), Service, serverFiles(args.Server)),
		parent, hooks.AfterCreate(args.FilesMade), pulumi.RetainOnDelete(true)) // earlier revisions may need it: see package revisions
	if err != nil {
		return fmt.Errorf("config map: %w", err)
	}
	d.Files = configMap.Metadata.Name().Elem()
	if _, err = corev1.NewService(ctx, name+"-headless-service", headlessServiceArgs(args), parent); err != nil {
		return fmt.Errorf("headless service: %w", err)
	}
	service, err := corev1.NewService(ctx, name+"-service", serviceArgs(args), parent)
	if err != nil {
		return fmt.Errorf("service: %w", err)
	}
	names := mounted{configMap: configMap.Metadata.Name().Elem(), userSecret: d.SecretName, rootSecret: rootSecret}
	d.serve = func(after []pulumi.Resource) error {
		server, err := appsv1.NewStatefulSet(ctx, name+"-server", statefulSetArgs(args, names),
			parent, hooks.AroundUpdate(args.BeforeServer, nil), pulumi.DependsOn(slices.Concat([]pulumi.Resource{service}, args.After, after)))
		if err != nil {
			return fmt.Errorf("database %q: stateful set: %w", name, err)
		}
		d.Server = server.Metadata.Name().Elem()
		d.Ready = []pulumi.Resource{server}
		return nil
	}
	if _, err = policyv1.NewPodDisruptionBudget(ctx, name+"-budget", budgetArgs(args), parent); err != nil {
		return fmt.Errorf("pod disruption budget: %w", err)
	}
	d.Host = pulumi.Sprintf("%s:%d", service.Metadata.Name().Elem(), Port)
	return nil
}

// Selector matches the labels of MySQL's pod.
func Selector() pulumi.StringMap { return labelSet(&Args{}).Selector() }

func labelSet(args *Args) labels.Set {
	return labels.Set{Name: "mysql", Component: "database", Instance: args.Instance}
}
