package unit_test

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"wordpress-on-kubernetes/components/frontend"
)

func withAdmin(args *frontend.Args) {
	args.Title = "It's a site"
	args.Admin = &frontend.AdminArgs{User: "admin", Email: "admin@example.com", Password: aSecret("the password of the administrator")}
}

// installer is the init container that installs.
func installer(t *testing.T, p planned) (corev1.Container, corev1.PodSpec) {
	t.Helper()
	spec := get[appsv1.Deployment](p, "Deployment", "wordpress").Spec.Template.Spec
	i := slices.IndexFunc(spec.InitContainers, func(c corev1.Container) bool { return c.Name == "install" })
	if i != len(spec.InitContainers)-1 {
		t.Fatalf("the installer is container %d of %d: the content must be there before", i, len(spec.InitContainers))
	}
	return spec.InitContainers[i], spec
}

func TestInstallerAloneSeesTheAdministratorsPassword(t *testing.T) {
	p := runFrontend(t, withAdmin)
	install, spec := installer(t, p)
	const volume = "admin"
	isIt := func(m corev1.VolumeMount) bool { return m.Name == volume }
	if !slices.ContainsFunc(install.VolumeMounts, isIt) {
		t.Error("the installer has no password")
	}
	for _, c := range append(spec.Containers, spec.InitContainers[:len(spec.InitContainers)-1]...) {
		if slices.ContainsFunc(c.VolumeMounts, isIt) {
			t.Errorf("the container %s has it too", c.Name)
		}
	}
	if got := get[corev1.Secret](p, "Secret", "wordpress-admin").StringData["password"]; got != "the password of the administrator" {
		t.Errorf("the Secret holds %q", got)
	}
}

// A pod asks for the greatest of its init containers, if that is more than the others together.
func TestInstallerAsksForNoMoreThanTheSite(t *testing.T) {
	install, spec := installer(t, runFrontend(t, withAdmin))
	for name, limit := range install.Resources.Limits {
		if request := install.Resources.Requests[name]; request.Cmp(limit) != 0 || limit.Cmp(spec.Containers[0].Resources.Limits[name]) > 0 {
			t.Errorf("%s: %v, and the site has %v", name, install.Resources, spec.Containers[0].Resources)
		}
	}
}

func TestNobodyIsInstalledWithoutAnAdministrator(t *testing.T) {
	p := runFrontend(t)
	if _, found := p.objects()["Secret wordpress-admin"]; found {
		t.Error("there is a Secret for nobody")
	}
	installer(t, p) // upgrades the database all the same
	if script := siteFile(p, "install.php"); !strings.Contains(script, "$administrator = null;") {
		t.Errorf("the installer has an administrator:\n%s", script)
	}
}

func TestExistingSecretOfTheAdministratorMayBeGone(t *testing.T) {
	p := runFrontend(t, withAdmin, func(args *frontend.Args) {
		args.Admin.Password, args.Admin.ExistingSecret = nil, "from-the-vault"
	})
	_, spec := installer(t, p)
	i := slices.IndexFunc(spec.Volumes, func(v corev1.Volume) bool { return v.Name == "admin" })
	if i < 0 || spec.Volumes[i].Secret.SecretName != "from-the-vault" || !*spec.Volumes[i].Secret.Optional {
		t.Errorf("the volumes are %v", spec.Volumes)
	}
}

func TestTextsOfTheInstallerAreTexts(t *testing.T) {
	script := siteFile(runFrontend(t, withAdmin), "install.php")
	if !strings.Contains(script, `'title' => 'It\'s a site', 'user' => 'admin', 'email' => 'admin@example.com'`) {
		t.Errorf("the installer has another title:\n%s", script)
	}
}

func TestVisitorsStartNoTasksWhereSomebodyElseDoes(t *testing.T) {
	for _, cron := range []bool{false, true} {
		p := runFrontend(t, func(args *frontend.Args) { args.Cron = cron })
		if got := strings.Contains(siteFile(p, "wp-config.php"), "define('DISABLE_WP_CRON', true);"); got != cron {
			t.Errorf("visitors start none: %t, want %t", got, cron)
		}
	}
}

func TestIncompleteAdministratorsAreRefused(t *testing.T) {
	for name, spoil := range map[string]func(*frontend.AdminArgs){
		"no name":       func(a *frontend.AdminArgs) { a.User = "" },
		"no address":    func(a *frontend.AdminArgs) { a.Email = "" },
		"no password":   func(a *frontend.AdminArgs) { a.Password = nil },
		"two passwords": func(a *frontend.AdminArgs) { a.ExistingSecret = "vault" },
	} {
		t.Run(name, func(t *testing.T) {
			args := wordpress(withAdmin)
			spoil(args.Admin)
			wantError(t, frontendProgram(args), "of the administrator are required")
		})
	}
}
