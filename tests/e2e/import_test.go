package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wordpress-on-kubernetes/components/backup"
	"wordpress-on-kubernetes/tests/e2e/evidence"
	"wordpress-on-kubernetes/tests/incoming"
)

// broughtIn is the promise that the table tells of.
const broughtIn = "a site from elsewhere is brought in"

// TestSiteIsBroughtIn takes a dump and the files of the tutorial's site, which another program deployed under another name, and puts it in the place of a new site.
func TestSiteIsBroughtIn(t *testing.T) {
	needLong(t)
	elsewhere := subjectOf(t, tutorial)
	folder := t.TempDir()
	dump, content := filepath.Join(folder, "site.sql"), filepath.Join(folder, "site.tar.gz")
	for file, text := range map[string]string{
		dump: kubectl(t, elsewhere.project, "", "exec", "-n", elsewhere.namespace, elsewhere.databaseWorkload, "--", "sh", "-c",
			`mysqldump --user=root --password="$MYSQL_ROOT_PASSWORD" --no-tablespaces --databases "$MYSQL_DATABASE"`),
		content: elsewhere.exec(t, elsewhere.somePod(t), "", "tar -C "+path.Dir(elsewhere.content)+" -cz wp-content"),
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	storage := startStorage(t)
	settings := storage.settings(t, "brought")
	settings["wordpress:frontend.replicas"], settings["wordpress:autoscaling.enabled"] = "2", "false"
	s := newBeside(t, "brought", settings)
	storage.open(t, s.contender.(*program))
	s.deploy(t)
	t.Cleanup(func() { s.giveUpBoot(t, t.Failed()) })
	await(t, "the site serves", s.serves)

	client, err := s.project.Cluster()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	var told bytes.Buffer
	err = incoming.Import(t.Context(), client, s.namespace, dump, content, &told)
	t.Logf("import:\n%s", &told)
	if err != nil {
		t.Fatal(err)
	}
	_, run, _ := strings.Cut(told.String(), "make restore SNAPSHOT=")
	s.job(t, backup.RestoreName, map[string]string{"SNAPSHOT": strings.TrimSpace(run)})
	took := time.Since(began).Seconds()

	var problem error
	links := 0
	for _, at := range []string{"/", elsewhere.article.path, elsewhere.guestbook.path, "/feed/", "/wp-json/wp/v2/posts"} {
		page, err := s.anybody(t).get(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		links += s.countLinks(page.body, elsewhere.host)
	}
	if links > 0 {
		problem = fmt.Errorf("%d links lead to %s", links, elsewhere.host)
	}
	moved := elsewhere.article
	_, file, found := strings.Cut(moved.filePath, elsewhere.host)
	if found {
		moved.filePath = file
	}
	problem = errors.Join(problem, s.anybody(t).reads(t.Context(), moved), s.anybody(t).login(t.Context(), elsewhere.admin))
	s.keep(t, proof{promise: 46, title: broughtIn, rounds: 1,
		tried: "the tutorial's site, of another name: a dump by its own mysqldump and an archive of its wp-content, brought in by one command and put in the place of a new site " +
			"by another; its articles, picture and administrator looked for, and its links counted that lead to where it was",
		figure:  outcome(problem, fmt.Sprintf("its articles, picture and log-in are there after %.0f s, %d links lead to where it was", took, links)),
		figures: evidence.Figures{"linksLeft": float64(links), "importSeconds": took}}, problem)
}
