package stack

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"

	stackconfig "wordpress-on-kubernetes/config"
)

var committedFiles = []string{"Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml"}

// checkout is a copy of the committed files in a folder of the test's own.
func checkout(t *testing.T) string {
	t.Helper()
	repo := t.TempDir()
	for _, name := range committedFiles {
		text, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(repo, name), string(text))
	}
	return repo
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// rewrite changes a committed file of a checkout.
func rewrite(t *testing.T, repo, name, old, replacement string) {
	t.Helper()
	path := filepath.Join(repo, name)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s does not contain %q", name, old)
	}
	writeFile(t, path, strings.Replace(string(text), old, replacement, 1))
}

func prepare(t *testing.T, project *Project) {
	t.Helper()
	if err := project.Prepare(); err != nil {
		t.Fatal(err)
	}
}

// prepared are the configuration and secret keys of a project that can be prepared.
func prepared(t *testing.T, project *Project) (values map[string]string, secretKeys []string) {
	t.Helper()
	prepare(t, project)
	values, secretKeys, err := project.values()
	if err != nil {
		t.Fatal(err)
	}
	return values, secretKeys
}

// secretValues are those of the keys that are encrypted.
func secretValues(t *testing.T, project *Project) map[string]string {
	t.Helper()
	values, keys := prepared(t, project)
	secrets := map[string]string{}
	for _, key := range keys {
		secrets[key] = values[key]
	}
	return secrets
}

// allSecrets are the keys of a stack that runs its own database and installs its site.
var allSecrets = []string{"wordpress:adminPassword", "wordpress:authSecret", "wordpress:databasePassword", "wordpress:databaseRootPassword"}

func TestDevelopmentSecretsAreGenerated(t *testing.T) {
	t.Parallel()
	secrets := secretValues(t, &Project{Repo: checkout(t), Stack: "dev"})
	if keys := slices.Sorted(maps.Keys(secrets)); !slices.Equal(keys, allSecrets) {
		t.Fatalf("generated %q, want %q", keys, allSecrets)
	}
	seen := map[string]string{}
	for key, secret := range secrets {
		if len(secret) < 32 {
			t.Errorf("%s has %d characters only", key, len(secret))
		}
		if other, taken := seen[secret]; taken {
			t.Errorf("%s and %s are the same", key, other)
		}
		seen[secret] = key
	}
}

func TestGeneratedSecretsStayOnTheNextRun(t *testing.T) {
	t.Parallel()
	project := &Project{Repo: checkout(t), Stack: "dev"}
	first, second := secretValues(t, project), secretValues(t, project)
	if !maps.Equal(first, second) {
		t.Error("the second run made new secrets; the database keeps the first")
	}
	if other := secretValues(t, &Project{Repo: checkout(t), Stack: "dev"}); maps.Equal(first, other) {
		t.Error("two checkouts have the same secrets")
	}
}

// What somebody wrote in plain by mistake is gone once they have taken it out.
func TestPlainSecretIsNotKept(t *testing.T) {
	t.Parallel()
	repo := checkout(t)
	project := &Project{Repo: repo, Stack: "dev"}
	const plain = "  wordpress:databasePassword: hunter2hunter2\n"
	rewrite(t, repo, "Pulumi.dev.yaml", "  wordpress:profile:", plain+"  wordpress:profile:")
	if values, _ := prepared(t, project); values["wordpress:databasePassword"] != "hunter2hunter2" {
		t.Fatal("the password was not taken from the stack file")
	}
	rewrite(t, repo, "Pulumi.dev.yaml", plain, "")
	if secrets := secretValues(t, project); secrets["wordpress:databasePassword"] == "" || secrets["wordpress:databasePassword"] == "hunter2hunter2" {
		t.Error("the password was not made anew")
	}
}

// What MySQL's data was made with must outlive a slip in the stack file.
func TestGeneratedSecretOutlivesPlainOne(t *testing.T) {
	t.Parallel()
	repo := checkout(t)
	project := &Project{Repo: repo, Stack: "dev"}
	generated := secretValues(t, project)["wordpress:databasePassword"]
	const plain = "  wordpress:databasePassword: hunter2hunter2\n"
	rewrite(t, repo, "Pulumi.dev.yaml", "  wordpress:profile:", plain+"  wordpress:profile:")
	if err := project.Prepare(); err == nil || !strings.Contains(err.Error(), "Pulumi.dev.yaml: wordpress:databasePassword is in plain") ||
		strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got the error %v, want one that names the file and the key", err)
	}
	rewrite(t, repo, "Pulumi.dev.yaml", plain, "")
	if got := secretValues(t, project)["wordpress:databasePassword"]; got != generated {
		t.Error("the generated password is gone")
	}
}

func TestPreparedStacksAreValid(t *testing.T) {
	t.Parallel()
	repo := checkout(t)
	for _, project := range []*Project{
		{Repo: repo, Stack: "dev"},
		{Repo: repo, Stack: "dev", Context: "mine"},
		{Repo: repo, Stack: "dev", Placeholders: true},
		{Repo: repo, Stack: "prod", Placeholders: true},
	} {
		values, secretKeys := prepared(t, project)
		if _, err := stackconfig.Load(values, secretKeys); err != nil {
			t.Errorf("%s: %v", project.Dir(), err)
		}
	}
}

func TestGeneratedSecretsAreInNoFile(t *testing.T) {
	t.Parallel()
	repo := checkout(t)
	secrets := secretValues(t, &Project{Repo: repo, Stack: "dev"})
	files := 0
	walk(t, repo, func(path string, _ fs.FileInfo) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files++
		for key, secret := range secrets {
			if strings.Contains(string(text), secret) {
				t.Errorf("%s holds %s in plain text", path, key)
			}
		}
	})
	if files <= len(committedFiles) {
		t.Fatalf("%d files were searched, none of them derived", files)
	}
}

func walk(t *testing.T, root string, visit func(path string, info fs.FileInfo)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			visit(path, info)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPassphraseAndStateAreTheUsersAlone(t *testing.T) {
	t.Parallel()
	project := &Project{Repo: checkout(t), Stack: "dev"}
	prepare(t, project)
	for path, want := range map[string]fs.FileMode{
		project.passphraseFile(): 0o600,
		project.stateDir():       0o700 | fs.ModeDir,
		project.Dir():            0o700 | fs.ModeDir,
	} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode(), want)
		}
	}
}

// A text that is known in the key tells the engine that the passphrase is right.
func TestEncryptionSaltIsTheEnginesOwnForm(t *testing.T) {
	t.Parallel()
	project := &Project{Repo: checkout(t), Stack: "dev"}
	prepare(t, project)
	text, err := os.ReadFile(project.derived())
	if err != nil {
		t.Fatal(err)
	}
	_, salt, found := strings.Cut(string(text), "encryptionsalt: v1:")
	salt, _, _ = strings.Cut(salt, "\n")
	if parts := strings.Split(salt, ":"); !found || len(parts) != 4 || len(parts[0]) != 12 || parts[1] != "v1" {
		t.Errorf("the salt is %q, want eight bytes in base64 and a text that is encrypted with version 1", salt)
	}
}

func TestCommittedFilesAreNeverWritten(t *testing.T) {
	t.Parallel()
	repo := checkout(t)
	before := map[string]string{}
	visit := func(files map[string]string) func(string, fs.FileInfo) {
		return func(path string, info fs.FileInfo) {
			if filepath.Dir(path) == repo {
				text, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				files[filepath.Base(path)] = info.ModTime().String() + string(text)
			}
		}
	}
	walk(t, repo, visit(before))
	prepare(t, &Project{Repo: repo, Stack: "dev", Overrides: map[string]string{"wordpress:namespace": "other"}})
	prepare(t, &Project{Repo: repo, Stack: "prod", Placeholders: true})
	if err := (&Project{Repo: repo, Stack: "prod"}).Prepare(); err == nil {
		t.Error("production without secrets is prepared")
	}
	after := map[string]string{}
	walk(t, repo, visit(after))
	if !maps.Equal(before, after) || len(before) != len(committedFiles) {
		t.Errorf("the committed files were %q and are %q, or one of them changed",
			slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)))
	}
}

func TestProductionWithoutSecretsStopsWithTheCommandsToRun(t *testing.T) {
	t.Parallel()
	const command = "\n  pulumi config set --secret --stack prod wordpress:"
	user, root, auth, admin := command+"databasePassword", command+"databaseRootPassword", command+"authSecret", command+"adminPassword"
	backup := []string{command + "backupPassword", command + "backupAccessKey", command + "backupSecretKey"}
	for name, row := range map[string]struct {
		old, replacement string
		want             []string
	}{
		"as committed":                         {"", "", append([]string{user, root, auth, admin}, backup...)},
		"external database":                    {"mode: standalone\n    image: mysql:9.7.4", "mode: external\n    host: db.example.com", append([]string{user, auth, admin}, backup...)},
		"existing secret of the database":      {"mode: standalone", "mode: standalone\n    existingSecret: vault", append([]string{auth, admin}, backup...)},
		"existing secret of the frontend":      {"spread: preferred", "existingSecret: vault", append([]string{user, root, admin}, backup...)},
		"existing secret of the administrator": {"email: admin@example.com", "email: admin@example.com, existingSecret: vault", append([]string{user, root, auth}, backup...)},
		"existing secret of the backup":        {"    repository:", "    existingSecret: vault\n    repository:", []string{user, root, auth, admin}},
		"no backup":                            {"    enabled: true\n    # Outside the cluster.", "    enabled: false\n    # Outside the cluster.", []string{user, root, auth, admin}},
		"nobody to install":                    {"    admin: {user: admin, email: admin@example.com}\n", "", append([]string{user, root, auth}, backup...)},
	} {
		t.Run(name, func(t *testing.T) {
			repo := checkout(t)
			rewrite(t, repo, "Pulumi.prod.yaml", row.old, row.replacement)
			project := &Project{Repo: repo, Stack: "prod"}
			err := project.Prepare()
			if err == nil {
				t.Fatal("no error")
			}
			for _, line := range append([]string{user, root, auth, admin}, backup...) {
				if want, got := slices.Contains(row.want, line), strings.Contains(err.Error()+"\n", line+"\n"); got != want {
					t.Errorf("the line %q is there: %t, want %t, in\n%v", line, got, want, err)
				}
			}
			if _, err := os.Stat(project.derived()); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a stack file without secrets is left behind (%v)", err)
			}
		})
	}
}

func TestExistingSecretsNeedNoOthers(t *testing.T) {
	t.Parallel()
	repo := checkout(t)
	rewrite(t, repo, "Pulumi.prod.yaml", "mode: standalone", "mode: standalone\n    existingSecret: vault")
	rewrite(t, repo, "Pulumi.prod.yaml", "spread: preferred", "existingSecret: vault-too")
	rewrite(t, repo, "Pulumi.prod.yaml", "email: admin@example.com", "email: admin@example.com, existingSecret: vault-as-well")
	rewrite(t, repo, "Pulumi.prod.yaml", "    repository:", "    existingSecret: vault-last\n    repository:")
	for _, placeholders := range []bool{false, true} {
		secrets := secretValues(t, &Project{Repo: repo, Stack: "prod", Context: "mine", Placeholders: placeholders})
		if len(secrets) != 0 {
			t.Errorf("with placeholders %t, got secrets for %q, want none", placeholders, slices.Sorted(maps.Keys(secrets)))
		}
	}
}

func TestOverrideMayNameAnExistingSecret(t *testing.T) {
	t.Parallel()
	project := &Project{Repo: checkout(t), Stack: "dev", Overrides: map[string]string{"wordpress:frontend.existingSecret": "vault"}}
	want := []string{"wordpress:adminPassword", "wordpress:databasePassword", "wordpress:databaseRootPassword"}
	if keys := slices.Sorted(maps.Keys(secretValues(t, project))); !slices.Equal(keys, want) {
		t.Errorf("generated %q, want %q", keys, want)
	}
}

func TestPlaceholdersNeverReachWhatIsDeployed(t *testing.T) {
	t.Parallel()
	repo := checkout(t)
	preview := &Project{Repo: repo, Stack: "dev", Placeholders: true}
	for key, secret := range secretValues(t, preview) {
		if !strings.HasPrefix(secret, placeholder) {
			t.Errorf("%s is no placeholder in a preview", key)
		}
	}
	project := &Project{Repo: repo, Stack: "dev"}
	if _, err := os.Stat(project.Dir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the preview made the project of the deployment (%v)", err)
	}
	if overlap := strings.HasPrefix(project.stateDir(), preview.Dir()); overlap {
		t.Errorf("the state %s lies in the project of the preview", project.stateDir())
	}
	for key, secret := range secretValues(t, project) {
		if strings.Contains(secret, placeholder) {
			t.Errorf("%s is a placeholder in the deployment", key)
		}
	}
	if err := (&Project{Repo: repo, Stack: "prod"}).Prepare(); err == nil {
		t.Error("after a preview, production is prepared without secrets")
	}
}

func TestStacksOfDifferentClustersShareNothing(t *testing.T) {
	t.Parallel()
	repo := checkout(t)
	dirs := map[string]bool{}
	for _, project := range []*Project{
		{Repo: repo, Stack: "dev"},
		{Repo: repo, Stack: "dev", Context: "mine"},
		{Repo: repo, Stack: "dev", Variant: "-test"},
		{Repo: repo, Stack: "dev", Placeholders: true},
	} {
		dirs[project.Dir()] = true
	}
	if len(dirs) != 4 {
		t.Errorf("four deployments have the folders %q", slices.Sorted(maps.Keys(dirs)))
	}
}

func TestTargetDecidesContextAndImages(t *testing.T) {
	t.Parallel()
	repo := checkout(t)
	for name, row := range map[string]struct {
		project *Project
		context string
		local   bool
	}{
		"local cluster": {&Project{Repo: repo, Stack: "dev"}, LocalContext, true},
		"own context":   {&Project{Repo: repo, Stack: "dev", Context: "mine"}, "mine", false},
		"preview":       {&Project{Repo: repo, Stack: "dev", Placeholders: true}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			values, _ := prepared(t, row.project)
			if got := values["kubernetes:context"]; got != row.context {
				t.Errorf("the context is %q, want %q", got, row.context)
			}
			if got := strings.Contains(values["wordpress:frontend"], "localhost/wordpress"); got != row.local {
				t.Errorf("the image is that of the local cluster: %t, want %t", got, row.local)
			}
		})
	}
}

func TestLocalClusterRefusesHostsWithoutItsCertificate(t *testing.T) {
	useKubeconfig(t, "mine")
	for host, refused := range map[string]bool{
		"wordpress.localhost":        false,
		"blog.wordpress.localhost":   false,
		"blog.example.org":           true,
		"a.blog.wordpress.localhost": true,
	} {
		repo := checkout(t)
		rewrite(t, repo, "Pulumi.dev.yaml", "host: wordpress.localhost", "host: "+host)
		err := (&Project{Repo: repo, Stack: "dev"}).Check()
		if (err != nil) != refused || err != nil && !strings.Contains(err.Error(), "wordpress:site.host: \""+host) {
			t.Errorf("%s: got the error %v, want one: %t", host, err, refused)
		}
		if err := (&Project{Repo: repo, Stack: "dev", Context: "mine"}).Check(); err != nil {
			t.Errorf("%s on a cluster of the user's: %v", host, err)
		}
	}
}

func TestUnknownContextIsRefusedBeforeAnythingIsBuilt(t *testing.T) {
	repo := checkout(t)
	project := &Project{Repo: repo, Stack: "dev", Context: "mien"}

	file := useKubeconfig(t, "mine", "another")
	err := project.Check()
	if want := fmt.Sprintf(`CONTEXT "mien" is not in %s: use one of another, mine`, file); err == nil || err.Error() != want {
		t.Errorf("got the error %v, want %s", err, want)
	}

	file = useKubeconfig(t)
	err = project.Check()
	want := fmt.Sprintf(`CONTEXT "mien": there are no contexts in %s: set KUBECONFIG to your kubeconfig`, file)
	if err == nil || err.Error() != want {
		t.Errorf("got the error %v, want %s", err, want)
	}
	if _, err := os.Stat(project.Dir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is there although nothing was deployed (%v)", project.Dir(), err)
	}
}

// useKubeconfig has the user's kubeconfig hold these contexts, or not be there.
func useKubeconfig(t *testing.T, contexts ...string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "kubeconfig")
	t.Setenv("KUBECONFIG", file)
	if len(contexts) == 0 {
		return file
	}
	text := "apiVersion: v1\nkind: Config\ncontexts:\n"
	for _, name := range contexts {
		text += "- name: " + name + "\n"
	}
	writeFile(t, file, text)
	return file
}

func TestOnlyTheLocalClusterReplacesSettings(t *testing.T) {
	t.Parallel()
	for _, project := range []*Project{{}, {Context: "mine"}, {Placeholders: true}} {
		replaced, err := project.Replaced()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := replaced["wordpress:frontend.image"] != "", project.Context == "" && !project.Placeholders; got != want {
			t.Errorf("context %q, placeholders %t: the image is replaced: %t, want %t", project.Context, project.Placeholders, got, want)
		}
	}
}

func TestOverridesComeLast(t *testing.T) {
	t.Parallel()
	project := &Project{Repo: checkout(t), Stack: "dev", Overrides: map[string]string{"wordpress:frontend.image": "localhost/wordpress:6.8"}}
	values, _ := prepared(t, project)
	if got := values["wordpress:frontend"]; !strings.Contains(got, `"localhost/wordpress:6.8"`) || !strings.Contains(got, `"drainSeconds"`) {
		t.Errorf("the frontend is %s, want the image of the override beside the other fields", got)
	}
	project.Overrides = map[string]string{"wordpress:frontend.drainSeconds": ""}
	values, _ = prepared(t, project)
	if got := values["wordpress:frontend"]; strings.Contains(got, "drainSeconds") || !strings.Contains(got, "resources") {
		t.Errorf("the frontend is %s, want it without drainSeconds", got)
	}
	project.Overrides = map[string]string{"a:b:c:d": "x"}
	if err := project.Prepare(); err == nil || !strings.Contains(err.Error(), `override "a:b:c:d"`) {
		t.Errorf("got the error %v, want one that names the override", err)
	}
}

func TestDamagedSaltIsReportedWithItsFile(t *testing.T) {
	t.Parallel()
	project := &Project{Repo: checkout(t), Stack: "dev"}
	prepare(t, project)
	text, err := os.ReadFile(project.derived())
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, project.derived(), strings.Replace(string(text), "encryptionsalt: v1:", "encryptionsalt: v1:!", 1))
	if err := project.Prepare(); err == nil || !strings.Contains(err.Error(), project.derived()+": encryptionsalt:") {
		t.Errorf("got the error %v, want one that names the file and the key", err)
	}
}

func TestOpenFindsTheCheckoutFromBelow(t *testing.T) {
	repo := checkout(t)
	below := filepath.Join(repo, "tests", "e2e")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(below)
	project, err := Open("dev", "mine")
	if err != nil {
		t.Fatal(err)
	}
	if resolved, err := filepath.EvalSymlinks(repo); err != nil || project.Repo != resolved && project.Repo != repo {
		t.Errorf("the checkout is %q, want %q (%v)", project.Repo, repo, err)
	}
	if _, err := Open("staging", ""); err == nil || !strings.Contains(err.Error(), `stack "staging"`) {
		t.Errorf("got the error %v for a stack without a file", err)
	}
	t.Chdir(t.TempDir())
	if _, err := Open("dev", ""); err == nil || !strings.Contains(err.Error(), "no Pulumi.yaml") {
		t.Errorf("got the error %v outside a checkout", err)
	}
}

func TestEngineUsesTheLocalStateAndPassphrase(t *testing.T) {
	t.Setenv("PULUMI_BACKEND_URL", "")
	t.Setenv("PULUMI_CONFIG_PASSPHRASE", "")
	t.Setenv("PULUMI_CONFIG_PASSPHRASE_FILE", "")
	installed := Engine{Command: "pulumi", Installed: true}
	project := &Project{Repo: checkout(t), Stack: "dev", Context: "mine"}
	t.Setenv("PULUMI_CONFIG_PASSPHRASE", "that of another stack")
	prepare(t, project)
	environment := project.Env(installed)
	passphrase, err := os.ReadFile(project.passphraseFile())
	if err != nil {
		t.Fatal(err)
	}
	if environment["PULUMI_BACKEND_URL"] != "file://"+project.stateDir() ||
		environment["PULUMI_CONFIG_PASSPHRASE"] != string(passphrase) {
		t.Errorf("got %v, want the local state and passphrase", environment)
	}

	for _, variable := range []string{"KUBECONFIG", "PULUMI_HOME"} {
		if value, set := environment[variable]; set {
			t.Errorf("%s is set to %q over the user's own", variable, value)
		}
	}
	project.Placeholders = true
	environment = project.Env(installed)
	if environment["PULUMI_BACKEND_URL"] != "file://"+project.stateDir() {
		t.Errorf("a preview with placeholders uses the state %q", environment["PULUMI_BACKEND_URL"])
	}
	if _, err := os.Stat(environment["KUBECONFIG"]); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a preview with placeholders can reach the cluster of %q (%v)", environment["KUBECONFIG"], err)
	}
}

func TestDeployedFollowsTheStateOfItsCluster(t *testing.T) {
	t.Setenv("PULUMI_BACKEND_URL", "")
	repo := checkout(t)
	local, elsewhere := &Project{Repo: repo, Stack: "dev"}, &Project{Repo: repo, Stack: "dev", Context: "mine"}
	prepare(t, local)
	if local.Deployed() {
		t.Error("a prepared stack counts as deployed")
	}
	state := filepath.Join(local.stateDir(), ".pulumi", "stacks", "wordpress", "dev.json")
	if err := os.MkdirAll(filepath.Dir(state), 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, state, "{}")
	if !local.Deployed() {
		t.Error("a stack with a state does not count as deployed")
	}
	if elsewhere.Deployed() {
		t.Error("what is deployed to the local cluster counts as deployed to another one")
	}
	// Taking the local cluster down removes its folder.
	if err := os.RemoveAll(filepath.Join(repo, ".local", "cluster")); err != nil {
		t.Fatal(err)
	}
	if local.Deployed() {
		t.Error("the state has outlived its cluster")
	}
}

// The host of the engine's own folder must be told the program, whatever the checkout's path is, and what was there before, a
// link to the tool that all checkouts may share, must not be written through.
func TestLanguageHostIsToldTheProgram(t *testing.T) {
	repo := filepath.Join(t.TempDir(), "it's a checkout")
	project := &Project{Repo: repo, Stack: "dev"}
	bin := filepath.Join(project.Local(), "bin")
	for _, dir := range []string{bin, project.hosts()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	const tool = "#!/bin/sh\nprintf '%s\\n' \"$@\"\n"
	built := filepath.Join(bin, languageHost)
	for _, path := range []string{built, filepath.Join(bin, "pulumi")} {
		if err := os.WriteFile(path, []byte(tool), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(built, filepath.Join(project.hosts(), languageHost)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", t.TempDir())
	for range 2 {
		if _, err := project.FindEngine(); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", "/usr/bin:/bin")
	got, err := exec.CommandContext(t.Context(), filepath.Join(project.hosts(), languageHost), "127.0.0.1:1").CombinedOutput()
	if want := "-binary\n" + project.Binary() + "\n127.0.0.1:1\n"; err != nil || string(got) != want {
		t.Errorf("the tool is started with\n%s(%v)\nwant\n%s", got, err, want)
	}
	if text, err := os.ReadFile(built); err != nil || string(text) != tool {
		t.Errorf("the tool itself is now\n%s(%v)", text, err)
	}
	if files, err := os.ReadDir(project.hosts()); err != nil || len(files) != 1 {
		t.Errorf("the folder of hosts holds %v (%v), want the host alone", files, err)
	}
}

// A built engine is told its host; an installed one has its own.
func TestProjectNamesTheHostOfABuiltEngine(t *testing.T) {
	installed := t.TempDir()
	if err := os.WriteFile(filepath.Join(installed, "pulumi"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	project := &Project{Repo: checkout(t), Stack: "dev"}
	for path, want := range map[string]string{t.TempDir(): project.hosts(), installed: ""} {
		t.Setenv("PATH", path)
		prepare(t, project)
		derived, err := workspace.LoadProject(filepath.Join(project.Dir(), "Pulumi.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		var got string
		if derived.Plugins != nil {
			got = derived.Plugins.Languages[0].Path
		}
		if got != want {
			t.Errorf("got the host %q, want %q", got, want)
		}
	}
}
