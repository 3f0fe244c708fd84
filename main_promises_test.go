package main

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"wordpress-on-kubernetes/components/limits"
	"wordpress-on-kubernetes/components/plan"
	"wordpress-on-kubernetes/config"
)

// site is what a stack registers, decoded from the objects as the API server would get them.
type site struct {
	accepted      *config.Stack
	registrations []plan.Registration
	objects       []plan.Object
	files         string // the text of every ConfigMap

	deployment *appsv1.Deployment
	budget     *policyv1.PodDisruptionBudget
	content    *corev1.PersistentVolumeClaim
	server     *appsv1.StatefulSet                    // nil with an external database
	autoscaler *autoscalingv2.HorizontalPodAutoscaler // nil with a fixed number of pods
	route      *route                                 // nil without an ingress of Traefik's
	ingress    *networkingv1.Ingress                  // nil without a standard ingress
}

// route is the part of Traefik's IngressRoute that promises are about.
type route struct {
	Spec struct {
		Routes []struct{ Match string }
		TLS    *struct{ Domains []struct{ Main string } }
	}
}

func newSite(t *testing.T, accepted *config.Stack, registrations []plan.Registration) *site {
	t.Helper()
	objects := plan.Objects(registrations, plan.ShowSecrets)
	s := &site{
		accepted: accepted, registrations: registrations, objects: objects,
		deployment: decoded[appsv1.Deployment](t, objects, "Deployment", "wordpress"),
		budget:     decoded[policyv1.PodDisruptionBudget](t, objects, "PodDisruptionBudget", "wordpress"),
		content:    decoded[corev1.PersistentVolumeClaim](t, objects, "PersistentVolumeClaim", "wordpress-content"),
		server:     decoded[appsv1.StatefulSet](t, objects, "StatefulSet", "wordpress-mysql"),
		autoscaler: decoded[autoscalingv2.HorizontalPodAutoscaler](t, objects, "HorizontalPodAutoscaler", "wordpress"),
		route:      decoded[route](t, objects, "IngressRoute", "wordpress"),
		ingress:    decoded[networkingv1.Ingress](t, objects, "Ingress", "wordpress"),
	}
	for _, object := range objects {
		if object.Kind() == "ConfigMap" {
			for _, text := range object["data"].(map[string]any) {
				s.files += text.(string) + "\n"
			}
		}
	}
	if s.deployment == nil || s.budget == nil || s.content == nil {
		t.Fatal("the stack has no Deployment, disruption budget or content claim of WordPress")
	}
	return s
}

// decoded is the object of a kind and name, or nil.
func decoded[T any](t *testing.T, objects []plan.Object, kind, name string) *T {
	t.Helper()
	i := slices.IndexFunc(objects, func(o plan.Object) bool { return o.Kind() == kind && o.Name() == name })
	if i < 0 {
		return nil
	}
	text, err := json.Marshal(objects[i])
	if err != nil {
		t.Fatal(err)
	}
	typed := new(T)
	if err := json.Unmarshal(text, typed); err != nil {
		t.Fatalf("%s %s: %v", kind, name, err)
	}
	return typed
}

// setting is the number that a directive has in the files of the pods, or -1 without it.
func (s *site) setting(directive string) int64 {
	match := regexp.MustCompile(`(?m)^(?:\tphp_admin_value |const )?` + directive + `(?: = | )(\d+);?$`).FindStringSubmatch(s.files)
	if match == nil {
		return -1
	}
	number, err := strconv.ParseInt(match[1], 10, 64)
	if err != nil {
		return -1
	}
	return number
}

// pods is the least and the greatest number of pods outside of an update.
func (s *site) pods() (least, greatest int) {
	if s.autoscaler != nil {
		return int(*s.autoscaler.Spec.MinReplicas), int(s.autoscaler.Spec.MaxReplicas)
	}
	return int(*s.deployment.Spec.Replicas), int(*s.deployment.Spec.Replicas)
}

// scaled resolves a count or a percentage of pods.
func scaled(value *intstr.IntOrString, total int, roundUp bool) int {
	count, err := intstr.GetScaledValueFromIntOrPercent(value, total, roundUp)
	if err != nil {
		return -1
	}
	return count
}

// surge is how many pods an update adds at the greatest number of pods.
func (s *site) surge() int {
	_, greatest := s.pods()
	return scaled(s.deployment.Spec.Strategy.RollingUpdate.MaxSurge, greatest, true)
}

func (s *site) limit(name corev1.ResourceName) int64 {
	quantity := s.deployment.Spec.Template.Spec.Containers[0].Resources.Limits[name]
	return quantity.Value()
}

// promise is an inequality that every accepted configuration satisfies on its objects. That these break no rule the program
// sees to itself.
type promise struct {
	name string
	// broken returns what does not hold.
	broken func(*site) []string
	// spoil makes the production stack break the promise.
	spoil func(*site)
}

var promises = []promise{
	{"workers fit in memory", workersBeyondMemory, replaced("MaxRequestWorkers 5", "MaxRequestWorkers 15")},
	{"a picture fits in memory", workersBeyondMemory, replaced("PICTURE_MEMORY = 268435456", "PICTURE_MEMORY = 570425345")},
	{"a request fits in memory", requestBeyondMemory, replaced("memory_limit 268435456", "memory_limit 738197505")},
	{"uploads fit", uploadBeyondDisk, replaced("upload_max_filesize = 67108864", "upload_max_filesize = 1006632961")},
	{"body limits agree", unequalBodies, replaced("post_max_size = 68157440", "post_max_size = 68157439")},
	{"requests end in time", unequalTimes, replaced("max_execution_time = 30", "max_execution_time = 31")},
	{"connections are enough", missingConnections, replaced("max_connections = 151", "max_connections = 44")},
	{"the buffer pool fits", poolBeyondMemory, replaced("innodb_buffer_pool_size = 402653184", "innodb_buffer_pool_size = 1073741824")},
	{"pods are in range", podsOutOfRange, func(s *site) { s.autoscaler.Spec.MaxReplicas = 2 }},
	{"updates begin", stuckUpdate, func(s *site) { s.deployment.Spec.Strategy.RollingUpdate.MaxSurge = new(intstr.FromString("0%")) }},
	{"updates keep a pod", updateOfAll, func(s *site) { s.deployment.Spec.Strategy.RollingUpdate.MaxUnavailable = new(intstr.FromInt32(3)) }},
	{"nodes can be drained", stuckDrain, func(s *site) { s.budget.Spec.MaxUnavailable = new(intstr.FromInt32(0)) }},
	{"content is shared", contentOfOne, func(s *site) { s.content.Spec.AccessModes[0] = corev1.ReadWriteOnce }},
	{"addresses agree", unequalAddresses, replaced("'https://", "'http://")},
	{"the certificate is of the site", otherCertificate, func(s *site) { s.route.Spec.TLS.Domains[0].Main = "*.wordpress.example.com" }},
	{"the network is closed", openNetwork, func(s *site) { s.objects = withoutPolicies(s.objects) }},
	{"production is protected", unprotected, func(s *site) { s.registrations = withoutProtection(s.registrations) }},
}

func replaced(old, replacement string) func(*site) {
	return func(s *site) { s.files = strings.Replace(s.files, old, replacement, 1) }
}

func withoutPolicies(objects []plan.Object) []plan.Object {
	return slices.DeleteFunc(slices.Clone(objects), func(o plan.Object) bool { return o.Kind() == "NetworkPolicy" })
}

func withoutProtection(registrations []plan.Registration) []plan.Registration {
	registrations = slices.Clone(registrations)
	for i := range registrations {
		registrations[i].Protect = false
	}
	return registrations
}

// A promise that cannot be broken would be none.
func TestPromisesCanBeBroken(t *testing.T) {
	loaded := load(t, "prod", nil)
	accepted, err := config.Load(loaded.values, loaded.secretKeys)
	if err != nil {
		t.Fatal(err)
	}
	registrations := loaded.mustRun(t)
	for _, p := range promises {
		t.Run(p.name, func(t *testing.T) {
			s := newSite(t, accepted, registrations)
			if problems := p.broken(s); problems != nil {
				t.Fatalf("the stack breaks it already: %s", strings.Join(problems, "; "))
			}
			p.spoil(s)
			if p.broken(s) == nil {
				t.Error("what was spoilt is not noticed")
			}
		})
	}
}

// unless is a problem where something does not hold.
func unless(holds bool, format string, args ...any) []string {
	if holds {
		return nil
	}
	return []string{fmt.Sprintf(format, args...)}
}

func workersBeyondMemory(s *site) []string {
	const base, each = 64 << 20, 32 << 20
	workers, picture, memory := s.setting("MaxRequestWorkers"), s.setting("PICTURE_MEMORY"), s.limit(corev1.ResourceMemory)
	return unless(workers > 0 && picture > 0 && base+workers*each+picture <= memory,
		"%d workers and a picture of %d bytes in %d bytes of memory", workers, picture, memory)
}

func requestBeyondMemory(s *site) []string {
	const base = 64 << 20
	request, memory := s.setting("memory_limit"), s.limit(corev1.ResourceMemory)
	return unless(request > 0 && base+request <= memory, "a request of %d bytes in %d bytes of memory", request, memory)
}

func uploadBeyondDisk(s *site) []string {
	const logs = 64 << 20
	volume := s.content.Spec.Resources.Requests[corev1.ResourceStorage]
	upload, disk := s.setting("upload_max_filesize"), s.limit(corev1.ResourceEphemeralStorage)
	return unless(upload > 0 && upload+logs <= disk && upload <= volume.Value(),
		"an upload of %d bytes with %d of disk and %s of content", upload, disk, volume.String())
}

func unequalBodies(s *site) []string {
	body, post, upload := s.setting("LimitRequestBody"), s.setting("post_max_size"), s.setting("upload_max_filesize")
	problems := unless(body > upload && body == post && body < 1<<31,
		"Apache takes a body of %d bytes, PHP one of %d and an upload of %d", body, post, upload)
	return append(problems, s.unequalAtIngress("proxy-body-size", body)...)
}

// unequalAtIngress compares what an Ingress says of a limit with that of the pods, unless the stack has it otherwise.
func (s *site) unequalAtIngress(limit string, pods int64) []string {
	name := "nginx.ingress.kubernetes.io/" + limit
	if _, given := s.accepted.Ingress.Annotations[name]; given || s.ingress == nil {
		return nil
	}
	value := s.ingress.Annotations[name]
	return unless(value == strconv.FormatInt(pods, 10), "the ingress has %s %q, and the pods %d", limit, value, pods)
}

// unequalTimes compares the limits of Apache and PHP with each other and with the liveness probe. The rule drain has
// compared them with the grace period.
func unequalTimes(s *site) []string {
	apache, php, stop := s.setting("Timeout"), s.setting("max_execution_time"), s.setting("GracefulShutdownTimeout")
	problems := unless(php > 0 && apache == php && stop == php,
		"Apache waits %d s, and %d s to stop; PHP runs for %d s", apache, stop, php)
	problems = append(problems, s.unequalAtIngress("proxy-read-timeout", php)...)
	if probe := s.deployment.Spec.Template.Spec.Containers[0].LivenessProbe; probe != nil {
		patience := int64(probe.PeriodSeconds) * int64(probe.FailureThreshold)
		problems = append(problems, unless(patience == limits.LivenessSeconds && php < patience,
			"a request may take %d s, and the liveness probe waits for %d s", php, patience)...)
	}
	return problems
}

func missingConnections(s *site) []string {
	if s.server == nil {
		return nil
	}
	_, greatest := s.pods()
	needed := int64(greatest+s.surge())*s.setting("MaxRequestWorkers") + limits.ConnectionReserve
	offered := s.setting("max_connections")
	return unless(offered >= needed, "%d connections for %d", offered, needed)
}

// poolBeyondMemory leaves MySQL 512 MiB for itself and 768 KiB for each connection.
func poolBeyondMemory(s *site) []string {
	const server, each = 512 << 20, 768 << 10
	if s.server == nil {
		return nil
	}
	pool, connections := s.setting("innodb_buffer_pool_size"), s.setting("max_connections")
	limit := s.server.Spec.Template.Spec.Containers[0].Resources.Limits[corev1.ResourceMemory]
	return unless(pool > 0 && pool+server+connections*each <= limit.Value(),
		"a buffer pool of %d bytes and %d connections in %s of memory", pool, connections, limit.String())
}

// podsOutOfRange also holds the target against what a pod can reach: it uses no more than its request, and the
// autoscaler acts on more than a tenth above the target.
func podsOutOfRange(s *site) []string {
	least, greatest := s.pods()
	problems := unless(1 <= least && least <= greatest, "from %d to %d pods", least, greatest)
	if s.autoscaler != nil {
		target := *s.autoscaler.Spec.Metrics[0].Resource.Target.AverageUtilization
		problems = append(problems, unless(0 < target && target*11 < 1000, "no pod can be busier than %d percent by a tenth", target)...)
	}
	return problems
}

func stuckUpdate(s *site) []string {
	update := s.deployment.Spec.Strategy.RollingUpdate
	isNothing := func(value *intstr.IntOrString) bool { return scaled(value, 100, true) == 0 }
	return unless(!isNothing(update.MaxSurge) || !isNothing(update.MaxUnavailable), "an update can neither add a pod nor take one away")
}

func updateOfAll(s *site) []string {
	least, _ := s.pods()
	gone := scaled(s.deployment.Spec.Strategy.RollingUpdate.MaxUnavailable, least, false)
	return unless(gone >= 0 && (least == 1 || gone < least), "an update takes %d of %d pods", gone, least)
}

func stuckDrain(s *site) []string {
	least, _ := s.pods()
	evictable := scaled(s.budget.Spec.MaxUnavailable, least, true)
	return unless(evictable >= 1 && (least == 1 || evictable < least), "%d of %d pods can be evicted", evictable, least)
}

func contentOfOne(s *site) []string {
	_, greatest := s.pods()
	isShared := slices.Contains(s.content.Spec.AccessModes, corev1.ReadWriteMany)
	return unless(isShared || greatest+s.surge() == 1, "%d pods and %d in an update share a volume for one", greatest, s.surge())
}

// unequalAddresses compares WordPress's own URL with what the edge serves: host, and scheme by certificate.
func unequalAddresses(s *site) []string {
	match := regexp.MustCompile(`define\('WP_HOME', '(https?)://([^']*)'\);`).FindStringSubmatch(s.files)
	if match == nil {
		return []string{"WordPress does not know its URL"}
	}
	scheme, host := match[1], match[2]
	problems := unless(host == s.accepted.Site.Host, "WordPress calls itself %s", host)
	if s.route != nil {
		serves := fmt.Sprintf("Host(`%s`)", host)
		problems = append(problems, unless(s.route.Spec.Routes[0].Match == serves, "the route matches %s", s.route.Spec.Routes[0].Match)...)
		problems = append(problems, unless((s.route.Spec.TLS != nil) == (scheme == "https"), "the route has no certificate for %s", scheme)...)
	}
	isRedirected := slices.ContainsFunc(s.objects, func(o plan.Object) bool { return strings.Contains(o.Name(), "redirect") })
	return append(problems, unless(!isRedirected || scheme == "https", "a redirect leads to %s", scheme)...)
}

// otherCertificate asks the standard library, which checks a host as browsers do.
func otherCertificate(s *site) []string {
	if s.route == nil || s.route.Spec.TLS == nil || len(s.route.Spec.TLS.Domains) == 0 {
		return nil
	}
	var certificate x509.Certificate
	for _, domain := range s.route.Spec.TLS.Domains {
		certificate.DNSNames = append(certificate.DNSNames, domain.Main)
	}
	if err := certificate.VerifyHostname(s.accepted.Site.Host); err != nil {
		return []string{err.Error()}
	}
	return nil
}

// openNetwork wants every pod of the namespace isolated. What is allowed beside is for the rule network-policy.
func openNetwork(s *site) []string {
	if !*s.accepted.Network.Enabled {
		return nil
	}
	isDenied := false
	for _, object := range s.objects {
		spec, _ := object["spec"].(map[string]any)
		if object.Kind() != "NetworkPolicy" || spec == nil {
			continue
		}
		if selector, _ := spec["podSelector"].(map[string]any); len(selector) == 0 {
			isDenied = len(spec["policyTypes"].([]any)) == 2 && spec["ingress"] == nil && spec["egress"] == nil
		}
	}
	return unless(isDenied, "no policy isolates every pod of the namespace in both directions")
}

func unprotected(s *site) []string {
	if s.accepted.Profile != config.Production {
		return nil
	}
	least, _ := s.pods()
	problems := unless(least > 1, "production runs %d pod", least)
	for _, r := range s.registrations {
		holdsData := strings.HasSuffix(r.Type, ":Namespace") || strings.HasSuffix(r.Type, ":PersistentVolumeClaim")
		problems = append(problems, unless(!r.Kubernetes() || !holdsData || r.Protect, "%s is not protected", r.URN)...)
	}
	return problems
}
