package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumiconfig "github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/guard"
	"wordpress-on-kubernetes/components/plan"
	"wordpress-on-kubernetes/components/rules"
	"wordpress-on-kubernetes/config"
	"wordpress-on-kubernetes/tests/judges"
	"wordpress-on-kubernetes/tests/mocks"
)

var update = flag.Bool("update", false, "write the golden files anew")

// runProgram makes the test's own executable the compiled program.
const runProgram = "TEST_RUN_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(runProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// stacks are those whose files are committed.
var stacks = []string{"dev", "prod"}

// secrets are what a user sets with `pulumi config set --secret`.
var secrets = map[string]string{
	"wordpress:databasePassword":     "the-password-of-the-user",
	"wordpress:databaseRootPassword": "the-password-of-root",
	"wordpress:authSecret":           "what-the-eight-keys-and-salts-derive-from",
	"wordpress:adminPassword":        "the-password-of-the-administrator",
}

// backupSecrets are those of a stack that saves its site.
var backupSecrets = map[string]string{
	"wordpress:backupPassword":  "the-password-of-the-repository",
	"wordpress:backupAccessKey": "the-name-of-the-key",
	"wordpress:backupSecretKey": "the-secret-of-the-storage",
}

// configuration is that of a stack as the engine hands it to the program.
type configuration struct {
	stack      string
	values     map[string]string
	secretKeys []string
}

// load reads a committed stack file and sets overrides by path, as `pulumi config set --path` does.
func load(t testing.TB, stack string, overrides map[string]string) configuration {
	t.Helper()
	project, err := workspace.LoadProject("Pulumi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	settings, err := workspace.LoadProjectStack(nil, project, "Pulumi."+stack+".yaml")
	if err != nil {
		t.Fatal(err)
	}
	for path, value := range overrides {
		key, err := pulumiconfig.ParseKey(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := settings.Config.Set(key, pulumiconfig.NewValue(value), true); err != nil {
			t.Fatal(err)
		}
	}
	decrypted, err := settings.Config.Decrypt(pulumiconfig.NewPanicCrypter())
	if err != nil {
		t.Fatalf("the committed file holds a secret: %v", err)
	}
	loaded := configuration{stack: stack, values: maps.Clone(secrets)}
	for key, value := range decrypted {
		loaded.values[key.String()] = value
		if key.Name() == "backup" {
			maps.Copy(loaded.values, backupSecrets)
		}
	}
	for key := range loaded.values {
		if secrets[key] != "" || backupSecrets[key] != "" {
			loaded.secretKeys = append(loaded.secretKeys, key)
		}
	}
	slices.Sort(loaded.secretKeys)
	return loaded
}

// run runs the program in this process.
func (c configuration) run() ([]plan.Registration, error) {
	values := rawConfiguration{values: c.values, secretKeys: c.secretKeys}
	return mocks.Run(c.stack, values.deploy)
}

func (c configuration) mustRun(t *testing.T) []plan.Registration {
	t.Helper()
	registrations, err := c.run()
	if err != nil {
		t.Fatal(err)
	}
	return registrations
}

// exec runs the program in a process of its own, through main.
func (c configuration) exec(t *testing.T) (*mocks.Result, error) {
	t.Helper()
	t.Setenv(runProgram, "1")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := mocks.Program{Binary: self, Stack: c.stack, Config: c.values, SecretKeys: c.secretKeys}
	return program.Exec(t.Context())
}

// forEachStack runs a check on what each committed stack registers.
func forEachStack(t *testing.T, check func(*testing.T, string, []plan.Registration)) {
	t.Helper()
	for _, stack := range stacks {
		t.Run(stack, func(t *testing.T) { check(t, stack, load(t, stack, nil).mustRun(t)) })
	}
}

// A changed URN replaces what it names, with its data: these files change on purpose only, and an alias goes
// with every change.
func TestInventoryIsAsRecorded(t *testing.T) {
	forEachStack(t, func(t *testing.T, stack string, registrations []plan.Registration) {
		compareGolden(t, "urns-"+stack+".golden", inventory(registrations))
	})
}

func TestManifestsAreAsRecorded(t *testing.T) {
	forEachStack(t, func(t *testing.T, stack string, registrations []plan.Registration) {
		manifests, err := mocks.YAML(plan.Objects(registrations, plan.HideSecrets))
		if err != nil {
			t.Fatal(err)
		}
		compareGolden(t, "manifests-"+stack+".golden.yaml", manifests)
	})
}

// A site without a cache before it; what Apache makes of its files is tried with the local images, which need them.
func TestUncachedSiteIsAsRecorded(t *testing.T) {
	registrations := load(t, "dev", map[string]string{"wordpress:cache.enabled": "false"}).mustRun(t)
	manifests, err := mocks.YAML(plan.Objects(registrations, plan.HideSecrets))
	if err != nil {
		t.Fatal(err)
	}
	compareGolden(t, "manifests-uncached.golden.yaml", manifests)
	compareGolden(t, "urns-uncached.golden", inventory(registrations))
}

// What Apache makes of the addresses that proxies append is tried with the local images, which need the file.
func TestForwardedSiteIsAsRecorded(t *testing.T) {
	registrations := load(t, "dev", map[string]string{
		"wordpress:cache.enabled":         "false",
		"wordpress:ingress.clientAddress": "forwarded", "wordpress:ingress.proxies": "2",
		"wordpress:network.edge.cidrs[0]": "198.51.100.0/28", "wordpress:network.edge.cidrs[1]": "2001:db8:ed6e::/64",
	}).mustRun(t)
	for _, object := range plan.Objects(registrations, plan.HideSecrets) {
		data, _ := object["data"].(map[string]any)
		if text, found := data["site.conf"].(string); found {
			compareGolden(t, "site-forwarded.golden.conf", text)
			return
		}
	}
	t.Fatal("no ConfigMap has a site.conf")
}

// What a new stack begins with is tried with the local images, which need the file.
func TestBootstrapIsAsRecorded(t *testing.T) {
	registrations := load(t, "prod", map[string]string{"wordpress:backup.bootstrap.snapshot": "latest"}).mustRun(t)
	for _, object := range plan.Objects(registrations, plan.HideSecrets) {
		data, _ := object["data"].(map[string]any)
		if text, found := data["bootstrap.sh"].(string); found {
			compareGolden(t, "bootstrap.golden.sh", text)
			return
		}
	}
	t.Fatal("no ConfigMap has a bootstrap.sh")
}

// Pods, backup and drill look at tables with the same prefix.
func TestPrefixOfTheTablesIsKnownEverywhere(t *testing.T) {
	registrations := load(t, "prod", map[string]string{"wordpress:database.tablePrefix": "blog_"}).mustRun(t)
	var seen []string
	for _, object := range plan.Objects(registrations, plan.HideSecrets) {
		text, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "wp_options") || strings.Contains(string(text), "wp_posts") {
			t.Errorf("%v %v has another prefix", object["kind"], object["metadata"])
		}
		for _, known := range []string{`{"name":"WORDPRESS_TABLE_PREFIX","value":"blog_"}`, "blog_options", "blog_posts WHERE"} {
			if strings.Contains(string(text), known) {
				seen = append(seen, known)
			}
		}
	}
	if len(seen) < 3 {
		t.Errorf("known are only %q", seen)
	}
}

// A copy that only begins as another site saves nothing there, and sends nothing.
func TestCopyOfASiteIsQuiet(t *testing.T) {
	registrations := load(t, "prod", map[string]string{
		"wordpress:backup.enabled": "false", "wordpress:backup.bootstrap.snapshot": "latest", "wordpress:backup.bootstrap.from": "https://www.company.com",
		"wordpress:site.robots": "false", "wordpress:site.mail": "false",
	}).mustRun(t)
	names := map[string]bool{}
	for _, object := range plan.Objects(registrations, plan.HideSecrets) {
		metadata, _ := object["metadata"].(map[string]any)
		names[fmt.Sprint(object["kind"], " ", metadata["name"])] = true
		data, _ := object["data"].(map[string]any)
		if text, found := data["wp-config.php"].(string); found && (!strings.Contains(text, "pre_option_blog_public") || !strings.Contains(text, "pre_wp_mail")) {
			t.Errorf("WordPress may be found, or may write:\n%s", text)
		}
		if text, found := data["site.conf"].(string); found && !strings.Contains(text, `Header always set X-Robots-Tag "noindex, nofollow"`) {
			t.Errorf("Apache does not say that the site is not to be shown:\n%s", text)
		}
	}
	for name, want := range map[string]bool{
		"Job wordpress-bootstrap": true, "NetworkPolicy wordpress-backup": true, "CronJob wordpress-backup": false, "Deployment wordpress-metrics-gateway": false,
	} {
		if names[name] != want {
			t.Errorf("%s: registered is %v, want %v", name, names[name], want)
		}
	}
}

// withBinlog has a stack that saves its site bring MySQL's binary log to the storage too.
var withBinlog = map[string]string{
	"wordpress:backup.binlog.enabled": "true", "wordpress:backup.binlog.image": "registry.example.com/mysql-binlog:9.7.4",
}

// What a stack has with a binary log; its files are tried with the local images.
func TestBinlogIsAsRecorded(t *testing.T) {
	before := byIdentity(load(t, "prod", nil).mustRun(t))
	registrations := load(t, "prod", withBinlog).mustRun(t)
	differ := changed(before, byIdentity(registrations))
	var objects []plan.Object
	for _, object := range plan.Objects(registrations, plan.HideSecrets) {
		if slices.Contains(differ, object.Kind()+" "+object.Name()) {
			objects = append(objects, object)
		}
	}
	manifests, err := mocks.YAML(objects)
	if err != nil {
		t.Fatal(err)
	}
	compareGolden(t, "manifests-binlog.golden.yaml", manifests)
}

// inventory is a table of the registrations and their options.
func inventory(registrations []plan.Registration) string {
	var table strings.Builder
	table.WriteString("# URN | parent | protect | retainOnDelete | ignoreChanges | dependsOn\n")
	for _, r := range registrations {
		var dependencies []string
		for _, urn := range r.DependsOn {
			dependencies = append(dependencies, resource.URN(urn).Name())
		}
		columns := []string{
			r.URN, resource.URN(r.Parent).Name(), fmt.Sprint(r.Protect), fmt.Sprint(r.RetainOnDelete),
			strings.Join(r.IgnoreChanges, ","), strings.Join(dependencies, ","),
		}
		table.WriteString(strings.TrimRight(strings.Join(columns, " | "), " |") + "\n")
	}
	return table.String()
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("tests", "testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if line, gotLine, wantLine := firstDifference(got, string(want)); line > 0 {
		t.Errorf("%s:%d: got\n  %s\nwant\n  %s\nIf the change is meant, run `make golden` and review the difference.",
			path, line, gotLine, wantLine)
	}
}

// firstDifference is the number and text of the first line that differs, or 0.
func firstDifference(got, want string) (line int, gotLine, wantLine string) {
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		gotLine, wantLine = lineAt(gotLines, i), lineAt(wantLines, i)
		if gotLine != wantLine {
			return i + 1, gotLine, wantLine
		}
	}
	return 0, "", ""
}

func lineAt(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(end of file)"
}

// The same pods without their security contexts show that the judge looks at them.
func TestEveryPodIsRestricted(t *testing.T) {
	forEachStack(t, func(t *testing.T, stack string, registrations []plan.Registration) {
		objects := plan.Objects(registrations, plan.ShowSecrets)
		for _, finding := range podSecurity(t, objects) {
			t.Error(finding)
		}
		var spoilt []string
		for _, object := range objects {
			if kind := object.Kind(); kind != "Deployment" && kind != "StatefulSet" {
				continue
			}
			template := object["spec"].(map[string]any)["template"].(map[string]any)
			delete(template["spec"].(map[string]any), "securityContext")
			if len(podSecurity(t, []plan.Object{object})) > 0 {
				spoilt = append(spoilt, object.Name())
			}
		}
		want := []string{"wordpress", "wordpress-cache", "wordpress-mysql"}
		if stack == "prod" {
			want = []string{"wordpress", "wordpress-cache", "wordpress-metrics-gateway", "wordpress-mysql"}
		}
		if !slices.Equal(spoilt, want) {
			t.Errorf("without security context %q are refused, want %q", spoilt, want)
		}
	})
}

func podSecurity(t *testing.T, objects []plan.Object) []judges.Finding {
	t.Helper()
	findings, err := judges.PodSecurity(objects)
	if err != nil {
		t.Fatal(err)
	}
	return findings
}

// A public name for a password is what the configuration's own rules admit and the objects then give away.
func TestObjectsThatBreakARuleAreNotRegistered(t *testing.T) {
	loaded := load(t, "prod", nil)
	loaded.values["wordpress:databasePassword"] = "wordpress-mysql"
	registrations, err := loaded.run()
	var broken *rules.Error
	if !errors.As(err, &broken) {
		t.Fatalf("got the error %v, want that of the rules", err)
	}
	const want = "Service kube-example/[secret]: metadata.name: Forbidden: holds the value of wordpress:databasePassword: " +
		"take it out, or choose a secret that is no public name (rule secret-value)"
	if !strings.Contains(err.Error(), "\n  "+want+"\n") || strings.Contains(err.Error(), "wordpress-mysql") {
		t.Errorf("got the error\n%v\nwant in it\n  %s\nand the password nowhere", err, want)
	}
	if len(registrations) != 0 {
		t.Errorf("%d resources are registered, want none:\n%s", len(registrations), inventory(registrations))
	}
	if _, err := loaded.exec(t); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the program ends with\n%v\nwant\n%s", err, want)
	}
}

// The rules take from the configuration whether pods without a policy are meant; where they are not, one is missed.
func TestMissingPoliciesAreMissed(t *testing.T) {
	forEachStack(t, func(t *testing.T, stack string, registrations []plan.Registration) {
		loaded := load(t, stack, nil)
		accepted, err := config.Load(loaded.values, loaded.secretKeys)
		if err != nil {
			t.Fatal(err)
		}
		err = rules.Check(withoutPolicies(plan.Objects(registrations, plan.ShowSecrets)), terms(accepted))
		if err == nil || !strings.Contains(err.Error(), "a NetworkPolicy of type Egress") {
			t.Errorf("got the error %v, want that of the rule network-policy", err)
		}
	})
}

// What the engine is told must be what was judged, or the rules would have looked at something else.
func TestRehearsalShowsWhatIsRegistered(t *testing.T) {
	for _, stack := range stacks {
		t.Run(stack, func(t *testing.T) {
			loaded := load(t, stack, nil)
			accepted, err := config.Load(loaded.values, loaded.secretKeys)
			if err != nil {
				t.Fatal(err)
			}
			rehearsed, err := plan.Record(mocks.Project, stack, func(ctx *pulumi.Context) error { return compose(ctx, accepted, nil, nil) })
			if err != nil {
				t.Fatal(err)
			}
			result, err := loaded.exec(t)
			if err != nil {
				t.Fatal(err)
			}
			if line, got, want := firstDifference(manifests(t, rehearsed), manifests(t, result.Registrations)); line > 0 {
				t.Errorf("the rehearsal shows\n  %s\nand the engine is told\n  %s", got, want)
			}
		})
	}
}

func manifests(t *testing.T, registrations []plan.Registration) string {
	t.Helper()
	return yamlOf(t, plan.Objects(registrations, plan.ShowSecrets))
}

func yamlOf(t *testing.T, objects []plan.Object) string {
	t.Helper()
	text, err := mocks.YAML(objects)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// An object without the mark of its state could not be told from a stranger's.
func TestEveryObjectCarriesItsOwner(t *testing.T) {
	forEachStack(t, func(t *testing.T, stack string, registrations []plan.Registration) {
		for _, object := range plan.Objects(registrations, plan.HideSecrets) {
			metadata, _ := object["metadata"].(map[string]any)
			annotations, _ := metadata["annotations"].(map[string]any)
			if want := guard.Owner(mocks.Project, stack, "recorded"); annotations[guard.Annotation] != want {
				t.Errorf("%s %s has the owner %v, want %s", object.Kind(), object.Name(), annotations[guard.Annotation], want)
			}
		}
	})
}

// What is there already is used by its name, and everything else is as ever.
func TestWhatIsThereAlreadyIsUsedByName(t *testing.T) {
	registrations := load(t, "dev", map[string]string{
		"wordpress:createNamespace":                "false",
		"wordpress:storage.content.existingClaim":  "kept-files",
		"wordpress:storage.database.existingClaim": "kept-data",
	}).mustRun(t)
	kinds := map[string]int{}
	var claims []string
	for _, object := range plan.Objects(registrations, plan.HideSecrets) {
		kinds[object.Kind()]++
		text, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		for _, claim := range []string{"kept-files", "kept-data"} {
			if strings.Contains(string(text), `"claimName":"`+claim+`"`) {
				claims = append(claims, object.Kind()+" "+claim)
			}
		}
		if !strings.Contains(string(text), `"namespace":"wordpress"`) {
			t.Errorf("%s %s is not in the namespace", object.Kind(), object.Name())
		}
	}
	if kinds["Namespace"]+kinds["PersistentVolumeClaim"] > 0 || kinds["Secret"] != 4 {
		t.Errorf("registered are %v", kinds)
	}
	if slices.Sort(claims); !slices.Equal(claims, []string{"Deployment kept-files", "StatefulSet kept-data"}) {
		t.Errorf("claims are mounted by %v", claims)
	}
}

// Every preview and every update pays for the rehearsal.
func BenchmarkRehearsal(b *testing.B) {
	rehearsing(b, func(rehearsal func() error) error {
		for b.Loop() {
			if err := rehearsal(); err != nil {
				return err
			}
		}
		return nil
	})
}

// Processor time does not depend on what else the machine does; the best of several runs leaves the collector of garbage out.
func TestRehearsalTakesNoTime(t *testing.T) {
	const runs, most = 10, 200 * time.Millisecond
	rehearsing(t, func(rehearsal func() error) error {
		best := time.Hour
		for range runs {
			began := processorTime(t)
			if err := rehearsal(); err != nil {
				return err
			}
			best = min(best, processorTime(t)-began)
		}
		if best > most {
			t.Errorf("the rehearsal takes %v of processor time at best, want at most %v", best, most)
		}
		return nil
	})
}

// processorTime that this process has taken so far.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// rehearsing hands on the rehearsal of the production stack, within a run of the program.
func rehearsing(t testing.TB, try func(rehearsal func() error) error) {
	t.Helper()
	loaded := load(t, "prod", nil)
	accepted, err := config.Load(loaded.values, loaded.secretKeys)
	if err != nil {
		t.Fatal(err)
	}
	_, err = plan.Record(mocks.Project, loaded.stack, func(ctx *pulumi.Context) error {
		return try(func() error {
			_, err := rehearse(ctx, func(ctx *pulumi.Context) error { return compose(ctx, accepted, nil, nil) }, terms(accepted))
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryResourceDescendsFromAComponentOfTheStack(t *testing.T) {
	forEachStack(t, func(t *testing.T, _ string, registrations []plan.Registration) {
		byURN := make(map[string]plan.Registration, len(registrations))
		for _, r := range registrations {
			byURN[r.URN] = r
		}
		if len(byURN) != len(registrations) {
			t.Errorf("%d registrations have %d URNs", len(registrations), len(byURN))
		}
		for _, r := range registrations {
			parent, found := byURN[r.Parent]
			switch {
			case r.Custom && (!found || parent.Custom):
				t.Errorf("%s: its parent %q is no component", r.URN, r.Parent)
			case !r.Custom && resource.URN(r.Parent).QualifiedType() != resource.RootStackType:
				t.Errorf("%s: its parent %q is not the stack", r.URN, r.Parent)
			}
		}
	})
}

func TestSecretsAreMarkedAndAppearNowhereElse(t *testing.T) {
	forEachStack(t, func(t *testing.T, _ string, registrations []plan.Registration) {
		values := slices.Concat(slices.Collect(maps.Values(secrets)), derivedKeys(t, registrations))
		for _, r := range registrations {
			for _, leak := range plainValues(resource.NewObjectProperty(r.Inputs), values) {
				t.Errorf("%s: %q is not marked as a secret", r.URN, leak)
			}
		}
	})
}

// The secrets must have arrived, or their absence elsewhere would prove nothing.
func TestSecretsReachTheirObjects(t *testing.T) {
	forEachStack(t, func(t *testing.T, stack string, registrations []plan.Registration) {
		data := map[string]any{}
		for _, object := range plan.Objects(registrations, plan.ShowSecrets) {
			if object.Kind() == "Secret" {
				for key, value := range object["stringData"].(map[string]any) {
					data[object.Name()+"/"+key] = value
				}
			}
		}
		want := map[string]string{
			"wordpress-db-pwd/dbpwd":          secrets["wordpress:databasePassword"],
			"wordpress-db-root-pwd/dbrootpwd": secrets["wordpress:databaseRootPassword"],
			"wordpress-admin/password":        secrets["wordpress:adminPassword"],
		}
		others := 8 // keys and salts
		if stack == "prod" {
			want["wordpress-backup-repository/password"] = backupSecrets["wordpress:backupPassword"]
			others += 3 // credentials of the storage, and two accounts
		}
		for key, value := range want {
			if data[key] != value {
				t.Errorf("%s is not what was configured", key)
			}
		}
		if len(data) != len(want)+others {
			t.Errorf("the Secrets hold the keys %q", slices.Sorted(maps.Keys(data)))
		}
	})
}

// derivedKeys are the eight keys and salts that the program made of the auth secret.
func derivedKeys(t *testing.T, registrations []plan.Registration) []string {
	t.Helper()
	for _, object := range plan.Objects(registrations, plan.ShowSecrets) {
		if object.Kind() == "Secret" && object.Name() == "wordpress-auth" {
			var keys []string
			for _, value := range object["stringData"].(map[string]any) {
				keys = append(keys, value.(string))
			}
			return keys
		}
	}
	t.Fatal("there is no Secret wordpress-auth")
	return nil
}

// plainValues are the texts outside secret properties that contain one of the values.
func plainValues(property resource.PropertyValue, values []string) []string {
	var leaks []string
	switch {
	case property.IsString():
		contains := func(value string) bool { return strings.Contains(property.StringValue(), value) }
		if slices.ContainsFunc(values, contains) {
			leaks = append(leaks, property.StringValue())
		}
	case property.IsArray():
		for _, element := range property.ArrayValue() {
			leaks = append(leaks, plainValues(element, values)...)
		}
	case property.IsObject():
		for _, element := range property.ObjectValue() {
			leaks = append(leaks, plainValues(element, values)...)
		}
	}
	return leaks
}

func TestOutputsSayWhereTheSiteIsAndHoldNoSecret(t *testing.T) {
	want := map[string]map[string]string{
		"dev":  {"url": "https://wordpress.localhost", "namespace": "wordpress", "replicas": "2–4"},
		"prod": {"url": "https://wordpress.example.com", "namespace": "kube-example", "replicas": "3–6"},
	}
	for _, stack := range stacks {
		t.Run(stack, func(t *testing.T) {
			result, err := load(t, stack, nil).exec(t)
			if err != nil {
				t.Fatal(err)
			}
			expected := map[string]string{
				"frontendService":    "wordpress",
				"databaseHost":       "wordpress-mysql:3306",
				"qosClass":           "Guaranteed",
				"databaseSecretName": "wordpress-db-pwd",
				"authSecretName":     "wordpress-auth",
				"databasePasswords":  "changed by the stack's configuration alone",
			}
			maps.Copy(expected, want[stack])
			got := map[string]string{}
			for name, value := range result.Outputs {
				if !value.IsString() {
					t.Fatalf("output %q is %v, want plain text", name, value)
				}
				got[string(name)] = value.StringValue()
			}
			if !maps.Equal(got, expected) {
				t.Errorf("got the outputs\n%v\nwant\n%v", got, expected)
			}
		})
	}
}

// The two ways to run the program must show the same, or one of them is not what the engine sees.
func TestCompiledProgramRegistersWhatTheRecorderShows(t *testing.T) {
	loaded := load(t, "prod", nil)
	result, err := loaded.exec(t)
	if err != nil {
		t.Fatal(err)
	}
	isStack := func(r plan.Registration) bool { return r.Type == string(resource.RootStackType) }
	compiled := inventory(slices.DeleteFunc(result.Registrations, isStack))
	if line, got, want := firstDifference(compiled, inventory(loaded.mustRun(t))); line > 0 {
		t.Errorf("the compiled program registers\n  %s\nand in this process\n  %s", got, want)
	}
}

func TestInvalidConfigurationRegistersNothing(t *testing.T) {
	for name, spoil := range map[string]func(*configuration){
		"unknown key":        func(c *configuration) { c.values["wordpress:frontned"] = `{}` },
		"malformed quantity": func(c *configuration) { c.values["wordpress:storage"] = `{"content":{"size":"2Gb"}}` },
		"missing secret":     func(c *configuration) { delete(c.values, "wordpress:authSecret") },
		"secret in plain text": func(c *configuration) {
			c.secretKeys = slices.DeleteFunc(slices.Clone(c.secretKeys), func(key string) bool {
				return key == "wordpress:databasePassword"
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			loaded := load(t, "prod", nil)
			spoil(&loaded)
			registrations, err := loaded.run()
			var invalid *config.InvalidError
			if !errors.As(err, &invalid) {
				t.Errorf("got the error %v, want the configuration's", err)
			}
			if len(registrations) != 0 {
				t.Errorf("%d resources are registered, want none:\n%s", len(registrations), inventory(registrations))
			}
			for _, secret := range secrets {
				if err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("the error holds a secret: %v", err)
				}
			}
		})
	}
}

// What `make render` prints is what the program says, and nothing of the SDK's around it; what a stack is warned of, no rendering hides.
func TestCompiledProgramSpeaksForItself(t *testing.T) {
	mistaken := load(t, "prod", map[string]string{"wordpress:storage.content.size": "2GB"})
	const want = `the stack's configuration has 1 problem:
  wordpress:storage.content.size: Invalid value: "2GB": must be a quantity such as 200m, 256Mi or 20Gi: write 2G, or 2Gi for the size in powers of two`
	if _, err := mistaken.exec(t); err == nil || err.Error() != want {
		t.Errorf("got the error\n%v\nwant\n%s", err, want)
	}
	for host, warned := range map[string]int{"wordpress.example.com": 1, "www.company.com": 0} {
		result, err := load(t, "prod", map[string]string{
			"wordpress:site.host": host, "wordpress:ingress.tls.domains[0]": host,
		}).exec(t)
		if err != nil || len(result.Warnings) != warned {
			t.Errorf("%s: got %+v (%v), want %d warnings", host, result, err, warned)
		}
	}
}

// Five mistakes, found in five different ways: a misspelt key, a wrong unit, numbers that do not fit together, a
// certificate for another site, and what production refuses.
func TestFiveMistakesAreFiveMessages(t *testing.T) {
	loaded := load(t, "prod", map[string]string{
		"wordpress:frontend.drainSecond":       "30",
		"wordpress:frontend.resources.memory":  "256m",
		"wordpress:frontend.maxRequestSeconds": "60",
		"wordpress:ingress.tls.domains[0]":     "*.example.org",
		"wordpress:storage.protect":            "false",
	})
	const want = `the stack's configuration has 5 problems:
  wordpress:frontend.drainSecond: Forbidden: unknown key, did you mean "drainSeconds"?
  wordpress:frontend.resources.memory: Invalid value: "256m": must be at least 160Mi
  wordpress:frontend.terminationGracePeriodSeconds: Invalid value: 60: must be more than drainSeconds and maxRequestSeconds together, which is 80
  wordpress:ingress.tls.domains: Invalid value: ["*.example.org"]: must cover site.host: add it, or the wildcard of its parent domain
  wordpress:storage.protect: Invalid value: false: must be true in production: the data would go with the stack`
	registrations, err := loaded.run()
	var invalid *config.InvalidError
	if !errors.As(err, &invalid) || invalid.Error() != want {
		t.Errorf("got the error\n%v\nwant\n%s", err, want)
	}
	if len(registrations) != 0 {
		t.Errorf("%d resources are registered, want none:\n%s", len(registrations), inventory(registrations))
	}
	if _, err := loaded.exec(t); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the program ends with\n%v\nwant\n%s", err, want)
	}
}

func TestInvalidConfigurationEndsTheProgramWithItsError(t *testing.T) {
	loaded := load(t, "prod", nil)
	loaded.values["wordpress:frontned"] = `{}`
	_, err := loaded.exec(t)
	if err == nil || !strings.Contains(err.Error(), `wordpress:frontned: Forbidden: unknown key, did you mean "frontend"?`) {
		t.Errorf("got the error %v, want the configuration's", err)
	}
}

// Pulumi takes names that Kubernetes does not: one message must come of it, and not one for each object.
func TestStackNameBecomesALabel(t *testing.T) {
	for _, name := range []string{"feature_", strings.Repeat("a", 64)} {
		loaded := load(t, "dev", nil)
		loaded.stack = name
		_, err := loaded.exec(t)
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("the stack's name is %q", name)) || strings.Contains(err.Error(), "objects have") {
			t.Errorf("stack %q: got the error %v, want one about its name", name, err)
		}
	}
}

// Whoever visits a site under recovery must meet no installation page.
func TestBootstrapComesBeforeWordPress(t *testing.T) {
	lines := inventory(load(t, "prod", map[string]string{"wordpress:backup.bootstrap.snapshot": "latest"}).mustRun(t))
	for line := range strings.Lines(lines) {
		if strings.Contains(line, "Deployment::frontend-deployment") && !strings.Contains(line, "bootstrap-job") ||
			strings.Contains(line, "Job::bootstrap-job") && !strings.Contains(line, "database-server") {
			t.Error(line)
		}
	}
	if !strings.Contains(lines, "Job::bootstrap-job") {
		t.Errorf("no Job is registered:\n%s", lines)
	}
}

// policiesWithDNS are those of pods that ask for names.
const policiesWithDNS = "NetworkPolicy wordpress, NetworkPolicy wordpress-backup, NetworkPolicy wordpress-backup-repository, " +
	"NetworkPolicy wordpress-cache, NetworkPolicy wordpress-cron"

func TestOverrideChangesItsObjectsAlone(t *testing.T) {
	for _, row := range []struct{ key, value, objects string }{
		{"wordpress:frontend.image", "wordpress:7.2.0-php8.3-apache", "CronJob wordpress-cron, CronJob wordpress-import, CronJob wordpress-restore, Deployment wordpress, Deployment wordpress-cache"},
		{"wordpress:frontend.resources.cpu", "1", "Deployment wordpress"},
		{"wordpress:frontend.maxSurge", "25%", "Deployment wordpress"},
		{"wordpress:frontend.disruptionBudget.maxUnavailable", "2", "PodDisruptionBudget wordpress"},
		{"wordpress:database.image", "mysql:9.7.5", "CronJob wordpress-backup, CronJob wordpress-backup-care, CronJob wordpress-import, CronJob wordpress-restore, " +
			"CronJob wordpress-restore-drill, StatefulSet wordpress-mysql"},
		{"wordpress:database.resources.cpu", "2", "StatefulSet wordpress-mysql"},
		{"wordpress:backup.schedule", "1 1 * * 1", "CronJob wordpress-backup, CronJob wordpress-import, CronJob wordpress-restore, CronJob wordpress-restore-drill"},
		{"wordpress:backup.careSchedule", "1 1 * * 0", "CronJob wordpress-backup-care"},
		{"wordpress:backup.drill.minimumPosts", "100", "CronJob wordpress-restore-drill"},
		{"wordpress:backup.metrics.image", "prom/pushgateway:v1.11.3", "Deployment wordpress-metrics-gateway"},
		{"wordpress:site.cron.everyMinutes", "1", "CronJob wordpress-cron"},
		{"wordpress:autoscaling.cpuUtilization", "50", "HorizontalPodAutoscaler wordpress"},
		{"wordpress:autoscaling.minReplicas", "4", "HorizontalPodAutoscaler wordpress"},
		{"wordpress:autoscaling.maxReplicas", "10", "HorizontalPodAutoscaler wordpress"},
		{"wordpress:storage.content.size", "4Gi", "PersistentVolumeClaim wordpress-content"},
		{"wordpress:storage.database.size", "40Gi", "PersistentVolumeClaim wordpress-mysql-data"},
		{"wordpress:ingress.tls.certResolver", "other", "IngressRoute wordpress"},
		{"wordpress:network.edge.namespace", "kube-system", "NetworkPolicy wordpress, NetworkPolicy wordpress-cache"},
		{"wordpress:network.dns.cidrs[0]", "169.254.20.10/32", policiesWithDNS},
		{"wordpress:network.dns.port", "1053", policiesWithDNS},
		{"wordpress:network.dns.cachePodLabels.app", "cache", policiesWithDNS},
		{"wordpress:frontend.service.annotations.cost-centre", "shop", "Service wordpress"},
		{"wordpress:storage.cephfs.operatorNamespace", "rook-operator", "StorageClass csi-cephfs"},
	} {
		t.Run(row.key, func(t *testing.T) {
			before := byIdentity(load(t, "prod", nil).mustRun(t))
			after := byIdentity(load(t, "prod", map[string]string{row.key: row.value}).mustRun(t))
			if got := changed(before, after); !slices.Equal(got, strings.Split(row.objects, ", ")) {
				t.Errorf("changed %q, want %s alone", got, row.objects)
			}
		})
	}
}

// A mirror serves every image of the program, whichever container runs it.
func TestImageRegistryServesEveryImage(t *testing.T) {
	const registry = "registry.example.com/dockerhub"
	for _, stack := range stacks {
		images := 0
		objects := plan.Objects(load(t, stack, map[string]string{"wordpress:imageRegistry": registry}).mustRun(t), plan.HideSecrets)
		for _, match := range regexp.MustCompile(`(?m)^ *-? *image: (.*)$`).FindAllStringSubmatch(yamlOf(t, objects), -1) {
			images++
			if !regexp.MustCompile("^" + regexp.QuoteMeta(registry) + "/(library|restic|prom)/").MatchString(match[1]) {
				t.Errorf("stack %s: the image %s is not from %s", stack, match[1], registry)
			}
		}
		if images < 2 {
			t.Errorf("stack %s: %d images were looked at", stack, images)
		}
	}
}

// What is let through is let through by WordPress as well, which otherwise refuses it at once.
func TestEgressChangesThePolicyAndTellsWordPress(t *testing.T) {
	before := byIdentity(load(t, "prod", nil).mustRun(t))
	for _, way := range []map[string]string{
		{"cidr": "203.0.113.25/32", "ports[0]": "587"}, {"cidr": "10.1.2.3/32", "ports[0]": "9200"}, {"namespace": "redis", "ports[0]": "6379"},
	} {
		settings := map[string]string{}
		for key, value := range way {
			settings["wordpress:network.egress[0]."+key] = value
		}
		after := byIdentity(load(t, "prod", settings).mustRun(t))
		want := []string{contentNamed(t, before, "wordpress"), contentNamed(t, after, "wordpress"), "Deployment wordpress", "NetworkPolicy wordpress"}
		slices.Sort(want)
		if got := changed(before, after); !slices.Equal(got, want) {
			t.Errorf("%v changes %q, want %q", way, got, want)
		}
	}
}

// Policies can be left to others, outside of production.
func TestOpenNetworkHasNoPolicies(t *testing.T) {
	for _, object := range plan.Objects(load(t, "dev", map[string]string{"wordpress:network.enabled": "false"}).mustRun(t), plan.HideSecrets) {
		if object.Kind() == "NetworkPolicy" {
			t.Errorf("there is a NetworkPolicy %s", object.Name())
		}
	}
}

// A ConfigMap is never changed: pods of the old revision keep theirs until they are gone.
func TestChangedFileReplacesItsConfigMapAndRollsItsPods(t *testing.T) {
	for _, row := range []struct {
		key, value string
		configMaps []string
		changed    []string // beside the ConfigMaps
	}{
		{"wordpress:frontend.maxUploadSize", "32Mi", []string{"wordpress", "wordpress-cache"},
			[]string{"Deployment wordpress", "Deployment wordpress-cache", "Middleware wordpress-body"}},
		{"wordpress:frontend.requestMemory", "64Mi", []string{"wordpress"}, []string{"Deployment wordpress"}},
		{"wordpress:frontend.maxRequestSeconds", "29", []string{"wordpress", "wordpress-cache"},
			[]string{"CronJob wordpress-cron", "Deployment wordpress", "Deployment wordpress-cache", "ServersTransport wordpress"}},
		{"wordpress:cache.staleSeconds", "60", []string{"wordpress", "wordpress-cache"}, []string{"Deployment wordpress", "Deployment wordpress-cache"}},
		{"wordpress:database.maxConnections", "152", []string{"wordpress-mysql"}, []string{"StatefulSet wordpress-mysql"}},
	} {
		t.Run(row.key, func(t *testing.T) {
			before := byIdentity(load(t, "prod", nil).mustRun(t))
			after := byIdentity(load(t, "prod", map[string]string{row.key: row.value}).mustRun(t))
			want := slices.Clone(row.changed)
			for _, configMap := range row.configMaps {
				old, renewed := contentNamed(t, before, configMap), contentNamed(t, after, configMap)
				if old == renewed {
					t.Fatalf("the ConfigMap of the new file has the name of the old one: %s", old)
				}
				want = append(want, old, renewed)
			}
			slices.Sort(want)
			if got := changed(before, after); !slices.Equal(got, want) {
				t.Errorf("changed %q, want %q", got, want)
			}
		})
	}
}

// contentNamed is the identity of the ConfigMap whose name is the given one and the hash of its content.
func contentNamed(t *testing.T, objects map[string]plan.Object, name string) string {
	t.Helper()
	pattern := regexp.MustCompile("^ConfigMap " + name + "-[0-9a-f]{10}$")
	identities := slices.DeleteFunc(slices.Collect(maps.Keys(objects)), func(identity string) bool {
		return !pattern.MatchString(identity)
	})
	if len(identities) != 1 {
		t.Fatalf("the ConfigMaps %q match %s, want one", identities, pattern)
	}
	return identities[0]
}

func byIdentity(registrations []plan.Registration) map[string]plan.Object {
	objects := map[string]plan.Object{}
	for _, object := range plan.Objects(registrations, plan.ShowSecrets) {
		objects[object.Kind()+" "+object.Name()] = object
	}
	return objects
}

// changed are the identities of objects that are new, gone or different.
func changed(before, after map[string]plan.Object) []string {
	var names []string
	all := maps.Clone(before)
	maps.Copy(all, after)
	for name := range all {
		if !reflect.DeepEqual(before[name], after[name]) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// A rotated secret must reach the pods: they read it when they start.
func TestChangedAuthSecretRollsThePods(t *testing.T) {
	loaded := load(t, "prod", nil)
	before := byIdentity(loaded.mustRun(t))
	loaded.values["wordpress:authSecret"] += "-rotated"
	after := byIdentity(loaded.mustRun(t))
	want := []string{"Deployment wordpress", "Deployment wordpress-cache", "Secret wordpress-auth"}
	if got := changed(before, after); !slices.Equal(got, want) {
		t.Errorf("changed %q, want %q", got, want)
	}
}

// The order of registrations changes from run to run; what is registered, with what it waits for, must not.
func TestRunsAreRepeatable(t *testing.T) {
	loaded := load(t, "prod", nil)
	describe := func() string {
		registrations := loaded.mustRun(t)
		objects, err := mocks.YAML(plan.Objects(registrations, plan.ShowSecrets))
		if err != nil {
			t.Fatal(err)
		}
		return inventory(registrations) + objects
	}
	first := describe()
	for range 20 {
		if line, again, before := firstDifference(describe(), first); line > 0 {
			t.Fatalf("the same configuration makes\n  %s\nand then\n  %s", before, again)
		}
	}
}
