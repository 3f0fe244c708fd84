// Package frontend is the component that owns WordPress: a Deployment whose core comes from the image and whose
// content lies on a shared volume, its Service and its disruption budget.
package frontend

import (
	"errors"
	"fmt"

	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	policyv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/policy/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/headers"
	"wordpress-on-kubernetes/components/hooks"
	"wordpress-on-kubernetes/components/labels"
	"wordpress-on-kubernetes/components/limits"
	"wordpress-on-kubernetes/components/pod"
)

// Type is the component's type token.
const Type = "wordpress:frontend:Frontend"

// Names that other objects and people rely on.
const (
	// Name of the Deployment, of the Service that an edge is led to, and of the disruption budget; the ConfigMap's name begins with it.
	Name = "wordpress"
	// PHPService leads to WordPress's own pods where the Service Name leads to a cache before them, and PodsService, which is headless,
	// names each of them.
	PHPService  = "wordpress-php"
	PodsService = "wordpress-php-headless"
	// AuthSecret holds the eight keys and salts.
	AuthSecret = "wordpress-auth"
	// AdminSecret holds the password that the site is installed with, under AdminPasswordKey.
	AdminSecret      = "wordpress-admin"
	AdminPasswordKey = "password"
	// ServicePort is the port of the Service.
	ServicePort = 80
	// ServicePortName is the name of that port.
	ServicePortName = "http"
	// PasswordAnnotation of the pods changes with the database's password.
	PasswordAnnotation = pod.ChecksumAnnotation + "database-password"
	// SitePort is the pods' own port that the Service leads to.
	SitePort = 8080
	// AskHeader of a request says that its sender keeps an answer for others where the answer allows it, and has shown WordPress nothing of
	// whom it is for.
	AskHeader = "X-WordPress-Cache"
	// PurgeKey is the key in the Secret of keys and salts by which WordPress and the cache know each other, hashed with PurgePurpose. A salt
	// without its key makes no log-in and no nonce.
	PurgeKey     = "NONCE_SALT"
	PurgePurpose = "wordpress-cache purge"
)

// Args are the inputs of New.
type Args struct {
	// Namespace that the objects live in. Required.
	Namespace pulumi.StringInput
	// Instance is the stack's name, for labels. Required.
	Instance string
	// SiteURL is where visitors find the site, with scheme and without a trailing slash. Required.
	SiteURL string
	// Image keeps the contract of the official wordpress:*-apache image. Required.
	Image string
	// ImagePullPolicy is Always or IfNotPresent. Required.
	ImagePullPolicy string
	// ImagePullSecrets are names of Secrets in the namespace with which the image is pulled.
	ImagePullSecrets []string
	// Replicas is the fixed number of pods. Nil: an autoscaler owns the number, the Deployment carries none,
	// and an update leaves the live number alone.
	Replicas *int
	// User that the pods run as.
	User pod.User
	// Resources of the WordPress container.
	Resources pod.Resources
	// Workers is how many requests a pod serves at a time. Required.
	Workers int
	// MaxUploadBytes is the largest upload. Required.
	MaxUploadBytes int64
	// RequestMemoryBytes is the most memory that PHP gives one request. Required.
	RequestMemoryBytes int64
	// PictureMemoryBytes is the most memory for the pixels of pictures, of which a pod makes smaller sizes one at a time. Required.
	PictureMemoryBytes int64
	// MaxRequestSeconds is the longest that a request may take. Required.
	MaxRequestSeconds int
	// Headers are the security headers of every answer.
	Headers headers.Policy
	// NoMail keeps WordPress from sending any.
	NoMail bool
	// XMLRPC answers /xmlrpc.php, which is denied otherwise.
	XMLRPC bool
	// TrustedProxies are the networks of the edge, in CIDR form, which alone is believed whom a request comes from. Empty: nobody is.
	TrustedProxies []string
	// Proxies before the edge that append to X-Forwarded-For. 0: the edge sees the visitor's own connection.
	Proxies int
	// BuffersBodies says that the edge reads the body of a request before it asks a pod, of all but GET and HEAD.
	BuffersBodies bool
	// Cache is what keeps pages before the pods. Nil: nothing does.
	Cache *CacheArgs
	// Title and Admin are what the site is installed with where there is none. Without Admin none is installed, and the pods wait
	// for one in the database.
	Title string
	Admin *AdminArgs
	// Cron says that somebody asks for the tasks that are due, so that visitors' requests need not start them.
	Cron bool
	// RequireSpread leaves a pod pending rather than placing two on a node. Default: spread as far as possible.
	RequireSpread bool
	// MaxSurge and MaxUnavailable of a rolling update: a count or a percentage. Required.
	MaxSurge, MaxUnavailable string
	// DisruptionBudget is how many pods may be evicted at a time: a count or a percentage. Required.
	DisruptionBudget string
	// DrainSeconds is how long a terminating pod goes on serving while the edge takes it out. 0: not at all.
	DrainSeconds int
	// TerminationGracePeriodSeconds is the time from the start of the drain to SIGKILL. Required.
	TerminationGracePeriodSeconds int
	// LivenessProbe restarts a pod that no longer answers.
	LivenessProbe bool
	// ServiceType is ClusterIP or NodePort. Required.
	ServiceType string
	// ServiceAnnotations are for what a load balancer's controller defines.
	ServiceAnnotations map[string]string
	// NodePort of the Service; 0 lets the cluster choose.
	NodePort int
	// ContentClaim is the name of the claim for wp-content. Required.
	ContentClaim pulumi.StringInput
	// Database is where WordPress keeps its data. Required.
	Database DatabaseArgs
	// Outgoing is what WordPress may ask other servers for.
	Outgoing OutgoingArgs
	// AuthSecret is what the eight keys and salts derive from, a secret. Nil with ExistingAuthSecret.
	AuthSecret pulumi.StringInput
	// ExistingAuthSecret names a Secret with the eight keys and salts. Empty: the component creates one.
	ExistingAuthSecret string
	// FilesMade runs when the ConfigMap with the pods' files was made. Nil: nothing does.
	FilesMade *pulumi.ResourceHook
	// After are resources that must be ready before the pods start, such as the database. Everything else is
	// created without waiting for them.
	After []pulumi.Resource
}

// CacheArgs are a cache before the pods.
type CacheArgs struct {
	// Host names all of its pods, and Port takes purges there. Required.
	Host string
	Port int
	// Path of the purges. Required.
	Path string
	// TTLSeconds is how long a page is kept, and StaleSeconds how long beyond that while a new one is made. Required.
	TTLSeconds, StaleSeconds int
}

// AdminArgs are the administrator that the site is installed with.
type AdminArgs struct {
	// User is the name to log in with, and Email the address. Required.
	User, Email string
	// Password is a secret. Nil with ExistingSecret.
	Password pulumi.StringInput
	// ExistingSecret names a Secret that holds the password under AdminPasswordKey. Empty: the component creates one.
	ExistingSecret string
	// BeforePassword runs before the Secret with the password changes. Nil: nothing does.
	BeforePassword *pulumi.ResourceHook
}

// DatabaseArgs tell WordPress where its data is.
type DatabaseArgs struct {
	// Host is the server's address in the form host:port.
	Host pulumi.StringInput
	// Name of the database, and the User to log in as.
	Name, User string
	// TablePrefix of WordPress's tables. Empty: its own, wp_.
	TablePrefix string
	// SecretName and PasswordKey say where the user's password is.
	SecretName  pulumi.StringInput
	PasswordKey string
	// Password is in the Secret, and changing it rolls the pods. Nil where the program does not see it: whoever changes it restarts them.
	Password pulumi.StringInput
	// TLS of the connections. Nil: they are not encrypted.
	TLS *DatabaseTLSArgs
}

// DatabaseTLSArgs encrypt the connections to the database.
type DatabaseTLSArgs struct {
	// Verify refuses a server whose certificate is not for its host, or of no authority that is trusted.
	Verify bool
	// CABundle are authorities in PEM that PHP trusts beside those of the image. Empty: none.
	CABundle string
}

// OutgoingArgs are what the network lets out of what WordPress asks other servers for. Whatever it does not, WordPress refuses by
// itself: an attempt would run into its time limit.
type OutgoingArgs struct {
	// IsOpen lets everything out.
	IsOpen bool
	// Ports that something is let out to. Empty: to none.
	Ports []int
	// Proxy that WordPress sends its requests through. Nil: there is none.
	Proxy *ProxyArgs
}

// ProxyArgs are an HTTP proxy.
type ProxyArgs struct {
	Host string
	Port int
	// Bypass are hosts that are asked without it; *.example.com stands for all below that name.
	Bypass []string
}

// isClosed reports whether nothing is let out at all.
func (o OutgoingArgs) isClosed() bool { return !o.IsOpen && len(o.Ports) == 0 }

// Frontend is WordPress.
type Frontend struct {
	pulumi.ResourceState

	// Deployment is the Deployment's name.
	Deployment pulumi.StringOutput
	// Ready are what must be there before something counts on pods that are as wanted.
	Ready []pulumi.Resource
	// PasswordChecksum is the pods' annotation PasswordAnnotation. Empty where the program does not see the password.
	PasswordChecksum pulumi.StringOutput
	// Files is the name of the ConfigMap that the pods run with.
	Files pulumi.StringOutput
	// Service is the name of the Service that an edge is led to, once Publish has been called. It is known before the pods run, so that the
	// edge can be set up meanwhile.
	Service pulumi.StringOutput
	// PHPService is the name of the Service of WordPress's own pods, which is Service where there is no cache. Once Publish has been called.
	PHPService pulumi.StringOutput
	// KeysChecksum changes with the keys and salts. Nil where the program does not see them.
	KeysChecksum pulumi.StringInput
	// AuthSecretName is the name of the Secret with the keys and salts.
	AuthSecretName pulumi.StringOutput
	// QoSClass is the quality of service class of the pods.
	QoSClass pulumi.StringOutput

	// publish registers the Service that an edge is led to.
	publish func(behind Behind) error
}

// Behind are the pods behind the Service that an edge is led to.
type Behind struct {
	// Selector of the pods, and the name of their port.
	Selector pulumi.StringMap
	Port     string
	// After are what must be there before an edge is led to them.
	After []pulumi.Resource
}

// New registers WordPress.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Frontend, error) {
	if err := args.check(); err != nil {
		return nil, fmt.Errorf("frontend %q: %w", name, err)
	}
	component := &Frontend{QoSClass: pulumi.String(args.Resources.QoSClass()).ToStringOutput()}
	if err := ctx.RegisterComponentResource(Type, name, component, opts...); err != nil {
		return nil, fmt.Errorf("frontend %q: %w", name, err)
	}
	if err := component.register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("frontend %q: %w", name, err)
	}
	err := ctx.RegisterResourceOutputs(component, pulumi.Map{
		"deployment":     component.Deployment,
		"service":        pulumi.String(Name),
		"authSecretName": component.AuthSecretName,
		"qosClass":       component.QoSClass,
	})
	if err != nil {
		return nil, fmt.Errorf("frontend %q: outputs: %w", name, err)
	}
	return component, nil
}

// Publish registers the Service that an edge is led to. Nil: it leads to WordPress's own pods.
func (f *Frontend) Publish(behind *Behind) error {
	if behind == nil {
		behind = &Behind{Selector: Selector(), Port: sitePortName}
	}
	return f.publish(*behind)
}

func (a *Args) check() error {
	switch {
	case a == nil || a.Namespace == nil || a.Instance == "" || a.SiteURL == "" || a.Image == "":
		return errors.New("namespace, instance, site URL and image are required")
	case a.ImagePullPolicy == "":
		return errors.New("an image pull policy is required")
	case a.ContentClaim == nil || a.Database.Host == nil || a.Database.SecretName == nil:
		return errors.New("content claim, database host and database secret are required")
	case (a.AuthSecret == nil) == (a.ExistingAuthSecret == ""):
		return errors.New("either an auth secret or an existing secret is required")
	case a.Admin.isIncomplete():
		return errors.New("user, email and either a password or an existing secret of the administrator are required")
	case a.Cache.isIncomplete():
		return errors.New("host, port and path of the cache, and how long it keeps a page, are required")
	}
	return a.checkNumbers()
}

func (a *Args) checkNumbers() error {
	switch {
	case min(int64(a.Workers), a.RequestMemoryBytes, a.PictureMemoryBytes, a.MaxUploadBytes, int64(a.MaxRequestSeconds)) < 1:
		return errors.New("workers, maximum upload, memory of a picture, and memory and time of a request must be above 0")
	case a.Proxies < 0:
		return fmt.Errorf("there are %d proxies before the edge, want 0 or more", a.Proxies)
	case !limits.GracePeriod(a.DrainSeconds, a.MaxRequestSeconds, a.TerminationGracePeriodSeconds):
		return fmt.Errorf("a drain of %d s and a request of %d s do not fit in a grace period of %d s",
			a.DrainSeconds, a.MaxRequestSeconds, a.TerminationGracePeriodSeconds)
	}
	return nil
}

func (a *AdminArgs) isIncomplete() bool {
	return a != nil && (a.User == "" || a.Email == "" || (a.Password == nil) == (a.ExistingSecret == ""))
}

func (c *CacheArgs) isIncomplete() bool {
	return c != nil && (c.Host == "" || c.Path == "" || min(c.Port, c.TTLSeconds, c.StaleSeconds) < 1)
}

func (f *Frontend) register(ctx *pulumi.Context, name string, args *Args) error {
	parent := pulumi.Parent(f)
	keysChecksum, err := f.registerAuthSecret(ctx, name, args, parent)
	if err != nil {
		return err
	}
	f.KeysChecksum = keysChecksum
	adminSecret, err := registerAdminSecret(ctx, name, args, parent)
	if err != nil {
		return err
	}
	configMap, err := corev1.NewConfigMap(ctx, name+"-config", pod.FilesArgs(metadata(args, Name), Name, siteFiles(args)),
		parent, hooks.AfterCreate(args.FilesMade), pulumi.RetainOnDelete(true)) // earlier revisions may need it: see package revisions
	if err != nil {
		return fmt.Errorf("config map: %w", err)
	}
	f.Files = configMap.Metadata.Name().Elem()
	if err := f.registerServices(ctx, name, args, parent); err != nil {
		return err
	}
	if _, err = policyv1.NewPodDisruptionBudget(ctx, name+"-budget", budgetArgs(args), parent); err != nil {
		return fmt.Errorf("pod disruption budget: %w", err)
	}
	opts := []pulumi.ResourceOption{parent, pulumi.DependsOn(args.After)}
	if args.Replicas == nil {
		// The autoscaler owns the number: an update that stated one would scale the site back down.
		opts = append(opts, pulumi.IgnoreChanges([]string{"spec.replicas"}))
	}
	checksum := passwordChecksum(args)
	f.PasswordChecksum = pulumi.String("").ToStringOutput()
	if checksum != nil {
		f.PasswordChecksum = pulumi.Unsecret(checksum.ToStringOutput()).(pulumi.StringOutput)
	}
	names := mounted{
		configMap: f.Files, authSecret: f.AuthSecretName,
		keysChecksum: keysChecksum, passwordChecksum: checksum,
		adminSecret: adminSecret,
	}
	deployment, err := appsv1.NewDeployment(ctx, name+"-deployment", deploymentArgs(args, names), opts...)
	if err != nil {
		return fmt.Errorf("deployment: %w", err)
	}
	f.Deployment = deployment.Metadata.Name().Elem()
	f.Ready = []pulumi.Resource{deployment}
	return nil
}

// registerServices registers those of WordPress's own pods, and prepares the one that an edge is led to.
func (f *Frontend) registerServices(ctx *pulumi.Context, name string, args *Args, parent pulumi.ResourceOption) error {
	if args.Cache != nil {
		if _, err := corev1.NewService(ctx, name+"-pods-service", podsServiceArgs(args), parent); err != nil {
			return fmt.Errorf("headless service: %w", err)
		}
		service, err := corev1.NewService(ctx, name+"-php-service", phpServiceArgs(args), parent)
		if err != nil {
			return fmt.Errorf("service of the pods: %w", err)
		}
		f.PHPService = service.Metadata.Name().Elem()
	}
	f.publish = func(behind Behind) error {
		service, err := corev1.NewService(ctx, name+"-service", serviceArgs(args, behind), parent, pulumi.DependsOn(behind.After))
		if err != nil {
			return fmt.Errorf("frontend %q: service: %w", name, err)
		}
		f.Service = service.Metadata.Name().Elem()
		if args.Cache == nil {
			f.PHPService = f.Service
		}
		return nil
	}
	return nil
}

// registerAuthSecret registers the Secret with the keys and salts and returns their checksum, which is nil for
// an existing Secret, because the program does not see its content.
func (f *Frontend) registerAuthSecret(
	ctx *pulumi.Context, name string, args *Args, parent pulumi.ResourceOption,
) (pulumi.StringInput, error) {
	if args.ExistingAuthSecret != "" {
		f.AuthSecretName = pulumi.String(args.ExistingAuthSecret).ToStringOutput()
		return nil, nil
	}
	keys := deriveKeys(args.AuthSecret)
	secret, err := corev1.NewSecret(ctx, name+"-auth-secret", authSecretArgs(args, keys), parent)
	if err != nil {
		return nil, fmt.Errorf("auth secret: %w", err)
	}
	f.AuthSecretName = secret.Metadata.Name().Elem()
	return keys.ApplyT(pod.Checksum).(pulumi.StringOutput), nil
}

// Selector matches the labels of WordPress's pods.
func Selector() pulumi.StringMap { return labelSet(&Args{}).Selector() }

func labelSet(args *Args) labels.Set {
	return labels.Set{Name: "wordpress", Component: "frontend", Instance: args.Instance}
}
