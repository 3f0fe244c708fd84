package unit_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"

	"wordpress-on-kubernetes/components/cache"
	"wordpress-on-kubernetes/components/frontend"
)

// shelf are valid args of a cache.
func shelf(changes ...func(*cache.Args)) *cache.Args {
	args := &cache.Args{
		Namespace: namespaceInput, Instance: instance, SiteURL: "https://www.example.com", Image: "nginx:1.30.6", ImagePullPolicy: "Always",
		Replicas: 2, User: someUser, Resources: someResources(), SizeBytes: 192 << 20, StaleSeconds: 36000,
		TrustedProxies: []string{"10.0.0.0/8"}, Proxies: 1, MaxBodyBytes: 65 << 20, MaxRequestSeconds: 30, DrainSeconds: 20,
		WordPress: cache.WordPressArgs{PodsService: "php-pods", Port: 8080, Service: "php", ServicePort: 80},
		AskHeader: "X-Ask", KeySecret: pulumi.String("keys"), SecretKey: "SALT", Purpose: "purge",
	}
	for _, change := range changes {
		change(args)
	}
	return args
}

func runCache(t *testing.T, changes ...func(*cache.Args)) planned {
	t.Helper()
	return run(t, func(ctx *pulumi.Context) error {
		_, err := cache.New(ctx, "pages", shelf(changes...))
		return err
	})
}

func TestCacheRegistersItsObjects(t *testing.T) {
	p := runCache(t)
	p.wantObjects("ConfigMap wordpress-cache", "Deployment wordpress-cache", "PodDisruptionBudget wordpress-cache", "Service wordpress-cache")
	service := get[corev1.Service](p, "Service", "wordpress-cache").Spec
	if service.ClusterIP != "None" || !service.PublishNotReadyAddresses || service.Ports[0].Port != cache.PurgePort {
		t.Errorf("purges are sent to %+v", service)
	}
	if budget := get[policyv1.PodDisruptionBudget](p, "PodDisruptionBudget", "wordpress-cache").Spec; budget.MaxUnavailable.IntValue() != 1 {
		t.Errorf("a drain may take %s pods", budget.MaxUnavailable)
	}
}

func TestCacheServesWhateverWordPressDoes(t *testing.T) {
	spec := get[appsv1.Deployment](runCache(t), "Deployment", "wordpress-cache").Spec
	pod := spec.Template.Spec
	nginx := pod.Containers[0]
	if *spec.Replicas != 2 || spec.Strategy.RollingUpdate.MaxUnavailable.IntValue() != 0 {
		t.Errorf("%d pods, of which an update takes %s", *spec.Replicas, spec.Strategy.RollingUpdate.MaxUnavailable)
	}
	if nginx.ReadinessProbe.HTTPGet.Path != "/healthz" || nginx.ReadinessProbe.HTTPGet.Port.String() != "purge" || nginx.LivenessProbe != nil {
		t.Errorf("readiness %+v, liveness %+v", nginx.ReadinessProbe, nginx.LivenessProbe)
	}
	if nginx.StartupProbe.HTTPGet.Path == "/healthz" || nginx.StartupProbe.HTTPGet.Port.String() != "http" {
		t.Errorf("a pod that keeps nothing and has not found WordPress counts as started: %+v", nginx.StartupProbe.HTTPGet)
	}
	if nginx.Lifecycle.PreStop.Sleep.Seconds != 20 || *pod.TerminationGracePeriodSeconds <= 50 {
		t.Errorf("a drain of %d s in %d s", nginx.Lifecycle.PreStop.Sleep.Seconds, *pod.TerminationGracePeriodSeconds)
	}
	if len(pod.TopologySpreadConstraints) != 2 || pod.Affinity == nil {
		t.Error("the pods are not spread")
	}
}

func TestCacheKnowsOneKeyAlone(t *testing.T) {
	for _, volume := range get[appsv1.Deployment](runCache(t), "Deployment", "wordpress-cache").Spec.Template.Spec.Volumes {
		if volume.Secret == nil {
			continue
		}
		if volume.Secret.SecretName != "keys" || len(volume.Secret.Items) != 1 || volume.Secret.Items[0].Key != "SALT" {
			t.Errorf("the pods see %+v", volume.Secret)
		}
		return
	}
	t.Error("no Secret is mounted")
}

func TestCacheRollsWithItsKey(t *testing.T) {
	p := runCache(t, func(a *cache.Args) { a.KeyChecksum = pulumi.String("0123") })
	if got := get[appsv1.Deployment](p, "Deployment", "wordpress-cache").Spec.Template.Annotations["checksum.wordpress/keys"]; got != "0123" {
		t.Errorf("the pods' annotation is %q", got)
	}
}

func TestCacheIsConfigured(t *testing.T) {
	files := get[corev1.ConfigMap](runCache(t), "ConfigMap", "wordpress-cache").Data
	for file, texts := range map[string][]string{
		"nginx.conf": {
			"server_name www.example.com;", "10.0.0.0/8 1;", "client_max_body_size 68157440;", "max_size=201326592", "keys_zone=pages:3m",
			"proxy_read_timeout 30s;", "worker_shutdown_timeout 30s;", "proxy_set_header X-Ask 1;", `proxy_set_header X-Ask "";`,
			"limit_conn uploads 8;", `"~stale-while-revalidate=36000$" no-cache;`,
		},
		"page.js":  {"'/etc/wordpress-cache-secrets/SALT'", "update('purge')"},
		"start.sh": {"server php-pods.$domain:8080 resolve max_fails=0", "server php.$domain:80 resolve max_fails=0 backup;"},
	} {
		for _, text := range texts {
			if !strings.Contains(files[file], text) {
				t.Errorf("%s has no %q", file, text)
			}
		}
	}
}

func TestCacheRefusesIncompleteArgs(t *testing.T) {
	for name, row := range map[string]struct {
		spoil func(*cache.Args)
		want  string
	}{
		"no namespace":      {func(a *cache.Args) { a.Namespace = nil }, "namespace, instance, site URL, image and pull policy are required"},
		"no image":          {func(a *cache.Args) { a.Image = "" }, "namespace, instance, site URL, image and pull policy are required"},
		"no pods":           {func(a *cache.Args) { a.WordPress.PodsService = "" }, "both Services of WordPress"},
		"no port":           {func(a *cache.Args) { a.WordPress.ServicePort = 0 }, "both Services of WordPress"},
		"no header":         {func(a *cache.Args) { a.AskHeader = "" }, "the header that asks WordPress"},
		"no key":            {func(a *cache.Args) { a.KeySecret = nil }, "the secret that both share"},
		"no pod":            {func(a *cache.Args) { a.Replicas = 0 }, "must be above 0"},
		"nothing kept":      {func(a *cache.Args) { a.SizeBytes = 0 }, "must be above 0"},
		"less than nothing": {func(a *cache.Args) { a.Proxies = -1 }, "there are -1 proxies"},
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, func(ctx *pulumi.Context) error {
				_, err := cache.New(ctx, "pages", shelf(row.spoil))
				return err
			}, `cache "pages"`, row.want)
		})
	}
}

// The edge is led to the cache when that serves, and to WordPress where there is none, by one and the same object.
func TestEdgeIsLedToTheCache(t *testing.T) {
	withCache := func(a *frontend.Args) {
		a.Cache = &frontend.CacheArgs{Host: "wordpress-cache", Port: 8081, Path: "/purge", TTLSeconds: 600, StaleSeconds: 36000}
	}
	led := run(t, func(ctx *pulumi.Context) error {
		component, err := frontend.New(ctx, "web", wordpress(withCache))
		if err != nil {
			return err
		}
		pages, err := cache.New(ctx, "pages", shelf())
		if err != nil {
			return err
		}
		return component.Publish(&frontend.Behind{Selector: cache.Selector(), Port: cache.SitePortName, After: pages.Ready})
	})
	service := get[corev1.Service](led, "Service", "wordpress")
	if service.Spec.Selector["app.kubernetes.io/component"] != "cache" {
		t.Errorf("the edge is led to %v", service.Spec.Selector)
	}
	if got := led.registration("Service", "wordpress").DependsOn; !slices.Contains(got, led.registration("Deployment", "wordpress-cache").URN) {
		t.Errorf("the edge is led there after %q", got)
	}
	for name, headless := range map[string]bool{"wordpress-php": false, "wordpress-php-headless": true} {
		own := get[corev1.Service](led, "Service", name).Spec
		if own.Selector["app.kubernetes.io/component"] != "frontend" || (own.ClusterIP == "None") != headless {
			t.Errorf("%s is %+v", name, own)
		}
	}
	alone := runFrontend(t)
	if a, b := alone.registration("Service", "wordpress").URN, led.registration("Service", "wordpress").URN; a != b {
		t.Errorf("%s becomes %s: it would be replaced", a, b)
	}
	if strings.Contains(siteFile(alone, "wp-config.php"), "cache.php") || !strings.Contains(siteFile(led, "wp-config.php"), "/etc/wordpress/cache.php") {
		t.Error("wp-config.php has the part for a cache without one, or lacks it")
	}
}
