package unit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"

	"wordpress-on-kubernetes/components/database"
)

// standalone are valid args of a server that is run here.
func standalone() *database.Args {
	return &database.Args{
		Namespace: namespaceInput, Instance: instance,
		Database: "blog", User: "author", Password: aSecret("user-password"),
		Server: &database.ServerArgs{
			Image: "mysql:9.7.4", ImagePullPolicy: "Always", RootPassword: aSecret("root-password"), Resources: someResources(),
			User: someUser, MaxConnections: 60, TerminationGracePeriodSeconds: 120, DataClaim: pulumi.String("data"),
		},
	}
}

// external are valid args of a server that somebody else runs.
func external() *database.Args {
	args := standalone()
	args.Server = nil
	args.External = &database.ExternalArgs{Host: "db.example.com", Port: 3307}
	return args
}

func databaseProgram(args *database.Args) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		component, err := database.New(ctx, "db", args)
		if err != nil {
			return err
		}
		if err := component.Serve(); err != nil {
			return err
		}
		ready := pulumi.String(fmt.Sprint(len(component.Ready)))
		return expose(ctx, pulumi.StringMap{
			"host": component.Host, "secretName": component.SecretName, "ready": ready,
		})
	}
}

func TestStandaloneDatabaseRunsAServer(t *testing.T) {
	p := run(t, databaseProgram(standalone()))
	p.wantObjects(
		"ConfigMap wordpress-mysql", "PodDisruptionBudget wordpress-mysql",
		"Secret wordpress-db-pwd", "Secret wordpress-db-root-pwd",
		"Service wordpress-mysql", "Service wordpress-mysql-headless", "StatefulSet wordpress-mysql")
	p.wantOutputs(map[string]string{"host": "wordpress-mysql:3306", "secretName": "wordpress-db-pwd", "ready": "1"})
}

func TestExternalDatabaseKeepsOnlyThePassword(t *testing.T) {
	p := run(t, databaseProgram(external()))
	p.wantObjects("Secret wordpress-db-pwd")
	p.wantOutputs(map[string]string{"host": "db.example.com:3307", "secretName": "wordpress-db-pwd", "ready": "0"})
}

func TestExternalDatabaseWithExistingSecretHasNoObjects(t *testing.T) {
	args := external()
	args.Password, args.ExistingSecret = nil, "from-the-vault"
	p := run(t, databaseProgram(args))
	p.wantObjects()
	p.wantOutputs(map[string]string{"host": "db.example.com:3307", "secretName": "from-the-vault", "ready": "0"})
}

func TestServerReadsBothPasswordsOfAnExistingSecret(t *testing.T) {
	args := standalone()
	args.Password, args.Server.RootPassword, args.ExistingSecret = nil, nil, "from-the-vault"
	p := run(t, databaseProgram(args))
	for object := range p.objects() {
		if strings.HasPrefix(object, "Secret ") {
			t.Errorf("%s is created beside the existing one", object)
		}
	}
	var keys []string
	for _, source := range passwordSources(t, p) {
		keys = append(keys, source.Name+"/"+source.Items[0].Key)
	}
	if got, want := fmt.Sprint(keys), "[from-the-vault/dbpwd from-the-vault/dbrootpwd]"; got != want {
		t.Errorf("the server reads %s, want %s", got, want)
	}
}

func passwordSources(t *testing.T, p planned) []*corev1.SecretProjection {
	t.Helper()
	var secrets []*corev1.SecretProjection
	for _, volume := range server(p).Spec.Template.Spec.Volumes {
		if volume.Projected == nil {
			continue
		}
		for _, source := range volume.Projected.Sources {
			secrets = append(secrets, source.Secret)
		}
	}
	return secrets
}

func server(p planned) appsv1.StatefulSet {
	p.t.Helper()
	return get[appsv1.StatefulSet](p, "StatefulSet", "wordpress-mysql")
}

func TestPasswordsAreInSecretsOfTheirOwn(t *testing.T) {
	p := run(t, databaseProgram(standalone()))
	for name, want := range map[string]map[string]string{
		"wordpress-db-pwd":      {"dbpwd": "user-password"},
		"wordpress-db-root-pwd": {"dbrootpwd": "root-password"},
	} {
		got := get[corev1.Secret](p, "Secret", name).StringData
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s holds %v, want %v", name, got, want)
		}
		if !p.registration("Secret", name).Inputs["stringData"].IsSecret() {
			t.Errorf("the values of %s are not marked as secret", name)
		}
	}
}

func TestServerRunsAsConfigured(t *testing.T) {
	p := run(t, databaseProgram(standalone()))
	spec := server(p).Spec.Template.Spec
	if grace := *spec.TerminationGracePeriodSeconds; grace != 120 {
		t.Errorf("grace period is %d s, want 120", grace)
	}
	environment := map[string]string{}
	for _, variable := range spec.Containers[0].Env {
		environment[variable.Name] = variable.Value
	}
	for name, want := range map[string]string{
		"MYSQL_DATABASE": "blog", "MYSQL_USER": "author",
		"MYSQL_PASSWORD_FILE":      "/etc/mysql-passwords/dbpwd",
		"MYSQL_ROOT_PASSWORD_FILE": "/etc/mysql-passwords/dbrootpwd",
	} {
		if environment[name] != want {
			t.Errorf("%s is %q, want %q", name, environment[name], want)
		}
	}
	config := get[corev1.ConfigMap](p, "ConfigMap", "wordpress-mysql").Data["wordpress.cnf"]
	for _, line := range []string{
		"character-set-server = utf8mb4", "collation-server = utf8mb4_unicode_ci",
		"innodb_buffer_pool_size = 402653184", "max_connections = 60",
	} {
		if !strings.Contains(config, "\n"+line+"\n") {
			t.Errorf("the server's configuration lacks the line %q", line)
		}
	}
}

// A fresh block volume holds lost+found, and MySQL refuses to initialise a directory that holds anything.
func TestDataDirectoryIsAFolderOfTheVolume(t *testing.T) {
	for _, mount := range server(run(t, databaseProgram(standalone()))).Spec.Template.Spec.Containers[0].VolumeMounts {
		if mount.MountPath == "/var/lib/mysql" {
			if mount.SubPath == "" {
				t.Error("the root of the volume is the data directory")
			}
			return
		}
	}
	t.Error("nothing is mounted at /var/lib/mysql")
}

func TestDrainMayEvictTheOnlyServer(t *testing.T) {
	budget := get[policyv1.PodDisruptionBudget](run(t, databaseProgram(standalone())), "PodDisruptionBudget", "wordpress-mysql")
	if got := budget.Spec.MaxUnavailable.IntValue(); got != 1 {
		t.Errorf("maxUnavailable is %d, want 1", got)
	}
}

// mountedConfigMap is the name of the ConfigMap among the volumes of a pod.
func mountedConfigMap(t *testing.T, spec corev1.PodSpec) string {
	t.Helper()
	for _, volume := range spec.Volumes {
		if volume.ConfigMap != nil {
			return volume.ConfigMap.Name
		}
	}
	t.Fatal("the pod mounts no ConfigMap")
	return ""
}

func TestServerRestartsOnlyForItsConfiguration(t *testing.T) {
	mounted := func(change func(*database.Args)) string {
		args := standalone()
		change(args)
		planned := run(t, databaseProgram(args))
		name := mountedConfigMap(t, server(planned).Spec.Template.Spec)
		configMap := get[corev1.ConfigMap](planned, "ConfigMap", "wordpress-mysql")
		if configMap.Name != name || configMap.Immutable == nil || !*configMap.Immutable {
			t.Errorf("the pod mounts %q, want the immutable ConfigMap %q", name, configMap.Name)
		}
		return name
	}
	unchanged := mounted(func(*database.Args) {})
	for name, change := range map[string]func(*database.Args){
		"memory":      func(a *database.Args) { a.Server.Resources.Memory = quantity("2Gi") },
		"connections": func(a *database.Args) { a.Server.MaxConnections = 61 },
	} {
		if mounted(change) == unchanged {
			t.Errorf("changed %s leaves the configuration as it is", name)
		}
	}
	for name, change := range map[string]func(*database.Args){
		"instance": func(a *database.Args) { a.Instance = "other" },
		"password": func(a *database.Args) { a.Password = aSecret("another-password") },
	} {
		if mounted(change) != unchanged {
			t.Errorf("changed %s changes the configuration", name)
		}
	}
}

func TestBadRevisionOfTheServerCanBeCorrected(t *testing.T) {
	if got := server(run(t, databaseProgram(standalone()))).Spec.PodManagementPolicy; got != "Parallel" {
		t.Errorf("podManagementPolicy is %q: with OrderedReady the controller waits for a bad pod to become ready", got)
	}
}

func TestBufferPoolLeavesRoomForTheServer(t *testing.T) {
	for memory, want := range map[string]string{
		"100Mi": "128Mi", // the least that MySQL works with well
		"768Mi": "128Mi",
		"1Gi":   "384Mi",  // (1024 - 256) / 2
		"1.5Gi": "896Mi",  // 1536 - 512 for the server - 113 for the connections is 911, rounded down
		"2Gi":   "1280Mi", // (2048 - 256) × 3/4 is 1344
		"4Gi":   "2816Mi", // (4096 - 256) × 3/4 is 2880
		"8Gi":   "6Gi",    // (8192 - 512) × 4/5
		"64Gi":  "51968Mi",
	} {
		wanted := quantity(want)
		if got := database.BufferPoolBytes(quantity(memory), 151); got != wanted.Value() {
			t.Errorf("memory of %s gives a pool of %d bytes, want %s", memory, got, want)
		}
	}
}

func TestBufferPoolIsWholeChunksAndGrowsWithTheMemory(t *testing.T) {
	const mebibyte, chunk = 1 << 20, 128 << 20
	var last int64
	for memory := int64(512); memory <= 16<<10; memory += 64 {
		limit := quantity(fmt.Sprintf("%dMi", memory))
		pool := database.BufferPoolBytes(limit, 151)
		if pool%chunk != 0 || pool < last || pool > limit.Value()*4/5 {
			t.Errorf("memory of %d MiB gives a pool of %d MiB after %d MiB", memory, pool/mebibyte, last/mebibyte)
		}
		last = pool
	}
}

func TestDatabaseRefusesIncompleteArgs(t *testing.T) {
	for name, row := range map[string]struct {
		spoil func(*database.Args)
		want  string
	}{
		"no namespace":      {func(a *database.Args) { a.Namespace = nil }, "namespace, instance, database and user are required"},
		"no instance":       {func(a *database.Args) { a.Instance = "" }, "namespace, instance, database and user are required"},
		"no database":       {func(a *database.Args) { a.Database = "" }, "namespace, instance, database and user are required"},
		"no user":           {func(a *database.Args) { a.User = "" }, "namespace, instance, database and user are required"},
		"no server":         {func(a *database.Args) { a.Server = nil }, "either an external server or one to run"},
		"two servers":       {func(a *database.Args) { a.External = &database.ExternalArgs{} }, "either an external server or one to run"},
		"no password":       {func(a *database.Args) { a.Password = nil }, "either a password or an existing secret"},
		"two passwords":     {func(a *database.Args) { a.ExistingSecret = "s" }, "either a password or an existing secret"},
		"no root password":  {func(a *database.Args) { a.Server.RootPassword = nil }, "either a root password or an existing secret"},
		"two root password": {func(a *database.Args) { a.Password, a.ExistingSecret = nil, "s" }, "either a root password or an existing secret"},
		"no image":          {func(a *database.Args) { a.Server.Image = "" }, "image, data claim and maximum connections"},
		"no pull policy":    {func(a *database.Args) { a.Server.ImagePullPolicy = "" }, "an image pull policy of the server is required"},
		"no claim":          {func(a *database.Args) { a.Server.DataClaim = nil }, "image, data claim and maximum connections"},
		"no connections":    {func(a *database.Args) { a.Server.MaxConnections = 0 }, "image, data claim and maximum connections"},
	} {
		t.Run(name, func(t *testing.T) {
			args := standalone()
			row.spoil(args)
			wantError(t, databaseProgram(args), `database "db"`, row.want)
		})
	}
}

// A server that ran for a moment before its policies would have been open for that moment.
func TestServerStartsAfterWhatItWaitsFor(t *testing.T) {
	p := run(t, func(ctx *pulumi.Context) error {
		first, err := newConfigMap(ctx, "first", nil)
		if err != nil {
			return err
		}
		args := standalone()
		args.After = []pulumi.Resource{first}
		return databaseProgram(args)(ctx)
	})
	first := p.registration("ConfigMap", "first").URN
	if got := p.registration("StatefulSet", "wordpress-mysql").DependsOn; !slices.Contains(got, first) {
		t.Errorf("the StatefulSet waits for %q, want %s too", got, first)
	}
}
