// Package cache is the component that keeps pages before WordPress: pods of nginx, to which the edge leads all of the site's requests.
package cache

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
	"wordpress-on-kubernetes/components/pod"
)

// Type is the component's type token.
const Type = "wordpress:cache:Cache"

const (
	// Name of the Deployment, its headless Service and its disruption budget; its ConfigMap's name begins with it.
	Name = "wordpress-cache"
	// SitePort is the pods' own port that visitors' requests come to.
	SitePort = 8080
	// SitePortName is the name of that port.
	SitePortName = "http"
	// PurgePort is the one that WordPress purges pages by, and the kubelet asks whether the pod serves.
	PurgePort = 8081
)

// Args are the inputs of New.
type Args struct {
	// Namespace that the objects live in. Required.
	Namespace pulumi.StringInput
	// Instance is the stack's name, for labels. Required.
	Instance string
	// SiteURL is where visitors find the site, with scheme and without a trailing slash. Required.
	SiteURL string
	// Image keeps the contract of the official nginx image, njs's module included. Required.
	Image string
	// ImagePullPolicy is Always or IfNotPresent. Required.
	ImagePullPolicy string
	// ImagePullSecrets are names of Secrets in the namespace with which the image is pulled.
	ImagePullSecrets []string
	// Replicas is the number of pods. Required.
	Replicas int
	// User that the pods run as.
	User pod.User
	// Resources of the container.
	Resources pod.Resources
	// SizeBytes is how much a pod keeps on its disk. Required.
	SizeBytes int64
	// StaleSeconds is how long a page may be shown beyond its time, while WordPress is asked for a new one. Required.
	StaleSeconds int
	// Headers are the security headers of what the pods answer by themselves.
	Headers headers.Policy
	// TrustedProxies are the networks of the edge, in CIDR form, which alone is believed whom a request comes from. Empty: nobody is.
	TrustedProxies []string
	// Proxies before the edge that append to X-Forwarded-For. 0: the edge sees the visitor's own connection.
	Proxies int
	// KnowsVisitors says that their addresses can be told apart.
	KnowsVisitors bool
	// MaxBodyBytes is the largest body of a request. Required.
	MaxBodyBytes int64
	// MaxRequestSeconds is the longest that WordPress may take. Required.
	MaxRequestSeconds int
	// DrainSeconds is how long a terminating pod goes on serving while the edge takes it out. 0: not at all.
	DrainSeconds int
	// WordPress is where pages come from. Required.
	WordPress WordPressArgs
	// AskHeader is the request header that asks WordPress whether an answer may be kept. Required.
	AskHeader string
	// KeySecret names the Secret that WordPress's pods and these share, SecretKey the key in it that both know each other by, and Purpose
	// what the key is hashed with for that. Required.
	KeySecret          pulumi.StringInput
	SecretKey, Purpose string
	// PageImage is what makes the pages. Another one rolls the pods, so that nothing is kept of what the earlier one made.
	PageImage string
	// KeyChecksum changes with that key, where the program sees it. Nil: whoever changes it restarts the pods.
	KeyChecksum pulumi.StringInput
	// FilesMade runs when the ConfigMap with the pods' files was made. Nil: nothing does.
	FilesMade *pulumi.ResourceHook
	// After are resources that must be there before the pods start. Pages are not among them: the pods serve without.
	After []pulumi.Resource
}

// WordPressArgs tell where WordPress's pods are.
type WordPressArgs struct {
	// PodsService is a headless Service, and Port the pods' own. Required.
	PodsService string
	Port        int
	// Service is an ordinary one for the same pods, and ServicePort its port. Required.
	Service     string
	ServicePort int
}

// Cache is the pods that keep pages.
type Cache struct {
	pulumi.ResourceState

	// Ready are what must be there before anybody is led to the pods.
	Ready []pulumi.Resource
	// Files is the name of the ConfigMap that the pods run with.
	Files pulumi.StringOutput
}

// New registers the cache.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Cache, error) {
	if err := args.check(); err != nil {
		return nil, fmt.Errorf("cache %q: %w", name, err)
	}
	component := &Cache{}
	if err := ctx.RegisterComponentResource(Type, name, component, opts...); err != nil {
		return nil, fmt.Errorf("cache %q: %w", name, err)
	}
	if err := component.register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("cache %q: %w", name, err)
	}
	if err := ctx.RegisterResourceOutputs(component, pulumi.Map{}); err != nil {
		return nil, fmt.Errorf("cache %q: outputs: %w", name, err)
	}
	return component, nil
}

func (a *Args) check() error {
	switch {
	case a == nil || a.Namespace == nil || a.Instance == "" || a.SiteURL == "" || a.Image == "" || a.ImagePullPolicy == "":
		return errors.New("namespace, instance, site URL, image and pull policy are required")
	case a.WordPress.isIncomplete():
		return errors.New("both Services of WordPress and their ports are required")
	case a.AskHeader == "" || a.KeySecret == nil || a.SecretKey == "" || a.Purpose == "":
		return errors.New("the header that asks WordPress, and the secret that both share, are required")
	case min(int64(a.Replicas), a.SizeBytes, int64(a.StaleSeconds), a.MaxBodyBytes, int64(a.MaxRequestSeconds)) < 1:
		return errors.New("replicas, size, stale time, largest body and longest request must be above 0")
	case a.Proxies < 0:
		return fmt.Errorf("there are %d proxies before the edge, want 0 or more", a.Proxies)
	}
	return nil
}

func (w WordPressArgs) isIncomplete() bool {
	return w.PodsService == "" || w.Service == "" || w.Port == 0 || w.ServicePort == 0
}

func (c *Cache) register(ctx *pulumi.Context, name string, args *Args) error {
	parent := pulumi.Parent(c)
	configMap, err := corev1.NewConfigMap(ctx, name+"-config", pod.FilesArgs(metadata(args), Name, files(args)),
		parent, hooks.AfterCreate(args.FilesMade), pulumi.RetainOnDelete(true)) // earlier revisions may need it: see package revisions
	if err != nil {
		return fmt.Errorf("config map: %w", err)
	}
	c.Files = configMap.Metadata.Name().Elem()
	if _, err = corev1.NewService(ctx, name+"-service", serviceArgs(args), parent); err != nil {
		return fmt.Errorf("service: %w", err)
	}
	if _, err = policyv1.NewPodDisruptionBudget(ctx, name+"-budget", budgetArgs(args), parent); err != nil {
		return fmt.Errorf("pod disruption budget: %w", err)
	}
	deployment, err := appsv1.NewDeployment(ctx, name+"-deployment", deploymentArgs(args, c.Files), parent, pulumi.DependsOn(args.After))
	if err != nil {
		return fmt.Errorf("deployment: %w", err)
	}
	c.Ready = []pulumi.Resource{deployment}
	return nil
}

// graceSeconds are enough for the drain and then the longest request.
func (a *Args) graceSeconds() int {
	const end = 5
	return a.DrainSeconds + a.MaxRequestSeconds + end
}

// Selector matches the labels of the cache's pods.
func Selector() pulumi.StringMap { return labelSet(&Args{}).Selector() }

func labelSet(args *Args) labels.Set {
	return labels.Set{Name: "nginx", Component: "cache", Instance: args.Instance}
}
