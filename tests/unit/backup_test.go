package unit_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"wordpress-on-kubernetes/components/backup"
)

// saver are valid args of a backup.
func saver(changes ...func(*backup.Args)) *backup.Args {
	args := &backup.Args{
		Namespace: namespaceInput, Instance: instance, Repository: "s3:https://s3.example.com/bucket/site",
		Password: pulumi.String("password"), AccessKey: pulumi.String("key"), SecretKey: pulumi.String("secret"),
		Schedule: "17 2 * * *", CareSchedule: "17 5 * * *", Keep: backup.Keep{Last: 3, Daily: 14},
		Content:         &backup.ContentArgs{Claim: pulumi.String("content"), Excludes: []string{"cache", "uploads/tmp"}},
		Drill:           &backup.DrillArgs{Schedule: "47 6 * * *", MinimumPosts: 1, MaxAgeSeconds: 7200, Resources: someResources()},
		Gateway:         &backup.GatewayArgs{Image: "prom/pushgateway:v1.11.2"},
		Images:          backup.Images{Restic: "restic/restic:0.19.1", Database: "mysql:9.7.4", WordPress: "wordpress:7.1.4"},
		ImagePullPolicy: "Always", User: someUser, Resources: someResources(), Import: someResources(),
		Database: backup.DatabaseArgs{
			Host: "wordpress-mysql", Port: 3306, Name: "site", TablePrefix: "wp_",
			Own:     backup.Account{User: "wordpress", Secret: pulumi.String("db-pwd"), Key: "dbpwd"},
			Dump:    backup.Account{User: "dumper", Password: pulumi.String("d")},
			Restore: backup.Account{User: "restorer", Password: pulumi.String("r")},
		},
		Site: backup.SiteArgs{
			URL: "https://www.example.com", Service: pulumi.String("php"), ServicePort: 80,
			Cache: &backup.CacheArgs{Host: "pages", Path: "/purge", Port: 8081, KeySecret: pulumi.String("keys"), SecretKey: "SALT", Purpose: "purge"},
		},
	}
	for _, change := range changes {
		change(args)
	}
	return args
}

func runBackup(t *testing.T, changes ...func(*backup.Args)) planned {
	t.Helper()
	return run(t, func(ctx *pulumi.Context) error {
		_, err := backup.New(ctx, "saver", saver(changes...))
		return err
	})
}

func TestBackupRegistersItsObjects(t *testing.T) {
	p := runBackup(t)
	p.wantObjects("ConfigMap wordpress-backup", "CronJob wordpress-backup", "CronJob wordpress-backup-care", "CronJob wordpress-import", "CronJob wordpress-restore",
		"CronJob wordpress-restore-drill", "Deployment wordpress-metrics-gateway", "PodDisruptionBudget wordpress-metrics-gateway",
		"Secret wordpress-backup-accounts", "Secret wordpress-backup-repository", "Service wordpress-metrics-gateway")
	for name, suspended := range map[string]bool{
		"wordpress-backup": false, "wordpress-backup-care": false, "wordpress-restore-drill": false, "wordpress-restore": true, "wordpress-import": true,
	} {
		spec := get[batchv1.CronJob](p, "CronJob", name).Spec
		if got := spec.Suspend != nil && *spec.Suspend; got != suspended {
			t.Errorf("%s: suspended is %v", name, got)
		}
		if spec.ConcurrencyPolicy != batchv1.ForbidConcurrent || *spec.TimeZone != "Etc/UTC" || spec.JobTemplate.Spec.ActiveDeadlineSeconds == nil {
			t.Errorf("%s: %+v", name, spec)
		}
	}
}

// stepsOf the CronJob's pod, in the order in which they run.
func stepsOf(p planned, cronJob string) []corev1.Container {
	spec := get[batchv1.CronJob](p, "CronJob", cronJob).Spec.JobTemplate.Spec.Template.Spec
	return slices.Concat(spec.InitContainers, spec.Containers)
}

func namesOf(steps []corev1.Container) string {
	var names []string
	for _, step := range steps {
		names = append(names, step.Name)
	}
	return strings.Join(names, " ")
}

func TestBackupSavesTheDatabaseBeforeTheContent(t *testing.T) {
	p := runBackup(t)
	for cronJob, want := range map[string]string{
		"wordpress-backup":        "restic database content",
		"wordpress-backup-care":   "restic care",
		"wordpress-restore-drill": "restic drill",
		"wordpress-import":        "restic receive server load move import",
		"wordpress-restore":       "restic save-database save-content restore arrive",
	} {
		if got := namesOf(stepsOf(p, cronJob)); got != want {
			t.Errorf("%s does %q, want %q", cronJob, got, want)
		}
	}
	bare := runBackup(t, func(a *backup.Args) { a.Content = nil })
	if got := namesOf(stepsOf(bare, "wordpress-backup")); got != "restic database" {
		t.Errorf("without content: %q", got)
	}
}

// What saves must not be able to change, and what cares for the repository needs nothing of the site.
func TestBackupWritesNothingOfTheSite(t *testing.T) {
	p := runBackup(t)
	for _, step := range stepsOf(p, "wordpress-backup") {
		for _, mount := range step.VolumeMounts {
			if mount.Name == "content" && !mount.ReadOnly {
				t.Errorf("%s may write to the content", step.Name)
			}
		}
	}
	for _, cronJob := range []string{"wordpress-backup-care", "wordpress-restore-drill", "wordpress-import"} {
		template := get[batchv1.CronJob](p, "CronJob", cronJob).Spec.JobTemplate.Spec.Template
		for _, volume := range template.Spec.Volumes {
			if volume.Name == "content" || volume.Name == "accounts" {
				t.Errorf("%s mounts %s", cronJob, volume.Name)
			}
		}
		if component := template.Labels["app.kubernetes.io/component"]; component != "repository" {
			t.Errorf("%s has the network of %q", cronJob, component)
		}
	}
}

func TestBackupHasSecretsInFilesAlone(t *testing.T) {
	p := runBackup(t)
	for _, cronJob := range []string{"wordpress-backup", "wordpress-backup-care", "wordpress-restore", "wordpress-restore-drill", "wordpress-import"} {
		for _, step := range stepsOf(p, cronJob) {
			for _, variable := range step.Env {
				if variable.ValueFrom != nil {
					t.Errorf("%s of %s has %s from elsewhere", step.Name, cronJob, variable.Name)
				}
			}
		}
	}
	if got := get[corev1.Secret](p, "Secret", "wordpress-backup-repository").StringData["credentials"]; got !=
		"[default]\naws_access_key_id = key\naws_secret_access_key = secret\n" {
		t.Errorf("credentials: %q", got)
	}
}

func TestBackupOfAnothersServerHasItsAccount(t *testing.T) {
	own := backup.Account{User: "wordpress", Secret: pulumi.String("vault"), Key: "dbpwd"}
	p := runBackup(t, func(a *backup.Args) {
		a.Database.Dump, a.Database.Restore = own, own
		a.Password, a.AccessKey, a.SecretKey, a.ExistingSecret = nil, nil, nil, "kept"
		a.Database.TLS = &backup.TLSArgs{Verify: true, CABundle: "-----BEGIN"}
	})
	for name := range p.objects() {
		if strings.HasPrefix(name, "Secret ") {
			t.Errorf("%s is made", name)
		}
	}
	files := get[corev1.ConfigMap](p, "ConfigMap", "wordpress-backup").Data
	if !strings.Contains(files["database.sh"], "restored='site_being_restored' earlier='site_before_restore'") {
		t.Errorf("nobody learns before a restore that it may not: %s", files["database.sh"])
	}
	policy := get[batchv1.CronJob](p, "CronJob", "wordpress-backup").Spec.JobTemplate.Spec.PodFailurePolicy
	if !strings.Contains(files["content.sh"], fmt.Sprintf("exit %d\n", policy.Rules[0].OnExitCodes.Values[0])) {
		t.Errorf("a complaint has the site saved again: %+v, %s", policy, files["content.sh"])
	}
	if files["database-ca.crt"] != "-----BEGIN" || !strings.Contains(files["common.sh"], "for authorities in /scripts/database-ca.crt; do") {
		t.Errorf("the server's certificate is not looked at: %s", files["common.sh"])
	}
}

func TestBackupOnOneNodesVolumeRunsThere(t *testing.T) {
	p := runBackup(t, func(a *backup.Args) { a.Content.With = pulumi.StringMap{"app": pulumi.String("site")} })
	for _, cronJob := range []string{"wordpress-backup", "wordpress-restore"} {
		affinity := get[batchv1.CronJob](p, "CronJob", cronJob).Spec.JobTemplate.Spec.Template.Spec.Affinity
		if affinity == nil || affinity.PodAffinity.PreferredDuringSchedulingIgnoredDuringExecution[0].PodAffinityTerm.LabelSelector.MatchLabels["app"] != "site" {
			t.Errorf("%s: %+v", cronJob, affinity)
		}
	}
}

func TestBackupIsConfigured(t *testing.T) {
	files := get[corev1.ConfigMap](runBackup(t, func(a *backup.Args) { a.CABundle = "-----BEGIN" }), "ConfigMap", "wordpress-backup").Data
	for file, texts := range map[string][]string{
		"common.sh":   {"RESTIC_REPOSITORY='s3:https://s3.example.com/bucket/site'", "RESTIC_CACERT=/scripts/ca.crt", `host=wordpress-mysql\nport=3306`},
		"content.sh":  {"--exclude '/site/wp-content/cache' --exclude '/site/wp-content/uploads/tmp' /site/wp-content", "tidy --host wordpress --tag complete --group-by host --keep-last 3 --keep-daily 14 ||"},
		"dump.sh":     {"'site' | whole"},
		"restore.sh":  {"restored='site_being_restored' earlier='site_before_restore' site='site'", "`wp_options", `[ "$(chosen at)" = 'https://www.example.com' ]`, `place "$beside/earlier/uploads/tmp" "$live/uploads/tmp"`},
		"database.sh": {"--stdin-from-command -- bash /scripts/dump.sh"},
		"ca.crt":      {"-----BEGIN"},
	} {
		for _, text := range texts {
			if !strings.Contains(strings.ReplaceAll(files[file], "\\`", "`"), text) {
				t.Errorf("%s has no %q:\n%s", file, text, files[file])
			}
		}
	}
}

// What Jobs measured is kept by one pod, which nothing waits for.
func TestMetricsGatewayIsNoPartOfTheSite(t *testing.T) {
	p := runBackup(t)
	deployment := get[appsv1.Deployment](p, "Deployment", "wordpress-metrics-gateway")
	if deployment.Annotations["pulumi.com/skipAwait"] != "true" || *deployment.Spec.Replicas != 1 {
		t.Errorf("%+v", deployment)
	}
	if files := get[corev1.ConfigMap](p, "ConfigMap", "wordpress-backup").Data; !strings.Contains(files["common.sh"], "/dev/tcp/wordpress-metrics-gateway/9091") {
		t.Error("the scripts measure for nobody")
	}
	bare := runBackup(t, func(a *backup.Args) { a.Gateway, a.Drill = nil, nil })
	bare.wantObjects("ConfigMap wordpress-backup", "CronJob wordpress-backup", "CronJob wordpress-backup-care", "CronJob wordpress-import", "CronJob wordpress-restore",
		"Secret wordpress-backup-accounts", "Secret wordpress-backup-repository")
	if files := get[corev1.ConfigMap](bare, "ConfigMap", "wordpress-backup").Data; strings.Contains(files["common.sh"], "/dev/tcp") {
		t.Error("without a gateway the scripts look for one")
	}
}

func TestBackupRefusesIncompleteArgs(t *testing.T) {
	for name, row := range map[string]struct {
		spoil func(*backup.Args)
		want  string
	}{
		"no repository": {func(a *backup.Args) { a.Repository = "" }, "namespace, instance, repository and pull policy are required"},
		"no password":   {func(a *backup.Args) { a.Password = nil }, "either the repository's password"},
		"two passwords": {func(a *backup.Args) { a.ExistingSecret = "vault" }, "either the repository's password"},
		"no schedule":   {func(a *backup.Args) { a.CareSchedule = "" }, "both schedules"},
		"nothing kept":  {func(a *backup.Args) { a.Keep = backup.Keep{} }, "what is kept"},
		"no database":   {func(a *backup.Args) { a.Database.Host = "" }, "host, port, name and table prefix"},
		"no account":    {func(a *backup.Args) { a.Database.Restore = backup.Account{} }, "both accounts of the database are required"},
		"no image":      {func(a *backup.Args) { a.Images.Restic = "" }, "the images of restic and of the database"},
		"no claim":      {func(a *backup.Args) { a.Content.Claim = nil }, "the content's claim"},
		"no gateway":    {func(a *backup.Args) { a.Gateway.Image = "" }, "the gateway's image"},
		"no drill":      {func(a *backup.Args) { a.Drill.Schedule = "" }, "the drill's schedule"},
		"no site":       {func(a *backup.Args) { a.Site.URL = "" }, "the site's URL is required"},
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, func(ctx *pulumi.Context) error {
				_, err := backup.New(ctx, "saver", saver(row.spoil))
				return err
			}, `backup "saver"`, row.want)
		})
	}
}

func TestBootstrapRunsAsWordPress(t *testing.T) {
	p := run(t, func(ctx *pulumi.Context) error {
		component, err := backup.NewBootstrap(ctx, "begin", saver(func(a *backup.Args) {
			a.Database.Dump, a.Database.Restore = backup.Account{}, backup.Account{}
		}), "latest")
		if err == nil && len(component.Done) != 1 {
			t.Errorf("WordPress waits for %d resources", len(component.Done))
		}
		return err
	})
	p.wantObjects("ConfigMap wordpress-bootstrap", "Job wordpress-bootstrap", "Secret wordpress-bootstrap")
	job := get[batchv1.Job](p, "Job", "wordpress-bootstrap")
	if job.Annotations["pulumi.com/replaceUnready"] != "true" || job.Spec.TTLSecondsAfterFinished != nil {
		t.Errorf("one that failed would stay, or one that is done would go: %+v", job)
	}
	steps := slices.Concat(job.Spec.Template.Spec.InitContainers, job.Spec.Template.Spec.Containers)
	if got := namesOf(steps); got != "restic bootstrap" {
		t.Errorf("does %q", got)
	}
	if env := steps[1].Env; len(env) != 4 || env[0].Value != "latest" || env[1].Value != "" || env[2].Value != "wordpress" {
		t.Errorf("environment %+v", env)
	}
	if files := get[corev1.ConfigMap](p, "ConfigMap", "wordpress-bootstrap").Data; len(files) != 2 {
		t.Errorf("files %q", slices.Sorted(maps.Keys(files)))
	}
}

// WordPress waits until the links of a site of another address lead here.
func TestBootstrapMovesASite(t *testing.T) {
	p := run(t, func(ctx *pulumi.Context) error {
		_, err := backup.NewBootstrap(ctx, "begin", saver(func(a *backup.Args) {
			a.From = "http://old.example.org/blog"
			a.Database.TLS = &backup.TLSArgs{Verify: true, CABundle: "certificates"}
		}), "latest")
		return err
	})
	steps := slices.Concat(get[batchv1.Job](p, "Job", "wordpress-bootstrap").Spec.Template.Spec.InitContainers,
		get[batchv1.Job](p, "Job", "wordpress-bootstrap").Spec.Template.Spec.Containers)
	if got := namesOf(steps); got != "restic bootstrap move" {
		t.Errorf("does %q", got)
	}
	if from := steps[1].Env[1]; from.Name != "FROM" || from.Value != "http://old.example.org/blog" {
		t.Errorf("begins as %+v", from)
	}
	if last := steps[2]; last.Image != "wordpress:7.1.4" || len(last.Env) != 2 {
		t.Errorf("runs %+v", last)
	}
	files := get[corev1.ConfigMap](p, "ConfigMap", "wordpress-bootstrap").Data
	for key, want := range map[string]string{
		"links.php": "namespace Links",
		"move.php":  "ssl_set(null, null, '/scripts/database-ca.crt', null, null)",
	} {
		if !strings.Contains(files[key], want) {
			t.Errorf("%s lacks %q:\n%s", key, want, files[key])
		}
	}
	if !strings.Contains(files["move.php"], "null, MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_VERIFY_SERVER_CERT)") {
		t.Errorf("the server is not looked at:\n%s", files["move.php"])
	}
}

func TestBootstrapRefusesIncompleteArgs(t *testing.T) {
	for name, row := range map[string]struct {
		spoil func(*backup.Args)
		run   string
		want  string
	}{
		"no run":        {func(*backup.Args) {}, "", "the run, and WordPress's account"},
		"no account":    {func(a *backup.Args) { a.Database.Own.Secret = nil }, "latest", "the run, and WordPress's account"},
		"no PHP":        {func(a *backup.Args) { a.From, a.Images.WordPress = "https://old.example.org", "" }, "latest", "the image of WordPress is required"},
		"no repository": {func(a *backup.Args) { a.Repository = "" }, "latest", "namespace, instance, repository and pull policy"},
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, func(ctx *pulumi.Context) error {
				_, err := backup.NewBootstrap(ctx, "begin", saver(row.spoil), row.run)
				return err
			}, `bootstrap "begin"`, row.want)
		})
	}
}
