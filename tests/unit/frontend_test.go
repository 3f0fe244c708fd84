package unit_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"

	"wordpress-on-kubernetes/components/frontend"
	"wordpress-on-kubernetes/components/pod"
)

// wordpress are valid args of a frontend whose number of pods an autoscaler owns.
func wordpress(changes ...func(*frontend.Args)) *frontend.Args {
	args := &frontend.Args{
		Namespace: namespaceInput, Instance: instance,
		SiteURL: "https://www.example.com", Image: "wordpress:7.1.4-php8.3-apache", ImagePullPolicy: "Always",
		User: someUser, Resources: someResources(), Workers: 6, RequestMemoryBytes: 128 << 20, PictureMemoryBytes: 256 << 20,
		MaxUploadBytes: 64 << 20, MaxRequestSeconds: 30,
		MaxSurge: "1", MaxUnavailable: "0", DisruptionBudget: "1",
		DrainSeconds: 20, TerminationGracePeriodSeconds: 60, ServiceType: "ClusterIP",
		ContentClaim: pulumi.String("content"),
		Database: frontend.DatabaseArgs{
			Host: pulumi.String("db:3306"), Name: "blog", User: "author",
			SecretName: pulumi.String("db-secret"), PasswordKey: "dbpwd",
		},
		AuthSecret: aSecret("what-the-keys-derive-from"),
	}
	for _, change := range changes {
		change(args)
	}
	return args
}

func frontendProgram(args *frontend.Args) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		component, err := frontend.New(ctx, "web", args)
		if err != nil {
			return err
		}
		if err := component.Publish(nil); err != nil {
			return err
		}
		return expose(ctx, pulumi.StringMap{
			"deployment": component.Deployment, "service": component.Service,
			"authSecretName": component.AuthSecretName, "qosClass": component.QoSClass,
		})
	}
}

func runFrontend(t *testing.T, changes ...func(*frontend.Args)) planned {
	t.Helper()
	return run(t, frontendProgram(wordpress(changes...)))
}

func deployment(p planned) appsv1.Deployment {
	p.t.Helper()
	return get[appsv1.Deployment](p, "Deployment", "wordpress")
}

func site(p planned) corev1.Container {
	p.t.Helper()
	return deployment(p).Spec.Template.Spec.Containers[0]
}

// siteFile is a file that the pods run with.
func siteFile(p planned, name string) string {
	p.t.Helper()
	text, found := get[corev1.ConfigMap](p, "ConfigMap", "wordpress").Data[name]
	if !found {
		p.t.Fatalf("the ConfigMap has no %s", name)
	}
	return text
}

func TestFrontendRegistersItsObjects(t *testing.T) {
	p := runFrontend(t)
	p.wantObjects("ConfigMap wordpress", "Deployment wordpress", "PodDisruptionBudget wordpress",
		"Secret wordpress-auth", "Service wordpress")
	p.wantOutputs(map[string]string{
		"deployment": "wordpress", "service": "wordpress", "authSecretName": "wordpress-auth", "qosClass": "Guaranteed",
	})
}

func TestAutoscaledFrontendLeavesTheNumberOfPodsAlone(t *testing.T) {
	p := runFrontend(t)
	if replicas := deployment(p).Spec.Replicas; replicas != nil {
		t.Errorf("replicas is %d, want none", *replicas)
	}
	if got := p.registration("Deployment", "wordpress").IgnoreChanges; !slices.Equal(got, []string{"spec.replicas"}) {
		t.Errorf("ignored changes are %q, want spec.replicas", got)
	}
}

func TestFixedNumberOfPodsIsEnforced(t *testing.T) {
	p := runFrontend(t, func(a *frontend.Args) { a.Replicas = new(5) })
	if replicas := deployment(p).Spec.Replicas; replicas == nil || *replicas != 5 {
		t.Errorf("replicas is %v, want 5", replicas)
	}
	if got := p.registration("Deployment", "wordpress").IgnoreChanges; len(got) != 0 {
		t.Errorf("changes of %q are ignored, want none", got)
	}
}

func TestRollingUpdateTakesCountsAndPercentages(t *testing.T) {
	for _, row := range []struct {
		value string
		want  intstr.IntOrString
	}{{"2", intstr.FromInt32(2)}, {"25%", intstr.FromString("25%")}} {
		p := runFrontend(t, func(a *frontend.Args) {
			a.MaxSurge, a.MaxUnavailable, a.DisruptionBudget = row.value, row.value, row.value
		})
		rolling := deployment(p).Spec.Strategy.RollingUpdate
		budget := get[policyv1.PodDisruptionBudget](p, "PodDisruptionBudget", "wordpress").Spec.MaxUnavailable
		for _, got := range []*intstr.IntOrString{rolling.MaxSurge, rolling.MaxUnavailable, budget} {
			if *got != row.want {
				t.Errorf("%q becomes %#v, want %#v", row.value, *got, row.want)
			}
		}
	}
}

func TestSpreadIsPreferredUnlessItIsRequired(t *testing.T) {
	spec := deployment(runFrontend(t)).Spec.Template.Spec
	if len(spec.TopologySpreadConstraints) != 2 {
		t.Errorf("got %d constraints, want those of zones and nodes", len(spec.TopologySpreadConstraints))
	}
	apart := spec.Affinity.PodAntiAffinity
	preferred := apart.PreferredDuringSchedulingIgnoredDuringExecution
	if len(apart.RequiredDuringSchedulingIgnoredDuringExecution) != 0 || len(preferred) != 1 ||
		preferred[0].PodAffinityTerm.TopologyKey != corev1.LabelHostname {
		t.Errorf("got the anti-affinity %v, want a preference for other nodes alone", apart)
	}
	for _, constraint := range spec.TopologySpreadConstraints {
		if constraint.WhenUnsatisfiable != corev1.ScheduleAnyway {
			t.Errorf("the spread over %s is not a preference", constraint.TopologyKey)
		}
	}
	required := deployment(runFrontend(t, func(a *frontend.Args) { a.RequireSpread = true }))
	terms := required.Spec.Template.Spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution
	if len(terms) != 1 || terms[0].TopologyKey != corev1.LabelHostname ||
		!maps.Equal(terms[0].LabelSelector.MatchLabels, required.Spec.Selector.MatchLabels) {
		t.Errorf("a required spread has the terms %v, want one that keeps the Deployment's pods on nodes of their own", terms)
	}
}

func TestPullPolicyIsThatOfTheArgs(t *testing.T) {
	const policy = corev1.PullIfNotPresent
	server := standalone()
	server.Server.ImagePullPolicy = string(policy)
	for _, spec := range []corev1.PodSpec{
		deployment(runFrontend(t, func(a *frontend.Args) { a.ImagePullPolicy = string(policy) })).Spec.Template.Spec,
		get[appsv1.StatefulSet](run(t, databaseProgram(server)), "StatefulSet", "wordpress-mysql").Spec.Template.Spec,
	} {
		for _, container := range slices.Concat(spec.InitContainers, spec.Containers) {
			if container.ImagePullPolicy != policy {
				t.Errorf("container %s has the pull policy %q, want %q", container.Name, container.ImagePullPolicy, policy)
			}
		}
	}
}

func TestLostNodeIsLeftSoon(t *testing.T) {
	tolerations := deployment(runFrontend(t)).Spec.Template.Spec.Tolerations
	for _, taint := range []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable} {
		soon := slices.ContainsFunc(tolerations, func(toleration corev1.Toleration) bool {
			return toleration.Key == taint && toleration.Effect == corev1.TaintEffectNoExecute &&
				toleration.TolerationSeconds != nil && *toleration.TolerationSeconds == 0
		})
		if !soon {
			t.Errorf("%s is not tolerated for no time at all: %v", taint, tolerations)
		}
	}
}

func TestDrainComesBeforeTheStop(t *testing.T) {
	if sleep := site(runFrontend(t)).Lifecycle.PreStop.Sleep; sleep.Seconds != 20 {
		t.Errorf("the pod drains for %d s, want 20", sleep.Seconds)
	}
	if lifecycle := site(runFrontend(t, func(a *frontend.Args) { a.DrainSeconds = 0 })).Lifecycle; lifecycle != nil {
		t.Errorf("without a drain the lifecycle is %v, want none", lifecycle)
	}
}

func TestLivenessProbeIsOffUnlessAskedFor(t *testing.T) {
	container := site(runFrontend(t))
	if container.LivenessProbe != nil || container.ReadinessProbe == nil || container.StartupProbe == nil {
		t.Errorf("got the probes liveness %v, readiness %v and startup %v, want the last two",
			container.LivenessProbe, container.ReadinessProbe, container.StartupProbe)
	}
	alive := site(runFrontend(t, func(a *frontend.Args) { a.LivenessProbe = true })).LivenessProbe
	if alive == nil || alive.TCPSocket == nil || alive.TCPSocket.Port != container.ReadinessProbe.TCPSocket.Port {
		t.Errorf("liveness probe is %v, want one of the same port as readiness", alive)
	}
	if patience := alive.PeriodSeconds * alive.FailureThreshold; patience < 60 {
		t.Errorf("a pod is restarted after %d s, sooner than a queue of slow pages clears", patience)
	}
}

func TestServiceIsOfTheTypeAskedFor(t *testing.T) {
	for _, row := range []struct {
		kind string
		port int
	}{{"ClusterIP", 0}, {"NodePort", 0}, {"NodePort", 30012}} {
		p := runFrontend(t, func(a *frontend.Args) { a.ServiceType, a.NodePort = row.kind, row.port })
		spec := get[corev1.Service](p, "Service", "wordpress").Spec
		if string(spec.Type) != row.kind || int(spec.Ports[0].NodePort) != row.port {
			t.Errorf("got type %s and node port %d, want %s and %d", spec.Type, spec.Ports[0].NodePort, row.kind, row.port)
		}
	}
}

// A controller's annotations come beside the program's own, and never in its place.
func TestServiceIsAnnotated(t *testing.T) {
	given := map[string]string{"cloud.google.com/backend-config": "{}"}
	p := runFrontend(t, func(a *frontend.Args) { a.ServiceAnnotations = given })
	want := map[string]string{"cloud.google.com/backend-config": "{}", "pulumi.com/skipAwait": "true"}
	if got := get[corev1.Service](p, "Service", "wordpress").Annotations; !maps.Equal(got, want) {
		t.Errorf("got the annotations %v, want %v", got, want)
	}
	if len(given) != 1 {
		t.Error("the caller's map was changed")
	}
}

func TestDatabaseIsReachedAsConfigured(t *testing.T) {
	environment := map[string]string{}
	for _, variable := range site(runFrontend(t)).Env {
		environment[variable.Name] = variable.Value
	}
	for name, want := range map[string]string{
		"WORDPRESS_DB_HOST": "db:3306", "WORDPRESS_DB_NAME": "blog", "WORDPRESS_DB_USER": "author",
		"WORDPRESS_DB_PASSWORD_FILE": "/etc/wordpress/secrets/dbpwd",
	} {
		if environment[name] != want {
			t.Errorf("%s is %q, want %q", name, environment[name], want)
		}
	}
}

// A mounted folder follows a changed Secret, and PHP's cache of paths does not: requests would find no password. A mounted file stays.
func TestSecretsAreMountedOneByOne(t *testing.T) {
	mounted := map[string]bool{}
	for _, mount := range site(runFrontend(t)).VolumeMounts {
		if mount.Name != "secrets" {
			continue
		}
		if mount.SubPath == "" || mount.MountPath != "/etc/wordpress/secrets/"+mount.SubPath || !mount.ReadOnly {
			t.Errorf("mount of %q at %s, read-only %t; want a single file", mount.SubPath, mount.MountPath, mount.ReadOnly)
		}
		mounted[mount.MountPath] = true
	}
	files := 0
	for _, variable := range site(runFrontend(t)).Env {
		if strings.HasSuffix(variable.Name, "_FILE") {
			files++
			if !mounted[variable.Value] {
				t.Errorf("%s is %s, which is not mounted", variable.Name, variable.Value)
			}
		}
	}
	if files != len(mounted) || files != 9 {
		t.Errorf("%d variables name files, and %d are mounted, want the password, four keys and four salts", files, len(mounted))
	}
}

func TestExistingAuthSecretIsUsedAsItIs(t *testing.T) {
	p := runFrontend(t, func(a *frontend.Args) { a.AuthSecret, a.ExistingAuthSecret = nil, "from-the-vault" })
	p.wantObjects("ConfigMap wordpress", "Deployment wordpress", "PodDisruptionBudget wordpress", "Service wordpress")
	if got := p.outputs()["authSecretName"]; got != "from-the-vault" {
		t.Errorf("authSecretName is %q", got)
	}
	template := deployment(p).Spec.Template
	if _, found := template.Annotations[pod.ChecksumAnnotation+"keys"]; found {
		t.Error("there is a checksum of keys that the program does not see")
	}
	named := func(v corev1.Volume) bool {
		return v.Projected != nil && slices.ContainsFunc(v.Projected.Sources, func(s corev1.VolumeProjection) bool {
			return s.Secret.Name == "from-the-vault" && len(s.Secret.Items) == 8
		})
	}
	if !slices.ContainsFunc(template.Spec.Volumes, named) {
		t.Error("the pods do not mount the eight keys of the existing Secret")
	}
}

// A changed password rolls the pods, and what the pods carry tells nobody whether a guess is right.
func TestChangedPasswordRollsThePods(t *testing.T) {
	with := func(password, auth string) func(*frontend.Args) {
		return func(a *frontend.Args) {
			a.Database.Password = aSecret(password)
			if a.AuthSecret = aSecret(auth); auth == "" {
				a.AuthSecret, a.ExistingAuthSecret = nil, "from-the-vault"
			}
		}
	}
	seen := map[string]string{}
	for name, change := range map[string]func(*frontend.Args){
		"one": with("a-password", "a-key"), "another": with("b-password", "a-key"), "another key": with("a-password", "b-key"),
		"no key": with("a-password", ""), "another without a key": with("b-password", ""),
	} {
		checksum := deployment(runFrontend(t, change)).Spec.Template.Annotations[frontend.PasswordAnnotation]
		if again := deployment(runFrontend(t, change)).Spec.Template.Annotations[frontend.PasswordAnnotation]; again != checksum {
			t.Errorf("%s: the checksum changes from run to run", name)
		}
		if other, known := seen[checksum]; known || len(checksum) != 64 {
			t.Errorf("%s: the checksum is %q, that of %q too", name, checksum, other)
		}
		seen[checksum] = name
		for _, guess := range []string{"a-password", "b-password"} {
			if plain := sha256.Sum256([]byte(guess)); checksum == hex.EncodeToString(plain[:]) {
				t.Errorf("%s: the checksum is the plain one of the password", name)
			}
		}
	}
	if _, found := deployment(runFrontend(t)).Spec.Template.Annotations[frontend.PasswordAnnotation]; found {
		t.Error("there is a checksum of a password that the program does not see")
	}
}

func authKeys(p planned) map[string]string {
	p.t.Helper()
	return get[corev1.Secret](p, "Secret", "wordpress-auth").StringData
}

func TestEightDistinctKeysDeriveFromOneSecret(t *testing.T) {
	p := runFrontend(t)
	keys := authKeys(p)
	if len(keys) != 8 {
		t.Fatalf("got %d keys and salts, want 8", len(keys))
	}
	names := map[string]string{}
	for name, key := range keys {
		if len(key) != 64 || strings.ContainsAny(key, "'\\\n ") {
			t.Errorf("%s has %d characters, or some that PHP or a file would change; want 64", name, len(key))
		}
		if other, taken := names[key]; taken {
			t.Errorf("%s and %s are the same", name, other)
		}
		names[key] = name
	}
	if !p.registration("Secret", "wordpress-auth").Inputs["stringData"].IsSecret() {
		t.Error("the keys are not marked as secret")
	}
}

// A change of the derivation would log everybody out. The wanted key is that of another implementation of RFC 5869,
// with SHA-256, no salt, 48 bytes and the purpose "wordpress AUTH_KEY".
func TestKeysAreThoseOfEarlierReleases(t *testing.T) {
	const want = "tv+QmeAJUwCqkqJ29ER58se/z0TES7xm5IAztuSfdry2hfvnr/b2qjUALKU8X8Hn"
	if got := authKeys(runFrontend(t))["AUTH_KEY"]; got != want {
		t.Errorf("AUTH_KEY is %q, want %q", got, want)
	}
}

func TestKeysAreTheSameOnEveryRunAndNewWithANewSecret(t *testing.T) {
	first, second := authKeys(runFrontend(t)), authKeys(runFrontend(t))
	if !maps.Equal(first, second) {
		t.Error("the same secret makes different keys")
	}
	rotated := authKeys(runFrontend(t, func(a *frontend.Args) { a.AuthSecret = aSecret("what-the-keys-derive-from.") }))
	for name, key := range rotated {
		if key == first[name] {
			t.Errorf("%s is the same after the secret changed", name)
		}
	}
}

// versions are what makes the pods roll: the ConfigMap that they mount, and the checksum of the keys.
func versions(p planned) map[string]string {
	p.t.Helper()
	template := deployment(p).Spec.Template
	return map[string]string{
		"config": mountedConfigMap(p.t, template.Spec),
		"keys":   template.Annotations[pod.ChecksumAnnotation+"keys"],
	}
}

func TestPodsRollOnlyForWhatTheyReadAtTheStart(t *testing.T) {
	before := versions(runFrontend(t))
	const config, keys = "config", "keys"
	if before[keys] == "" {
		t.Fatal("the pods have no checksum of the keys")
	}
	for name, row := range map[string]struct {
		change  func(*frontend.Args)
		changed []string
	}{
		"site URL":    {func(a *frontend.Args) { a.SiteURL = "https://example.org" }, []string{config}},
		"workers":     {func(a *frontend.Args) { a.Workers = 7 }, []string{config}},
		"upload size": {func(a *frontend.Args) { a.MaxUploadBytes++ }, []string{config}},
		"time limit":  {func(a *frontend.Args) { a.MaxRequestSeconds = 29 }, []string{config}},
		"auth secret": {func(a *frontend.Args) { a.AuthSecret = aSecret("rotated") }, []string{keys}},
		"disruption":  {func(a *frontend.Args) { a.DisruptionBudget = "2" }, nil},
		"replicas":    {func(a *frontend.Args) { a.Replicas = new(4) }, nil},
		"node port":   {func(a *frontend.Args) { a.ServiceType = "NodePort" }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			after := versions(runFrontend(t, row.change))
			var changed []string
			for key := range before {
				if after[key] != before[key] {
					changed = append(changed, key)
				}
			}
			if !slices.Equal(changed, row.changed) {
				t.Errorf("changed %q, want %q", changed, row.changed)
			}
		})
	}
}

func TestLimitsOfARequestAgreeEverywhere(t *testing.T) {
	p := runFrontend(t)
	for file, lines := range map[string][]string{
		"php.ini":   {"upload_max_filesize = 67108864", "post_max_size = 68157440", "max_execution_time = 30"},
		"site.conf": {"MaxRequestWorkers 6", "ServerLimit 6", "Timeout 30", "GracefulShutdownTimeout 30", "LimitRequestBody 68157440"},
	} {
		text := siteFile(p, file)
		for _, line := range lines {
			if !regexp.MustCompile(`(?m)^\s*` + regexp.QuoteMeta(line) + `$`).MatchString(text) {
				t.Errorf("%s lacks the line %q", file, line)
			}
		}
	}
}

func TestNoPlaceholderOfATemplateIsLeft(t *testing.T) {
	for name, text := range get[corev1.ConfigMap](runFrontend(t), "ConfigMap", "wordpress").Data {
		if strings.Contains(text, "{{") || strings.Contains(text, "<no value>") {
			t.Errorf("%s holds an unfilled placeholder:\n%s", name, text)
		}
	}
}

// wp-config.php is a program: whatever the address holds, it must stay text.
func TestSiteURLCannotBecomePHP(t *testing.T) {
	for _, url := range []string{
		`https://www.example.com`,
		`https://x'); system('id'); //`,
		`https://x\`,
		`https://x\'); system('id'); //`,
		`https://x\\'`,
		`https://{$x}$y?><?php`,
		"https://x\n'",
	} {
		text := siteFile(runFrontend(t, func(a *frontend.Args) { a.SiteURL = url }), "wp-config.php")
		_, rest, found := strings.Cut(text, "define('WP_HOME', ")
		literal, after, closed := phpLiteral(rest)
		if !found || !closed || literal != url || !strings.HasPrefix(after, ");\ndefine('WP_SITEURL', WP_HOME);\n") {
			t.Errorf("%q becomes the literal %q, followed by %.60q", url, literal, after)
		}
	}
}

// Where nothing is let out, a request would otherwise wait for its time limit.
func TestOutgoingRequestsAreGivenUpWhereNothingIsLetOut(t *testing.T) {
	for name, row := range map[string]struct {
		outgoing frontend.OutgoingArgs
		blocked  bool
		ports    string
	}{
		"nothing":    {frontend.OutgoingArgs{}, true, "null"},
		"everything": {frontend.OutgoingArgs{IsOpen: true}, false, "null"},
		"two ports":  {frontend.OutgoingArgs{Ports: []int{443, 9200}}, false, "[443, 9200]"},
	} {
		all := runFrontend(t, func(a *frontend.Args) { a.Outgoing = row.outgoing })
		if got := strings.Contains(siteFile(all, "wp-config.php"), "\ndefine('WP_HTTP_BLOCK_EXTERNAL', true);\n"); got != row.blocked {
			t.Errorf("%s: outgoing requests are blocked: %t, want %t", name, got, row.blocked)
		}
		if text := siteFile(all, "requests.php"); !strings.Contains(text, "$open = "+row.ports+";") {
			t.Errorf("%s: want the ports %s:\n%s", name, row.ports, text)
		}
	}
}

func TestProxyIsToldToWordPress(t *testing.T) {
	for bypass, want := range map[string]string{"": "", "a.example.com *.example.org": "define('WP_PROXY_BYPASS_HOSTS', 'a.example.com, *.example.org');\n"} {
		text := siteFile(runFrontend(t, func(a *frontend.Args) {
			a.Outgoing = frontend.OutgoingArgs{Ports: []int{3128}, Proxy: &frontend.ProxyArgs{Host: "10.1.2.3", Port: 3128, Bypass: strings.Fields(bypass)}}
		}), "wp-config.php")
		if !strings.Contains(text, "define('WP_PROXY_HOST', '10.1.2.3');\ndefine('WP_PROXY_PORT', '3128');\n"+want) {
			t.Errorf("bypass %q:\n%s", bypass, text)
		}
	}
}

// Hooks must be there before WordPress is loaded, whose functions are not there yet.
func TestHooksAreThereBeforeWordPress(t *testing.T) {
	all := runFrontend(t)
	text := siteFile(all, "wp-config.php")
	load := strings.Index(text, "wp-config-docker.php'")
	for _, key := range []string{"requests.php", "updates.php"} {
		hooks := strings.Index(text, "require '/etc/wordpress/"+key+"'")
		if hooks < 0 || load < hooks || strings.Contains(siteFile(all, key), "add_filter") {
			t.Errorf("%s does not come before WordPress:\n%s", key, text)
		}
	}
	if !strings.Contains(siteFile(all, "requests.php"), "'http://localhost:8080'") {
		t.Error("the site's requests to itself are led to no pod")
	}
}

// The expression is WP-CLI's: it loads WordPress by itself, in place of the line, and takes no file that has none.
func TestConfigurationIsOneThatWPCLITakes(t *testing.T) {
	lines := regexp.MustCompile(`(?m)^\s*require.+wp-settings\.php.*$`).FindAllString(siteFile(runFrontend(t), "wp-config.php"), -1)
	if len(lines) != 1 {
		t.Errorf("%d lines load wp-settings.php, want 1", len(lines))
	}
}

// phpLiteral reads a single-quoted literal as PHP does: a backslash stands for itself, except before a quote
// or another backslash.
func phpLiteral(source string) (literal, after string, closed bool) {
	if !strings.HasPrefix(source, "'") {
		return "", source, false
	}
	var text strings.Builder
	for i := 1; i < len(source); i++ {
		switch {
		case source[i] == '\'':
			return text.String(), source[i+1:], true
		case source[i] == '\\' && i+1 < len(source) && strings.IndexByte(`'\`, source[i+1]) >= 0:
			i++
		}
		text.WriteByte(source[i])
	}
	return text.String(), "", false
}

func TestPodsStartAfterWhatTheyWaitFor(t *testing.T) {
	const count = 20
	for range count {
		p := run(t, func(ctx *pulumi.Context) error {
			first, err := newConfigMap(ctx, "first", nil)
			if err != nil {
				return err
			}
			args := wordpress(func(a *frontend.Args) { a.After = []pulumi.Resource{first} })
			return frontendProgram(args)(ctx)
		})
		first := p.registration("ConfigMap", "first").URN
		if got := p.registration("Deployment", "wordpress").DependsOn; !slices.Contains(got, first) {
			t.Fatalf("the Deployment waits for %q, want %s too", got, first)
		}
		if got := p.registration("Service", "wordpress").DependsOn; slices.Contains(got, first) {
			t.Fatalf("the Service waits for %q, want it at once", got)
		}
	}
}

func TestFrontendRefusesIncompleteArgs(t *testing.T) {
	for name, row := range map[string]struct {
		spoil func(*frontend.Args)
		want  string
	}{
		"no namespace":    {func(a *frontend.Args) { a.Namespace = nil }, "namespace, instance, site URL and image are required"},
		"no instance":     {func(a *frontend.Args) { a.Instance = "" }, "namespace, instance, site URL and image are required"},
		"no URL":          {func(a *frontend.Args) { a.SiteURL = "" }, "namespace, instance, site URL and image are required"},
		"no image":        {func(a *frontend.Args) { a.Image = "" }, "namespace, instance, site URL and image are required"},
		"no pull policy":  {func(a *frontend.Args) { a.ImagePullPolicy = "" }, "an image pull policy is required"},
		"no claim":        {func(a *frontend.Args) { a.ContentClaim = nil }, "content claim, database host and database secret"},
		"no host":         {func(a *frontend.Args) { a.Database.Host = nil }, "content claim, database host and database secret"},
		"no secret":       {func(a *frontend.Args) { a.Database.SecretName = nil }, "content claim, database host and database secret"},
		"no auth secret":  {func(a *frontend.Args) { a.AuthSecret = nil }, "either an auth secret or an existing secret"},
		"two secrets":     {func(a *frontend.Args) { a.ExistingAuthSecret = "s" }, "either an auth secret or an existing secret"},
		"no workers":      {func(a *frontend.Args) { a.Workers = 0 }, "must be above 0"},
		"no picture":      {func(a *frontend.Args) { a.PictureMemoryBytes = 0 }, "must be above 0"},
		"no upload":       {func(a *frontend.Args) { a.MaxUploadBytes = 0 }, "must be above 0"},
		"no request time": {func(a *frontend.Args) { a.MaxRequestSeconds = 0 }, "must be above 0"},
		"less than none":  {func(a *frontend.Args) { a.Proxies = -1 }, "there are -1 proxies before the edge"},
		"no time to stop": {
			func(a *frontend.Args) { a.TerminationGracePeriodSeconds = 50 },
			"a drain of 20 s and a request of 30 s do not fit in a grace period of 50 s",
		},
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, frontendProgram(wordpress(row.spoil)), `frontend "web"`, row.want)
		})
	}
}

// The file system of the image is read-only and Apache's user is not root: it can write nowhere else.
func TestWritablePathsAreVolumes(t *testing.T) {
	writable := map[string]bool{}
	for _, mount := range site(runFrontend(t)).VolumeMounts {
		if !mount.ReadOnly {
			writable[mount.MountPath] = true
		}
	}
	want := []string{"/tmp", "/usr/src/wordpress/wp-content", "/var/lock/apache2", "/var/run/apache2"}
	if got := slices.Sorted(maps.Keys(writable)); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("writable paths are %q, want %q", got, want)
	}
}

// What PHP makes of these flags is tried with a real server by TestExternalDatabaseIsVerified.
func TestConnectionsToTheDatabaseAreEncryptedAsAsked(t *testing.T) {
	tests := map[string]struct {
		tls   *frontend.DatabaseTLSArgs
		flags string
	}{
		"plain":      {nil, "0"},
		"unverified": {&frontend.DatabaseTLSArgs{}, "MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT"},
		"verified":   {&frontend.DatabaseTLSArgs{Verify: true}, "MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_VERIFY_SERVER_CERT"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := runFrontend(t, func(args *frontend.Args) { args.Database.TLS = test.tls })
			if !strings.Contains(siteFile(p, "connect.php"), "\t\t"+test.flags+"\n\t);") {
				t.Errorf("the startup probe does not connect with %s", test.flags)
			}
			want := test.tls != nil
			if got := strings.Contains(siteFile(p, "wp-config.php"), "define('MYSQL_CLIENT_FLAGS', "+test.flags+");"); got != want {
				t.Errorf("WordPress connects with %s: %t, want %t", test.flags, got, want)
			}
			if strings.Contains(siteFile(p, "php.ini"), "openssl.") {
				t.Error("PHP trusts other authorities than the image's")
			}
		})
	}
}

func TestAuthoritiesOfTheDatabaseAreTrustedBesideTheImages(t *testing.T) {
	p := runFrontend(t, func(args *frontend.Args) {
		args.Database.TLS = &frontend.DatabaseTLSArgs{Verify: true, CABundle: "an authority"}
	})
	if got := siteFile(p, "database-ca.crt"); got != "an authority" {
		t.Errorf("the file of authorities holds %q", got)
	}
	const path = "/etc/wordpress/database-ca.crt"
	isIt := func(mount corev1.VolumeMount) bool {
		return mount.MountPath == path && mount.SubPath == "database-ca.crt"
	}
	if !slices.ContainsFunc(site(p).VolumeMounts, isIt) {
		t.Errorf("nothing is mounted at %s", path)
	}
	if !strings.Contains(siteFile(p, "php.ini"), "\nopenssl.cafile = "+path+"\nopenssl.capath = /etc/ssl/certs\n") {
		t.Error("PHP is not told of them, or forgets those of the image")
	}
}

func TestImagesArePulledWithTheNamedSecrets(t *testing.T) {
	names := []string{"one", "two"}
	server := standalone()
	server.Server.ImagePullSecrets = names
	for _, spec := range []corev1.PodSpec{
		deployment(runFrontend(t, func(a *frontend.Args) { a.ImagePullSecrets = names })).Spec.Template.Spec,
		get[appsv1.StatefulSet](run(t, databaseProgram(server)), "StatefulSet", "wordpress-mysql").Spec.Template.Spec,
	} {
		want := []corev1.LocalObjectReference{{Name: "one"}, {Name: "two"}}
		if got := spec.ImagePullSecrets; !slices.Equal(got, want) {
			t.Errorf("the images are pulled with %v, want %v", got, want)
		}
	}
}

func TestFrontendBoundsPictures(t *testing.T) {
	registrations := run(t, frontendProgram(wordpress(func(a *frontend.Args) { a.PictureMemoryBytes = 100 << 20 })))
	container := get[appsv1.Deployment](registrations, "Deployment", "wordpress").Spec.Template.Spec.Containers[0]
	env := map[string]string{}
	for _, variable := range container.Env {
		env[variable.Name] = variable.Value
	}
	for name, want := range map[string]string{
		"MAGICK_MEMORY_LIMIT": "104857600B", "MAGICK_MAP_LIMIT": "0", "MAGICK_DISK_LIMIT": "0", "MAGICK_THREAD_LIMIT": "1",
	} {
		if env[name] != want {
			t.Errorf("%s is %q, want %q", name, env[name], want)
		}
	}
}

func TestFrontendMayUseMoreProcessorTimeThanItAsksFor(t *testing.T) {
	burst := quantity("2")
	for limit, want := range map[*resource.Quantity]string{nil: "Guaranteed", new(quantity("200m")): "Guaranteed", &burst: "Burstable"} {
		args := wordpress(func(a *frontend.Args) { a.Resources.CPULimit = limit })
		if got := args.Resources.QoSClass(); got != want {
			t.Errorf("limit %v: class %s, want %s", limit, got, want)
		}
		spec := get[appsv1.Deployment](run(t, frontendProgram(args)), "Deployment", "wordpress").Spec.Template.Spec
		for _, container := range slices.Concat(spec.InitContainers, spec.Containers) {
			wanted := quantity("200m")
			if limit != nil {
				wanted = *limit
			}
			if got := container.Resources.Limits.Cpu(); got.Cmp(wanted) != 0 || container.Resources.Requests.Cpu().Cmp(quantity("200m")) != 0 {
				t.Errorf("limit %v: %s asks for %s and may use %s", limit, container.Name, container.Resources.Requests.Cpu(), got)
			}
		}
	}
}
