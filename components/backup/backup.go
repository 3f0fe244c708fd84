// Package backup is the component that saves the site to a repository of restic's, looks after that, and restores from it: CronJobs whose
// pods run the server's own client, with restic's program beside it.
package backup

import (
	"errors"
	"fmt"
	"slices"

	batchv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/batch/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/hooks"
	"wordpress-on-kubernetes/components/labels"
	"wordpress-on-kubernetes/components/pod"
)

// Type is the component's type token.
const Type = "wordpress:backup:Backup"

const (
	// Name of the CronJob that saves the site; the names of the other objects begin with it.
	Name = "wordpress-backup"
	// CareName is that of the CronJob that looks after the repository.
	CareName = "wordpress-backup-care"
	// DrillName is that of the CronJob that restores the newest run beside the site, and looks at it.
	DrillName = "wordpress-restore-drill"
	// RestoreName is that of the CronJob that is suspended, and is what a restore is made from.
	RestoreName = "wordpress-restore"
	// ImportName is that of the CronJob that is suspended, and is what brings a site in from another host.
	ImportName = "wordpress-import"
	// RepositorySecret holds what opens the repository, under PasswordKey and CredentialsKey, where the program makes it.
	RepositorySecret = "wordpress-backup-repository"
	// AccountsSecret holds the passwords of the accounts that the program makes in its own server.
	AccountsSecret = "wordpress-backup-accounts"
	// PasswordKey is the repository's password, which encrypts all that is in it.
	PasswordKey = "password"
	// CredentialsKey is a file of the form that Amazon's tools share, with the key and the secret of the storage.
	CredentialsKey = "credentials"
)

// What brings a site in is handed to ReceiveContainer of the pods of ImportName: a dump as the file IncomingDump, the files of wp-content below IncomingContent, and
// then IncomingEnd, a line with the dump's SHA-256 and the number of files.
const (
	ReceiveContainer = "receive"
	IncomingDump     = drillPath + "/incoming/dump.sql"
	IncomingContent  = sitePath + "/wp-content"
	IncomingEnd      = drillPath + "/incoming/all"
)

// Accounts that the program makes in its own server.
const (
	DumpUser    = "wordpress-backup"
	RestoreUser = "wordpress-restore"
)

// Account is whom the pods log in to MySQL as.
type Account struct {
	// User is the account's name. Required.
	User string
	// Password of an account that the program makes. Nil: Secret holds it.
	Password pulumi.StringInput
	// Secret and Key say where the password of another account is. Secret is nil for one that the program makes.
	Secret pulumi.StringInput
	Key    string
}

// Keep is how many snapshots are kept: the newest, and the last of so many days, weeks and months.
type Keep struct{ Last, Daily, Weekly, Monthly int }

// Args are the inputs of New.
type Args struct {
	// Namespace that the objects live in. Required.
	Namespace pulumi.StringInput
	// Instance is the stack's name, for labels. Required.
	Instance string
	// Repository is an address of restic's, such as s3:https://s3.example.com/bucket/site, and holds no credentials. Required.
	Repository string
	// Password encrypts the repository, and AccessKey and SecretKey open its storage. Nil where ExistingSecret names a Secret with PasswordKey and
	// CredentialsKey.
	Password, AccessKey, SecretKey pulumi.StringInput
	ExistingSecret                 string
	// CABundle are certificates in PEM of authorities that the storage's may be of. Empty: those that the image trusts.
	CABundle string
	// Schedule of the backup, and CareSchedule of what looks after the repository, as cron has them, in UTC. Required.
	Schedule, CareSchedule string
	// Keep of the snapshots. Required.
	Keep Keep
	// Content is the volume of wp-content. Nil: only the database is saved.
	Content *ContentArgs
	// Database is where MySQL is. Required.
	Database DatabaseArgs
	// Images of the pods. Required.
	Images Images
	// ImagePullPolicy is Always or IfNotPresent. Required.
	ImagePullPolicy string
	// ImagePullSecrets are names of Secrets in the namespace with which the images are pulled.
	ImagePullSecrets []string
	// User that the pods run as: the owner of wp-content.
	User pod.User
	// Resources of a container.
	Resources pod.Resources
	// Drill restores the newest run beside the site. Nil: nothing does.
	Drill *DrillArgs
	// Import are the resources of what brings a site in, which holds all of it.
	Import pod.Resources
	// Gateway keeps what is measured. Nil: there is none.
	Gateway *GatewayArgs
	// Binlog brings MySQL's binary log to the storage, so that a site is restored to a second. Nil: it is restored to a run.
	Binlog *BinlogArgs
	// Site is what is asked after a restore. Required.
	Site SiteArgs
	// From is the address of the site that a bootstrap's run is of, where this one has another. Empty: the run must be of this address.
	From string
	// FilesMade runs when a ConfigMap of files was made. Nil: nothing does.
	FilesMade *pulumi.ResourceHook
	// After are resources that must be there before a pod starts.
	After []pulumi.Resource
}

// Images that the pods run.
type Images struct {
	// Restic has /usr/bin/restic and cp. Database keeps the contract of the official mysql image, of the server's release. WordPress has PHP.
	Restic, Database, WordPress string
}

// DrillArgs are of a restore beside the site, by schedule.
type DrillArgs struct {
	// Schedule as cron has it, in UTC. Required.
	Schedule string
	// MinimumPosts that are published, or it fails, and MissingUploads that it lets pass.
	MinimumPosts, MissingUploads int
	// MaxAgeSeconds of the newest complete run. 0: any.
	MaxAgeSeconds int
	// Resources of its MySQL.
	Resources pod.Resources
}

// ContentArgs are the volume of wp-content.
type ContentArgs struct {
	// Claim is the volume's. Required.
	Claim pulumi.StringInput
	// Excludes are folders of wp-content that are not saved.
	Excludes []string
	// With are labels of pods whose node the pods must run on. Nil: any node can mount the volume.
	With pulumi.StringMap
}

// DatabaseArgs tell where MySQL is.
type DatabaseArgs struct {
	// Host and Port. Required.
	Host string
	Port int
	// TLS of the connections. Nil: what server and client make out between them.
	TLS *TLSArgs
	// Name of the site's database. Required.
	Name string
	// TablePrefix of WordPress's tables. Required.
	TablePrefix string
	// Dump and Restore are the accounts. Required but for a bootstrap.
	Dump, Restore Account
	// Own is WordPress's, which is there before the others. Required for a bootstrap.
	Own Account
}

// TLSArgs protect the connections to a server that somebody else runs.
type TLSArgs struct {
	// Verify refuses a server without a certificate for its host.
	Verify bool
	// CABundle are certificates in PEM of authorities that it may be of. Empty: those that the image trusts.
	CABundle string
}

// imageAuthorities are where images of Oracle's and of Debian's have the authorities that they trust.
const imageAuthorities = "/etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt"

// authorities that the server's certificate may be of, as a list of files of which the first that is there counts. Empty: it is not looked at.
func (d *DatabaseArgs) authorities() string {
	switch {
	case d.TLS == nil || !d.TLS.Verify:
		return ""
	case d.TLS.CABundle == "":
		return imageAuthorities
	default:
		return scriptsPath + "/" + databaseCAsKey
	}
}

// SiteArgs are what a restore ends with.
type SiteArgs struct {
	// URL is where visitors find the site, with scheme and without a trailing slash. Required.
	URL string
	// Service is the name of the Service that leads to WordPress's own pods, and ServicePort its port. Required.
	Service     pulumi.StringInput
	ServicePort int
	// Cache is what forgets what it kept. Nil: there is none.
	Cache *CacheArgs
}

// CacheArgs are where the cache's pods are, and what they know WordPress by.
type CacheArgs struct {
	Host, Path         string
	Port               int
	KeySecret          pulumi.StringInput
	SecretKey, Purpose string
}

// Backup is the CronJobs.
type Backup struct {
	pulumi.ResourceState

	// Files is the name of the ConfigMap that the pods run with.
	Files pulumi.StringOutput
}

// New registers the CronJobs and what they need.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Backup, error) {
	err := args.checkBoth()
	if err == nil {
		err = args.check()
	}
	if err != nil {
		return nil, fmt.Errorf("backup %q: %w", name, err)
	}
	component := &Backup{}
	if err := ctx.RegisterComponentResource(Type, name, component, opts...); err != nil {
		return nil, fmt.Errorf("backup %q: %w", name, err)
	}
	if err := component.register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("backup %q: %w", name, err)
	}
	if err := ctx.RegisterResourceOutputs(component, pulumi.Map{}); err != nil {
		return nil, fmt.Errorf("backup %q: outputs: %w", name, err)
	}
	return component, nil
}

func (a *Args) check() error {
	switch {
	case a.Schedule == "" || a.CareSchedule == "" || a.Keep == Keep{}:
		return errors.New("both schedules, and what is kept, are required")
	case a.Database.Dump.isIncomplete() || a.Database.Restore.isIncomplete():
		return errors.New("both accounts of the database are required")
	case a.Images.WordPress == "":
		return errors.New("the image of WordPress is required")
	case a.Gateway != nil && a.Gateway.Image == "":
		return errors.New("the gateway's image is required")
	case a.Drill != nil && a.Drill.Schedule == "":
		return errors.New("the drill's schedule is required")
	case a.Site.Service == nil || a.Site.ServicePort == 0:
		return errors.New("the Service of WordPress and its port are required")
	}
	return a.Binlog.check()
}

// checkBoth is of what a bootstrap needs as well.
func (a *Args) checkBoth() error {
	switch {
	case a == nil || a.Namespace == nil || a.Instance == "" || a.Repository == "" || a.ImagePullPolicy == "":
		return errors.New("namespace, instance, repository and pull policy are required")
	case (a.ExistingSecret == "") == (a.Password == nil || a.AccessKey == nil || a.SecretKey == nil):
		return errors.New("either the repository's password and the storage's key and secret, or a Secret that holds them, are required")
	case a.Database.isIncomplete():
		return errors.New("host, port, name and table prefix of the database are required")
	case a.Images.Restic == "" || a.Images.Database == "":
		return errors.New("the images of restic and of the database are required")
	case a.Content != nil && a.Content.Claim == nil:
		return errors.New("the content's claim is required")
	case a.Site.URL == "":
		return errors.New("the site's URL is required")
	}
	return nil
}

func (d *DatabaseArgs) isIncomplete() bool {
	return d.Host == "" || d.Port == 0 || d.Name == "" || d.TablePrefix == ""
}

func (a *Account) isIncomplete() bool {
	return a.User == "" || (a.Password == nil) == (a.Secret == nil)
}

func (b *Backup) register(ctx *pulumi.Context, name string, args *Args) error {
	parent := pulumi.Parent(b)
	configMap, err := corev1.NewConfigMap(ctx, name+"-config", pod.FilesArgs(metadata(args, Name), Name, files(args, slices.Concat(scripts, binlogScripts(args)))),
		parent, hooks.AfterCreate(args.FilesMade), pulumi.RetainOnDelete(true)) // a Job of before may need it: see package revisions
	if err != nil {
		return fmt.Errorf("config map: %w", err)
	}
	b.Files = configMap.Metadata.Name().Elem()
	names := mounted{configMap: b.Files}
	if names.repository, err = repositorySecret(ctx, name, RepositorySecret, args, parent); err != nil {
		return err
	}
	if args.Database.Dump.Password != nil || args.Database.Restore.Password != nil {
		if _, err := corev1.NewSecret(ctx, name+"-accounts", accountsSecretArgs(args), parent); err != nil {
			return fmt.Errorf("secret of the accounts: %w", err)
		}
	}
	if args.Gateway != nil {
		if err := registerGateway(ctx, name+"-gateway", args, parent); err != nil {
			return fmt.Errorf("metrics gateway: %w", err)
		}
	}
	if args.Binlog != nil {
		if err := registerBinlog(ctx, name+"-binlog", args, names, parent); err != nil {
			return fmt.Errorf("binary log: %w", err)
		}
	}
	after := pulumi.DependsOn(args.After)
	for _, job := range cronJobs(args, names) {
		if _, err := batchv1.NewCronJob(ctx, name+"-"+job.name, job.args, parent, after); err != nil {
			return fmt.Errorf("cron job %s: %w", job.name, err)
		}
	}
	return nil
}

// repositorySecret makes the Secret with what opens the repository, unless there is one, and returns its name.
func repositorySecret(ctx *pulumi.Context, name, secretName string, args *Args, parent pulumi.ResourceOption) (pulumi.StringInput, error) {
	if args.ExistingSecret != "" {
		return pulumi.String(args.ExistingSecret), nil
	}
	secret, err := corev1.NewSecret(ctx, name+"-repository", repositorySecretArgs(args, secretName), parent)
	if err != nil {
		return nil, fmt.Errorf("secret of the repository: %w", err)
	}
	return secret.Metadata.Name().Elem(), nil
}

// Selector matches the labels of the pods that reach the storage and the site's database, and of no others.
func Selector() pulumi.StringMap { return labelSet(&Args{}).Selector() }

// JobsSelector matches the labels of all Jobs and of the ConfigMap that they run with.
func JobsSelector() pulumi.StringMap {
	return pulumi.StringMap{"app.kubernetes.io/name": pulumi.String(labelSet(&Args{}).Name)}
}

// RepositorySelector matches the labels of the pods that reach the storage and nothing of the site's.
func RepositorySelector() pulumi.StringMap { return repositorySet(&Args{}).Selector() }

func repositorySet(args *Args) labels.Set {
	return labels.Set{Name: "restic", Component: "repository", Instance: args.Instance}
}

func labelSet(args *Args) labels.Set {
	return labels.Set{Name: "restic", Component: "backup", Instance: args.Instance}
}

func metadata(args *Args, name string) *metav1.ObjectMetaArgs {
	return &metav1.ObjectMetaArgs{Name: pulumi.String(name), Namespace: args.Namespace, Labels: labelSet(args).All()}
}
