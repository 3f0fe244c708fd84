package e2e

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"wordpress-on-kubernetes/components/backup"
	"wordpress-on-kubernetes/tests/e2e/evidence"
)

// copiedSite is the promise that the table tells of.
const copiedSite = "a copy of a site leads to itself, and is quiet"

// planting has a site keep links to itself as plugins do, and a post with some.
const planting = `<?php require '/usr/src/wordpress/wp-load.php';
$deep = ['home' => home_url('/deep?a=1'), 'list' => array_fill(0, 50, ['ä' => home_url('/ü')]), 'again' => serialize([home_url()])];
update_option('proof_deep', $deep);
update_option('proof_json', wp_json_encode($deep));
update_option('proof_address', 'somebody@' . parse_url(home_url(), PHP_URL_HOST));
echo wp_insert_post(['post_title' => 'A post with links', 'post_name' => 'links', 'post_status' => 'publish',
	'post_content' => '<a href="' . home_url('/somewhere/') . '">there</a> <img src="' . content_url('uploads/a.png') . '">']) > 0 ? 'planted' : 'not planted';`

// foundInCopy tells what a copy has of it, and what becomes of a mail.
const foundInCopy = `<?php require '/usr/src/wordpress/wp-load.php';
$deep = get_option('proof_deep');
echo json_encode(['deep' => $deep['home'], 'list' => count($deep['list']) . ' ' . $deep['list'][49]['ä'], 'again' => unserialize($deep['again'])[0],
	'json' => json_decode(get_option('proof_json'), true)['home'], 'address' => get_option('proof_address'), 'mail' => wp_mail('somebody@example.com', 'a', 'b')],
	JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);`

// TestSiteIsCopied saves a site, and has a stack of another name begin as it, from the same repository. The first one stays as it is.
func TestSiteIsCopied(t *testing.T) {
	needLong(t)
	storage := startStorage(t)
	few := map[string]string{
		"wordpress:frontend.replicas": "1", "wordpress:autoscaling.enabled": "false", "wordpress:site.cron.enabled": "false", cacheEnabled: "false",
	}
	settings := storage.settings(t, "copied")
	maps.Copy(settings, few)
	s := newBeside(t, "copied", settings)
	first := s.contender.(*program)
	storage.open(t, first)
	s.deploy(t)
	t.Cleanup(func() { s.giveUpBoot(t, t.Failed()) })
	s.fill(t)
	if said := s.exec(t, s.somePod(t), planting, "php"); !strings.HasSuffix(said, "planted") {
		t.Fatal(said)
	}
	s.awaitFirstTasks(t)
	s.job(t, backup.Name, nil)
	before, runs := s.fingerprint(t, []article{s.article}), storage.files(t)

	quiet := storage.settings(t, "copied")
	for key := range quiet {
		if strings.HasSuffix(key, "chedule") {
			delete(quiet, key)
		}
	}
	maps.Copy(quiet, few)
	maps.Copy(quiet, map[string]string{
		"wordpress:backup.enabled": "false", "wordpress:backup.bootstrap.snapshot": "latest", "wordpress:backup.bootstrap.from": "https://" + s.host,
		"wordpress:site.robots": "false", "wordpress:site.mail": "false",
	})
	c := newBeside(t, "copy", quiet)
	p := c.contender.(*program)
	storage.open(t, p)
	password, err := first.GetConfig(t.Context(), "wordpress:backupPassword")
	if err != nil {
		t.Fatal(err)
	}
	p.setSecret(t, "wordpress:backupPassword", password.Value)
	began := time.Now()
	c.deploy(t)
	took := time.Since(began).Seconds()
	t.Cleanup(func() { c.giveUpBoot(t, t.Failed()) })
	await(t, "the copy serves", c.serves)

	want := fmt.Sprintf(`{"deep":"https://%[1]s/deep?a=1","list":"50 https://%[1]s/ü","again":"https://%[1]s","json":"https://%[1]s/deep?a=1","address":"somebody@%[2]s","mail":true}`, c.host, s.host)
	var problem error
	if got := c.exec(t, c.somePod(t), foundInCopy, "php 2>/dev/null"); got != want {
		problem = fmt.Errorf("the copy has %s, want %s", got, want)
	}
	links := 0
	for _, path := range []string{"/", s.article.path, "/links/", "/feed/", "/wp-json/wp/v2/posts", "/wp-sitemap.xml", "/robots.txt", "/wp-login.php"} {
		links += c.linksTo(t, s.host, path, &problem)
	}
	problem = errors.Join(problem, c.anybody(t).login(t.Context(), s.admin))
	if now := s.fingerprint(t, []article{s.article}); len(before.differences(now)) > 0 {
		problem = errors.Join(problem, fmt.Errorf("the first one differs: %q", before.differences(now)))
	}
	if now := storage.files(t); !maps.Equal(now, runs) {
		problem = errors.Join(problem, fmt.Errorf("the copy has changed the repository: %d files, and were %d", len(now), len(runs)))
	}
	p.expectNoChanges(t)
	s.keep(t, proof{promise: 45, title: copiedSite, rounds: 1,
		tried: "a stack of another host name, without backups of its own, begins as a run of the first one; links in posts, in PHP values within values and in JSON; pages, " +
			"feeds and REST answers searched for the first one's name; a mail; the log-in; every table, file and page of the first one, and every file of its repository, compared",
		figure:  outcome(problem, fmt.Sprintf("%d links lead to the first one, the copy was up after %.0f s, no mail went, and nothing of the first one has changed", links, took)),
		figures: evidence.Figures{"linksLeft": float64(links), "copySeconds": took}}, problem)
}

// linksTo counts a page's links to another site, and wants it kept from search engines.
func (s *subject) linksTo(t *testing.T, host, path string, problem *error) int {
	t.Helper()
	page, err := s.anybody(t).get(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	// Where robots are kept off, WordPress has no list for them.
	if wanted := http.StatusOK; page.status != wanted && path != "/wp-sitemap.xml" {
		*problem = errors.Join(*problem, fmt.Errorf("%s: status %d", path, page.status))
	}
	if tag := page.header.Get("X-Robots-Tag"); tag != "noindex, nofollow" {
		*problem = errors.Join(*problem, fmt.Errorf("%s: X-Robots-Tag is %q", path, tag))
	}
	if path == "/" && !strings.Contains(string(page.body), "noindex, nofollow") {
		*problem = errors.Join(*problem, errors.New("the front page does not say that it is not to be shown"))
	}
	found := s.countLinks(page.body, host)
	if found > 0 {
		*problem = errors.Join(*problem, fmt.Errorf("%s has %d links to %s", path, found, host))
	}
	return found
}

// countLinks of a page to another site. What a post is known by in feeds stays.
func (*subject) countLinks(page []byte, host string) int {
	text := string(page)
	for _, scheme := range []string{"http", "https"} {
		text = strings.ReplaceAll(text, `<guid isPermaLink="false">`+scheme+`://`+host, "")
		text = strings.ReplaceAll(text, `"guid":{"rendered":"`+scheme+`:\/\/`+host, "")
	}
	return strings.Count(text, "//"+host) + strings.Count(text, `\/\/`+host) + strings.Count(text, "%2F%2F"+host)
}
