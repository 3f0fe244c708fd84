package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/rand"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

const (
	installContainer = "install"
	// didInstall and foundInstalled are what the container says that installs, and one that has nothing to do.
	didInstall     = "install: the site is installed, with the administrator admin"
	foundInstalled = "install: the site is installed: title, administrator and adminPassword of the configuration are not used"
)

// installers are the paths by which a visitor would install a site or upgrade its database, in many spellings.
func installers() []string {
	var paths []string
	for _, name := range []string{"install", "setup-config", "upgrade"} {
		for _, form := range []string{
			"/wp-admin/%s.php", "/wp-admin/%s.php?step=2", "//wp-admin/%s.php", "/wp-admin//%s.php", "/wp-admin/%s.php/x",
			"/wp-includes/../wp-admin/%s.php", "/wp%%2Dadmin/%s.php", "/wp-admin/%s%%2Ephp", "/wp-admin/%%2E/%s.php",
		} {
			paths = append(paths, fmt.Sprintf(form, name))
		}
	}
	return paths
}

// isClosed reports an installer's page, or any answer that is no refusal.
func isClosed(ctx context.Context, visitor *site, paths []string) (problem error) {
	for _, path := range paths {
		response, err := visitor.get(ctx, path)
		if err == nil && (response.status < 400 || bytes.Contains(response.body, []byte("weblog_title"))) {
			err = fmt.Errorf("status %d, location %q", response.status, response.location)
		}
		if err != nil {
			problem = errors.Join(problem, fmt.Errorf("%s: %w", path, err))
		}
	}
	return problem
}

// TestSiteIsInstalledOnce has three pods start at once on empty volumes, and then again with another password.
func TestSiteIsInstalledOnce(t *testing.T) {
	s := newBeside(t, "install", map[string]string{
		"wordpress:frontend.replicas":     "3",
		"wordpress:frontend.drainSeconds": "2",
		"wordpress:autoscaling.enabled":   "false",
		loginRate:                         "6000",
		loginBurst:                        "1000",
	})
	t.Cleanup(func() { s.giveUpBoot(t, t.Failed()) })
	s.deploy(t)
	s.kubernetes.awaitRollout(t)
	await(t, "the site serves", s.serves)

	installed, found, problem := s.installations(t.Context())
	if problem == nil && (installed != 1 || found != 2) {
		problem = fmt.Errorf("%d pods installed the site and %d found it installed, want 1 and 2", installed, found)
	}
	s.installPlugin(t)
	problem = errors.Join(problem, s.visitor.login(t.Context(), s.admin))
	article, err := s.visitor.publish(t.Context(), "A post that must stay")
	problem = errors.Join(problem, err)
	if want := "/a-post-that-must-stay/"; article.path != want {
		problem = errors.Join(problem, fmt.Errorf("the post is at %s, want %s", article.path, want))
	}
	problem = errors.Join(problem, isClosed(t.Context(), s.visitor, installers()),
		s.eachPod(t.Context(), func(pod *site) error {
			return errors.Join(pod.reads(t.Context(), article), isClosed(t.Context(), pod, installers()))
		}))

	before := s.options(t)
	p := s.contender.(*program)
	p.setSecret(t, "wordpress:adminPassword", rand.String(24))
	s.setSetting(t, 1)
	if !strings.Contains(string(p.output()), "wordpress:adminPassword counts when the site is installed") {
		problem = errors.Join(problem, errors.New("the update does not say what a changed password of the administrator does"))
	}
	if after := s.options(t); after != before {
		problem = errors.Join(problem, fmt.Errorf("the options were\n%s\nand are\n%s", before, after))
	}
	again, found, err := s.installations(t.Context())
	if problem = errors.Join(problem, err); again != 0 || found != 3 {
		problem = errors.Join(problem, fmt.Errorf("of the second revision %d pods installed and %d found a site, want 0 and 3", again, found))
	}
	if visitor, err := throughEdge(s.host, s.project); err == nil {
		problem = errors.Join(problem, visitor.login(t.Context(), s.admin))
	}
	s.keep(t, proof{promise: 22, part: "once", title: "the site is installed by the program, once", rounds: 1,
		tried: "3 pods start at once on empty volumes; the administrator logs in; a post is read by its title; installers are asked for in " +
			"27 spellings, through the edge and at each pod; then another adminPassword and another revision",
		figure: outcome(problem, fmt.Sprintf("%d installation, then %d; the options stayed, and the first password counts", installed, again)),
		figures: evidence.Figures{
			"installations": float64(installed + again), "spellings": float64(len(installers())),
		}}, problem)

	s.exec(t, s.somePod(t), "", "printf 'weblog_title' >"+s.content+"/uploads/open.txt")
	noticed := isClosed(t.Context(), s.visitor, []string{"/wp-content/uploads/open.txt"}) != nil
	s.caught(t, 22, "the site is installed by the program, once", "a page that looks like an installer's is open to visitors",
		fmt.Sprintf("it is noticed: %t", noticed), noticed)
}

// installations tells how many of the pods that serve have installed the site, and how many found it installed.
func (s *subject) installations(ctx context.Context) (installed, found int, err error) {
	pods, err := s.kubernetes.readyPods(ctx, s.frontend)
	for _, pod := range pods {
		said := string(s.kubernetes.podLog(ctx, pod.Name, installContainer))
		installed += strings.Count(said, didInstall)
		found += strings.Count(said, foundInstalled)
	}
	return installed, found, err
}

// options are those that an installation makes, and what it makes beside them.
func (s *subject) options(t *testing.T) string {
	t.Helper()
	response, err := s.visitor.get(t.Context(), "/?proof-options=1")
	if err != nil || response.status != 200 {
		t.Fatalf("options: status %d, %v", response.status, err)
	}
	return string(response.body)
}

// TestNobodyElseInstallsTheSite brings up a stack that names no administrator: nobody may be faster.
func TestNobodyElseInstallsTheSite(t *testing.T) {
	s := newBeside(t, "nobody", map[string]string{
		"wordpress:site.title":            "",
		"wordpress:site.admin":            "",
		"wordpress:frontend.replicas":     "1",
		"wordpress:frontend.drainSeconds": "2",
		"wordpress:autoscaling.enabled":   "false",
	})
	t.Cleanup(func() { s.giveUpBoot(t, t.Failed()) })
	p := s.contender.(*program)
	engine, err := s.project.FindEngine()
	if err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	command := s.project.Command(ctx, engine, "up", "--yes", "--skip-preview")
	command.Stdout, command.Stderr = &p.deployment.output, &p.deployment.output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var problem error
	await(t, "the pod says what is missing", func(ctx context.Context) error {
		pods, err := s.livePods(ctx, s.frontend)
		if err != nil || len(pods) == 0 {
			return errors.Join(err, errors.New("there is no pod"))
		}
		problem = isClosed(ctx, s.visitor, append(installers(), "/"))
		if said := string(s.kubernetes.podLog(ctx, pods[0].Name, installContainer)); !strings.Contains(said, "set site.admin and adminPassword") {
			return fmt.Errorf("it says %q", said)
		}
		return problem
	})
	interrupt()
	if err := command.Wait(); err == nil {
		problem = errors.Join(problem, errors.New("up succeeded without a site"))
	}
	s.admin = account{user: "admin", password: rand.String(24)}
	p.set(t, "wordpress:site.admin.user", s.admin.user)
	p.set(t, "wordpress:site.admin.email", "admin@example.com")
	p.setSecret(t, "wordpress:adminPassword", s.admin.password)
	if err := p.Cancel(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.up(t)
	await(t, "the site serves", s.serves)
	problem = errors.Join(problem, s.visitor.login(t.Context(), s.admin))
	s.keep(t, proof{promise: 22, part: "nobody else", title: "nobody else installs the site", rounds: 1,
		tried:   "a stack without an administrator starts on an empty database, and is given one afterwards",
		figure:  outcome(problem, "visitors saw no installer, the pod said the way out, and its administrator logged in once there was one"),
		figures: evidence.Figures{"spellings": float64(len(installers()))}}, problem)
}
