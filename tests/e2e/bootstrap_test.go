package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"wordpress-on-kubernetes/components/backup"
	"wordpress-on-kubernetes/tests/e2e/evidence"
)

// lostSite is the promise that the table tells of.
const lostSite = "a site that is lost comes back from its backup"

// TestLostSiteComesBack saves a site, takes away its stack with all claims and volumes, and has a new stack begin as the site that was. Every table,
// file and page is compared. Without the bootstrap, the very same must find another site.
func TestLostSiteComesBack(t *testing.T) {
	needLong(t)
	storage := startStorage(t)
	settings := storage.settings(t, "lost")
	maps.Copy(settings, map[string]string{
		"wordpress:frontend.replicas": "2", "wordpress:autoscaling.enabled": "false", "wordpress:site.cron.enabled": "false", cacheEnabled: "false",
		"wordpress:storage.content.size": "6Gi",
	})
	s := newBeside(t, "lost", settings)
	p := s.contender.(*program)
	storage.open(t, p)
	s.deploy(t)
	t.Cleanup(func() { s.giveUpBoot(t, t.Failed()) })
	s.fill(t)
	rows, files, bytesEach := pick(2_000, 300_000), pick(20, 5_000), pick(10<<10, 430<<10)
	s.grow(t, rows, files, bytesEach)
	posts := []article{s.article, s.guestbook}
	for number := range pick(1, 18) {
		post, err := s.visitor.publish(t.Context(), fmt.Sprintf("Post number %d", number))
		if err != nil {
			t.Fatal(err)
		}
		posts = append(posts, post)
	}
	s.awaitFirstTasks(t)
	before := s.fingerprint(t, posts)
	s.job(t, backup.Name, nil)

	if err := p.giveUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen, stop := s.watchForInstaller(t)
	p.set(t, "wordpress:storage.protect", "true")
	p.set(t, "wordpress:backup.bootstrap.snapshot", "latest")
	began := time.Now()
	p.up(t)
	took := time.Since(began).Seconds()
	await(t, "the site serves", s.serves)
	stop()
	after := s.fingerprint(t, posts)
	lost := before.differences(after)
	for _, name := range lost {
		t.Logf("%s was %q and is %q", name, before[name], after[name])
	}
	problem := s.knowsItsVisitors(t)
	if len(*seen) > 0 {
		problem = errors.Join(problem, fmt.Errorf("visitors met an installation page: %s", (*seen)[0]))
	}
	if len(lost) > 0 {
		problem = errors.Join(problem, fmt.Errorf("%d differ, such as %s", len(lost), lost[0]))
	}
	p.expectNoChanges(t)
	s.keep(t, proof{promise: 40, title: lostSite, rounds: 1,
		tried: fmt.Sprintf("a site with %d rows more, %d files of %d KiB and %d posts; stack, claims and volumes taken away; a new stack with "+
			"backup.bootstrap; CHECKSUM TABLE of every table but that of the options, whose rows that do not come and go are compared, the hash of every file, "+
			"the posts' pages, the log-in of before and a new one", rows, files, bytesEach>>10, len(posts)),
		figure: outcome(problem, fmt.Sprintf("0 of %d tables, files and pages differ; the new stack was up after %.0f s; nobody met an installation page",
			len(before), took)),
		figures: evidence.Figures{"siteLost": float64(len(lost)), "compared": float64(len(before)), "bootstrapSeconds": took}}, problem)
	if !*long {
		return
	}
	if err := p.giveUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.set(t, "wordpress:storage.protect", "true")
	p.unset(t, "wordpress:backup.bootstrap")
	p.up(t)
	await(t, "the site serves", s.serves)
	s.installPlugin(t)
	lost = before.differences(s.fingerprint(t, posts))
	s.caught(t, 40, lostSite, "no bootstrap", fmt.Sprintf("%d of %d differ", len(lost), len(before)), len(lost) > 0)
}

// awaitFirstTasks waits for what a new site does once, after its first visitors.
func (s *subject) awaitFirstTasks(t *testing.T) {
	t.Helper()
	await(t, "the first scheduled tasks are done", func(ctx context.Context) error {
		_, err := s.anybody(t).get(ctx, "/wp-cron.php")
		if err == nil && !strings.Contains(s.options(t), "finished_updating_comment_type") {
			err = errors.New("the types of comments are not updated yet")
		}
		return err
	})
}

// grow gives the site rows of its database, and files.
func (s *subject) grow(t *testing.T, rows, files, bytesEach int) {
	t.Helper()
	s.changeDatabase(t, fmt.Sprintf("INSERT INTO wordpress.wp_postmeta (post_id, meta_key, meta_value) "+
		"WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "+
		"SELECT a.i, 'grown', REPEAT(SHA2(CONCAT(a.i, '-', b.i, RAND()), 512), 8) FROM n a JOIN n b LIMIT %d", rows))
	s.exec(t, s.somePod(t), fmt.Sprintf("<?php for ($i = 0; $i < %d; $i++) { $folder = '%s/uploads/grown/' . $i %% 50; @mkdir($folder, 0755, true); "+
		"file_put_contents(\"$folder/zwölf $i.bin\", random_bytes(%d)); }", files, s.content, bytesEach), "php")
}

// fingerprint is what there is of a site, by name.
type fingerprint map[string]string

// varying are parts of pages that no two answers have in common.
var varying = regexp.MustCompile(`(?i)nonce["':= ]+[0-9a-f]{10}|"[0-9a-f]{10}"`)

func (s *subject) fingerprint(t *testing.T, posts []article) fingerprint {
	t.Helper()
	found := fingerprint{}
	for line := range strings.Lines(s.options(t)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		found["option "+name] = value
	}
	tables := s.asRoot(t, "SELECT GROUP_CONCAT(TABLE_NAME) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'wordpress' AND TABLE_NAME <> 'wp_options'")
	sums := s.asRoot(t, "USE wordpress; CHECKSUM TABLE "+strings.TrimSpace(tables))
	for line := range strings.Lines(sums) {
		name, sum, _ := strings.Cut(strings.TrimSpace(line), "\t")
		found["table "+name] = sum
	}
	hashes := s.exec(t, s.somePod(t), "", "cd "+s.content+" && find . -type f -exec sha256sum {} +")
	for line := range strings.Lines(hashes) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		found["file "+name] = sum
	}
	visitor := s.anybody(t)
	for _, post := range posts {
		page, err := visitor.get(t.Context(), post.path)
		if err != nil {
			t.Fatal(err)
		}
		found["page "+post.path] = fmt.Sprintf("%d %s", page.status, varying.ReplaceAll(page.body, []byte("varies")))
	}
	return found
}

// differences are the names of what is not the same.
func (f fingerprint) differences(other fingerprint) (names []string) {
	for name, value := range f {
		if other[name] != value {
			names = append(names, name)
		}
	}
	for name := range other {
		if _, known := f[name]; !known {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// asRoot runs a statement in the server's pod.
func (s *subject) asRoot(t *testing.T, statement string) string {
	t.Helper()
	secret := s.rootPassword(t)
	text, err := s.sql(t.Context(), "root", secret, statement)
	if err != nil {
		t.Fatal(err)
	}
	// The first line names the columns.
	_, text, _ = strings.Cut(text, "\n")
	return text
}

// watchForInstaller visits the site until it is stopped, and collects what it should never see.
func (s *subject) watchForInstaller(t *testing.T) (seen *[]string, stop func()) {
	t.Helper()
	visitor, ctx, done := s.anybody(t), t.Context(), make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	seen = &[]string{}
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			for _, path := range []string{"/", "/wp-admin/install.php"} {
				page, err := visitor.get(ctx, path)
				if err == nil && (strings.Contains(page.location, "install.php") || bytes.Contains(page.body, []byte("setup.php")) || bytes.Contains(page.body, []byte(`id="weblog_title"`))) {
					*seen = append(*seen, fmt.Sprintf("%s: status %d, location %q", path, page.status, page.location))
				}
			}
			select {
			case <-ctx.Done():
			case <-time.After(200 * time.Millisecond):
			}
		}
	}()
	return seen, func() {
		cancel()
		<-done
	}
}

// knowsItsVisitors tries the log-in of before and a new one.
func (s *subject) knowsItsVisitors(t *testing.T) error {
	t.Helper()
	problem := s.visitor.loggedIn(t.Context())
	if problem != nil {
		problem = fmt.Errorf("the log-in of before: %w", problem)
	}
	return errors.Join(problem, s.anybody(t).login(t.Context(), s.admin))
}
