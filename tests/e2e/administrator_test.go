package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

// TestAdministratorWorksInBrowser has a browser do what an administrator does with a new site, with every limit as it is by default, and
// then with a header at the edge that forbids the scripts that WordPress writes into its pages.
func TestAdministratorWorksInBrowser(t *testing.T) {
	needLong(t)
	const title = "an administrator works in a browser"
	s := newBeside(t, "browser", map[string]string{"wordpress:frontend.drainSeconds": "2"})
	t.Cleanup(func() { s.giveUpBoot(t, t.Failed()) })
	s.deploy(t)
	s.kubernetes.awaitRollout(t)
	await(t, "the site serves", s.serves)

	d := s.firstDay(t)
	problem := d.live(t)
	seen := d.console.soFar()
	s.keep(t, proof{promise: 30, title: title, rounds: 1, requests: seen.answers, failed: seen.failed,
		tried: d.product(t) + " in a root of its own logs in for the first time, writes and publishes a post with a picture in the block editor, reads it " +
			"as a visitor, opens the site editor and Site Health, and logs out",
		figure: outcome(problem, fmt.Sprintf("no error in the console with %d answers of the site; Site Health counts %d critical issues",
			seen.answers, d.critical)),
		figures: evidence.Figures{
			"errors": float64(len(seen.complaints)), "errorsOfOtherHosts": float64(seen.abroad), "criticalIssues": float64(d.critical),
		}}, problem)

	s.forbidInlineScripts(t)
	d.console.forget()
	if err := d.opens(d.address("/wp-login.php"))(); err != nil {
		t.Fatal(err)
	}
	seen = d.console.soFar()
	errorsNow := len(seen.complaints)
	s.caught(t, 30, title, "the edge forbids the scripts that WordPress writes into its pages",
		fmt.Sprintf("the form to log in makes %d errors in the console", errorsNow), errorsNow > 0, evidence.Figures{"errors": float64(errorsNow)})
}

// firstDay is an administrator's with a new site.
type firstDay struct {
	*browser
	tab
	visitor tab
	// post is the address of the one that is published, and critical how many issues Site Health calls that.
	post     string
	critical int
}

const (
	firstPost    = "Hello from a browser"
	firstPicture = "picture.png"
)

func (s *subject) firstDay(t *testing.T) *firstDay {
	t.Helper()
	picture, err := drawPicture()
	if err != nil {
		t.Fatal(err)
	}
	files := t.TempDir()
	if err := os.WriteFile(filepath.Join(files, firstPicture), picture, 0o644); err != nil {
		t.Fatal(err)
	}
	b := s.browse(t, files)
	return &firstDay{browser: b, tab: b.administrator, visitor: b.asVisitor(t)}
}

// live takes one step after another, and keeps a picture of where each has led, also of one that has failed.
func (d *firstDay) live(t *testing.T) error {
	t.Helper()
	for i, part := range []struct {
		name  string
		tab   tab
		steps func() step
	}{
		{"log in", d.tab, d.logsIn},
		{"write", d.tab, d.writes},
		{"publish", d.tab, d.publishes},
		{"read", d.visitor, d.reads},
		{"site editor", d.tab, d.opensSiteEditor},
		{"site health", d.tab, d.opensSiteHealth},
		{"log out", d.tab, d.logsOut},
	} {
		take := part.steps()
		err := take()
		d.keepPicture(t, part.tab, fmt.Sprintf("%d-%s", i+1, strings.ReplaceAll(part.name, " ", "-")))
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %w", part.name, err), d.console.soFar().problem())
		}
	}
	return d.console.soFar().problem()
}

func (d *firstDay) keepPicture(t *testing.T, shown tab, name string) {
	t.Helper()
	picture, err := shown.picture()
	if err != nil {
		t.Errorf("picture of %s: %v", name, err)
		return
	}
	keepArtifact(t, d.site.project, d.site.namespace+"-"+name+".png", picture)
}

// address of a path of the site.
func (d *firstDay) address(path string) string { return "https://" + d.site.host + path }

func (d *firstDay) logsIn() step {
	return inOrder(
		d.opens(d.address("/wp-login.php")),
		// The page's script moves the focus there once, and would do so while something else is typed.
		d.shows("the focus of the form", "document.activeElement.id === 'user_login'"),
		d.enters("#user_login", d.site.admin.user),
		d.enters("#user_pass", d.site.admin.password),
		d.clicks("#wp-submit"),
		d.shows("the dashboard", "!!document.querySelector('#dashboard-widgets')"),
	)
}

// writes a post with a title and an image block, which is given a file.
func (d *firstDay) writes() step {
	uploaded := fmt.Sprintf(".wp-block-image img[src^='%s']", d.address("/wp-content/uploads/"))
	return inOrder(
		d.opens(d.address("/wp-admin/post-new.php")),
		d.clicks(".components-modal__frame button[aria-label=Close]"), // a greeting
		d.enters(".wp-block-post-title", firstPost),
		d.clicks(".block-editor-default-block-appender__content"),
		d.enters("[data-type='core/paragraph']", "/image"),
		d.shows("the image block", "!!document.querySelector('.components-autocomplete__result')"),
		d.types("\r"),
		d.chooses(".wp-block-image input[type=file]", firstPicture),
		d.shows("the picture", found(uploaded)+".element?.naturalWidth > 0"),
	)
}

func (d *firstDay) publishes() step {
	const link = "document.querySelector('.post-publish-panel__postpublish-header a')"
	return inOrder(
		d.clicks(".editor-post-publish-button__button"),
		d.clicks(".editor-post-publish-panel .editor-post-publish-button"), // which asks whether that is meant
		d.shows("where the post is", "!!"+link),
		tells(d.tab, link+".href", &d.post),
	)
}

// reads the post as one who is not logged in.
func (d *firstDay) reads() step {
	return inOrder(
		d.visitor.opens(d.post),
		d.visitor.shows("the title", fmt.Sprintf("document.querySelector('h1').innerText === %q", firstPost)),
		d.visitor.shows("the picture", "document.querySelector('.wp-block-image img')?.naturalWidth > 0"),
		d.visitor.shows("nobody's name", "!document.querySelector('#wpadminbar')"),
	)
}

// opensSiteEditor waits until its canvas shows the site as it is.
func (d *firstDay) opensSiteEditor() step {
	shown := fmt.Sprintf("[...document.querySelectorAll('iframe')].some(frame => frame.contentDocument?.body?.innerText.includes(%q))", firstPost)
	return inOrder(d.opens(d.address("/wp-admin/site-editor.php")), d.shows("the site in the editor's canvas", shown))
}

// opensSiteHealth waits until the tests that it does while it is looked at have ended.
func (d *firstDay) opensSiteHealth() step {
	return inOrder(
		d.opens(d.address("/wp-admin/site-health.php")),
		d.shows("the results", "!document.querySelector('.site-health-progress-wrapper.loading')"),
		tells(d.tab, "SiteHealth.site_status.issues.critical", &d.critical),
	)
}

func (d *firstDay) logsOut() step {
	return inOrder(
		d.pointsAt("#wp-admin-bar-my-account"),
		d.clicks("#wp-admin-bar-logout a"),
		d.shows("the form to log in", "!!document.querySelector('#loginform')"),
		d.opens(d.address("/wp-admin/profile.php")),
		d.shows("the form to log in again", "!!document.querySelector('#loginform')"),
	)
}

// forbidInlineScripts has the edge add a header that WordPress's own pages are not made for.
func (s *subject) forbidInlineScripts(t *testing.T) {
	t.Helper()
	const name, value = "Content-Security-Policy", "default-src 'self'"
	kubectl(t, s.project, "", "patch", "-n", s.namespace, "middlewares.traefik.io/wordpress-headers", "--type=merge", "-p",
		fmt.Sprintf(`{"spec": {"headers": {"contentSecurityPolicy": %q}}}`, value))
	await(t, "the edge sends the header", func(ctx context.Context) error {
		response, err := s.visitor.get(ctx, "/wp-login.php")
		if err == nil && response.header.Get(name) != value {
			err = fmt.Errorf("%s is %q", name, response.header.Get(name))
		}
		return err
	})
}
