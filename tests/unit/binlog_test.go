package unit_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"wordpress-on-kubernetes/components/backup"
	"wordpress-on-kubernetes/components/database"
	"wordpress-on-kubernetes/components/network"
)

// withBinlog has the backup bring the binary log to the storage.
func withBinlog(a *backup.Args) {
	a.Binlog = &backup.BinlogArgs{
		Image: "registry.example.com/mysql-binlog:9.7.4", Seconds: 300, KeepDays: 9,
		Account: backup.Account{User: "reader", Password: pulumi.String("l")}, ReplayResources: someResources(),
	}
}

func TestBinlogIsBroughtByOnePodThatNothingWaitsFor(t *testing.T) {
	p := runBackup(t, withBinlog)
	deployment := get[appsv1.Deployment](p, "Deployment", "wordpress-binlog")
	if deployment.Annotations["pulumi.com/skipAwait"] != "true" || *deployment.Spec.Replicas != 1 || deployment.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType {
		t.Errorf("%+v", deployment)
	}
	spec := deployment.Spec.Template.Spec
	steps := slices.Concat(spec.InitContainers, spec.Containers)
	if got := namesOf(steps); got != "restic binlog" || spec.RestartPolicy != corev1.RestartPolicyAlways {
		t.Errorf("does %q, %s", got, spec.RestartPolicy)
	}
	if image := steps[1].Image; image != "registry.example.com/mysql-binlog:9.7.4" {
		t.Errorf("runs %s", image)
	}
	for _, variable := range steps[1].Env {
		if variable.ValueFrom != nil || variable.Name == "EVERY_SECONDS" && variable.Value != "150" {
			t.Errorf("%+v", variable)
		}
	}
	for _, volume := range spec.Volumes {
		if volume.Name == "content" {
			t.Error("it mounts the content")
		}
	}
	if component := deployment.Spec.Template.Labels["app.kubernetes.io/component"]; component != "binlog" {
		t.Errorf("it has the network of %q", component)
	}
	if got := get[corev1.Secret](p, "Secret", "wordpress-backup-accounts").StringData["binlog"]; got != "l" {
		t.Errorf("the account's password is %q", got)
	}
}

func TestRestoreToASecondIsRefusedBeforeAnythingIsSaved(t *testing.T) {
	p := runBackup(t, withBinlog)
	steps := stepsOf(p, "wordpress-restore")
	if got := namesOf(steps); got != "restic replay save-database save-content restore arrive" {
		t.Errorf("does %q", got)
	}
	var asked []string
	for _, step := range steps {
		for _, variable := range step.Env {
			if variable.Name == "AT" {
				asked = append(asked, step.Name)
			}
		}
		for _, mount := range step.VolumeMounts {
			if step.Name == "replay" && (mount.Name == "accounts" || mount.Name == "content") {
				t.Errorf("a replay mounts %s", mount.Name)
			}
		}
	}
	if !slices.Equal(asked, []string{"replay", "restore"}) {
		t.Errorf("AT is for %q", asked)
	}
	spec := get[batchv1.CronJob](p, "CronJob", "wordpress-restore").Spec.JobTemplate.Spec.Template.Spec
	if image := spec.InitContainers[1].Image; image != "registry.example.com/mysql-binlog:9.7.4" {
		t.Errorf("a replay runs %s", image)
	}
}

func TestBinlogIsConfigured(t *testing.T) {
	with := get[corev1.ConfigMap](runBackup(t, withBinlog), "ConfigMap", "wordpress-backup").Data
	without := get[corev1.ConfigMap](runBackup(t), "ConfigMap", "wordpress-backup").Data
	for file, texts := range map[string][]string{
		"ship.sh":     {"RESTIC_REPOSITORY=$RESTIC_REPOSITORY/binlog", "at-https://www.example.com", "--read-from-remote-server --raw"},
		"replay.sh":   {"--idempotent", `--exclude-gtids="$held"`, `--stop-datetime="$AT"`, "site='site'"},
		"database.sh": {"@@GLOBAL.gtid_executed"},
		"care.sh":     {"--keep-within 9d", `{"binlog":%s}`},
		"drill.sh":    {"without a primary key"},
		"restore.sh":  {"/shared/replayed.sql"},
	} {
		for _, text := range texts {
			if !strings.Contains(with[file], text) {
				t.Errorf("%s has no %q:\n%s", file, text, with[file])
			}
			if strings.Contains(without[file], text) {
				t.Errorf("without a binary log %s has %q", file, text)
			}
		}
	}
	if !strings.Contains(without["common.sh"], "there is no binary log to go by") || strings.Contains(with["common.sh"], "there is no binary log to go by") {
		t.Error("a second is refused where there is a log, or taken where there is none")
	}
	for _, file := range []string{"binlog.sh", "ship.sh", "replay.sh"} {
		if without[file] != "" {
			t.Errorf("without a binary log there is %s", file)
		}
	}
}

func TestBinlogRefusesIncompleteArgs(t *testing.T) {
	for name, spoil := range map[string]func(*backup.Args){
		"no image":   func(a *backup.Args) { a.Binlog.Image = "" },
		"no seconds": func(a *backup.Args) { a.Binlog.Seconds = 1 },
		"no days":    func(a *backup.Args) { a.Binlog.KeepDays = 0 },
		"no account": func(a *backup.Args) { a.Binlog.Account.User = "" },
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, func(ctx *pulumi.Context) error {
				_, err := backup.New(ctx, "saver", saver(withBinlog, spoil))
				return err
			}, `backup "saver"`, "image, seconds, days and account of the binary log are required")
		})
	}
}

// withLog has the server keep a binary log for a day.
func withLog(a *database.Args) { a.Server.BinlogSeconds = 86400 }

func TestServerKeepsALogWhereItIsTold(t *testing.T) {
	files := func(changes ...func(*database.Args)) map[string]string {
		args := standalone()
		for _, change := range changes {
			change(args)
		}
		return get[corev1.ConfigMap](run(t, databaseProgram(args)), "ConfigMap", "wordpress-mysql").Data
	}
	with, without := files(withLog), files()
	for _, line := range []string{
		"log_bin = /volume/tmp/binlog/binlog", "gtid_mode = ON", "enforce_gtid_consistency = ON", "sync_binlog = 1", "binlog_expire_logs_seconds = 86400",
		"sql_generate_invisible_primary_key = ON", "log_bin_trust_function_creators = ON",
	} {
		if !strings.Contains(with["wordpress.cnf"], "\n"+line+"\n") || strings.Contains(without["wordpress.cnf"], line) {
			t.Errorf("the line %q is not where there is a log, or is where there is none", line)
		}
	}
	if strings.Contains(with["wordpress.cnf"], "disable_log_bin") || !strings.Contains(without["wordpress.cnf"], "\ndisable_log_bin\n") {
		t.Error("the log is off where it is on, or on where it is off")
	}
}

// What a server without a log writes is in none, so that the next one with a log must begin anew.
func TestLogOutlivesStartsOfAServerThatKeepsIt(t *testing.T) {
	const log = "tmp/binlog/binlog.000001"
	s := newServerVolume(t)
	s.change = withLog
	s.run(t, "start.sh", s.writes("initialised"))
	s.run(t, "complete.sh", "")
	write(t, s.volume+"/"+log, "what was done")
	write(t, s.volume+"/tmp/#sql_1", "what was sorted")
	s.run(t, "start.sh", s.writes("served"))
	wantFiles(t, s.volume, map[string]string{"mysql/ibdata1": "initialised\nserved\n", log: "what was done"})
	s.change = nil
	s.run(t, "start.sh", s.writes("without a log"))
	wantFiles(t, s.volume, map[string]string{"mysql/ibdata1": "initialised\nserved\nwithout a log\n", "tmp/": ""})
	s.change = withLog
	write(t, s.volume+"/"+log, "what was done to data that is gone")
	write(t, s.volume+"/.initialising", "")
	s.run(t, "start.sh", s.writes("initialised anew"))
	wantFiles(t, s.volume, map[string]string{".initialising": "", "mysql/ibdata1": "initialised anew\n", "tmp/binlog/": ""})
}

func TestPodOfTheBinlogReachesMySQLAndTheStorageAlone(t *testing.T) {
	p := runNetwork(t, withBackup, func(a *network.Args) { a.Backup.Binlog = pulumi.StringMap{"app": pulumi.String("log")} })
	p.wantSpec("NetworkPolicy", "wordpress-binlog", `
podSelector: {matchLabels: {app: log}}
policyTypes: [Ingress, Egress]
egress:
- {to: [{podSelector: {matchLabels: {app: db}}}], ports: [{protocol: TCP, port: 3306}]}
- to:
  - {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {app: dns}}}
  ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
- {to: [{ipBlock: {cidr: 203.0.113.25/32}}], ports: [{protocol: TCP, port: 443}]}
- {to: [{podSelector: {matchLabels: {app: gateway}}}], ports: [{protocol: TCP, port: 9091}]}
`)
	for _, policy := range []string{"wordpress-mysql", "wordpress-metrics-gateway"} {
		spec := get[networkingv1.NetworkPolicy](p, "NetworkPolicy", policy).Spec
		if !slices.ContainsFunc(spec.Ingress, func(rule networkingv1.NetworkPolicyIngressRule) bool {
			return rule.From[0].PodSelector.MatchLabels["app"] == "log"
		}) {
			t.Errorf("%s does not let it in: %+v", policy, spec.Ingress)
		}
	}
}
