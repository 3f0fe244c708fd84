package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"wordpress-on-kubernetes/components/backup"
	"wordpress-on-kubernetes/tests/e2e/evidence"
	"wordpress-on-kubernetes/tests/e2e/load"
	"wordpress-on-kubernetes/tests/jobs"
)

// siteIsRestored is the promise that the table tells of.
const siteIsRestored = "a backup is restored by one command"

// restoredPerSecond are the pages of each of two kinds that are asked for while a site is restored.
const restoredPerSecond = 4.0

// TestSiteIsRestored saves a site, has a drill look at what was saved, breaks the site, and puts it back by the one command, while it is visited; and
// goes the way back that the restore told.
func TestSiteIsRestored(t *testing.T) {
	sideBySide(t)
	storage := startStorage(t)
	settings := storage.settings(t, "site")
	settings["wordpress:frontend.replicas"], settings["wordpress:autoscaling.enabled"], settings[cacheEnabled] = "2", "false", "true"
	s := newBeside(t, "backup", settings)
	storage.open(t, s.contender.(*program))
	s.deploy(t)
	t.Cleanup(func() { s.giveUpBoot(t, t.Failed()) })
	s.fill(t)
	s.accountsStay(t)
	saved := siteState{title: s.article.title, file: "kept.txt", gone: "later.txt", version: "1"}
	s.bringTo(t, saved)
	s.job(t, backup.Name, nil)
	drilled := s.job(t, backup.DrillName, nil)
	broken := siteState{title: "Overwritten by mistake", file: "later.txt", gone: "kept.txt", version: "2"}
	s.bringTo(t, broken)
	pods := s.namesOfPods(t)

	kept, fresh := s.crowd(t, true), s.crowd(t, false)
	run := load.Start(t.Context(),
		load.Stream{Name: pageStream, PerSecond: restoredPerSecond, Connections: 4, Request: wholePage(fresh, s.article.path+anew)},
		load.Stream{Name: "page that may be kept", PerSecond: restoredPerSecond, Connections: 2, Request: wholePage(kept, s.article.path)},
		load.Stream{Name: fileStream + "kept connection", PerSecond: filesPerSecond / 2, Connections: 4, Request: getFile(kept, aFile)},
	)
	run.Phase("restore")
	there := s.restored(t, "latest", saved)
	run.Phase("way back")
	back := s.restored(t, there.wayBack, broken)
	report := run.Stop()
	problem := errors.Join(there.problem, back.problem, allAnswered([]load.Report{report}))
	if now := s.namesOfPods(t); !slices.Equal(now, pods) {
		problem = errors.Join(problem, fmt.Errorf("the pods are %q, and were %q", now, pods))
	}
	for _, failure := range report.First {
		t.Logf("failed: %s %q in phase %q: %s", failure.At.Format("15:04:05.000"), failure.Stream, failure.Phase, failure.Reason)
	}
	drillSeconds := numberIn(t, drilled, `was restored in (\d+) s`)
	s.keep(t, proof{promise: 39, title: siteIsRestored, rounds: 1,
		tried: "a post overwritten, a PHP file changed, a file deleted and another added; then the newest run restored, and the way back that it told, " +
			"while pages and files are asked for; looked at through every pod that ran before",
		figure: outcome(problem, fmt.Sprintf("restored in %.0f s, of which the swap took %.0f ms, and back in %.0f s; %s; a drill took %.0f s",
			there.seconds, there.swap, back.seconds, failures(report), drillSeconds)),
		figures: evidence.Figures{
			"restoreSeconds": there.seconds, "swapMilliseconds": max(there.swap, back.swap), "wayBackSeconds": back.seconds,
			"restoreFailed": float64(report.Failed), "drillSeconds": drillSeconds,
		}, requests: report.Requests, failed: report.Failed, details: report}, problem)
}

// accountsStay has an update that changes nothing leave MySQL's accounts alone, which the first one made.
func (s *subject) accountsStay(t *testing.T) {
	t.Helper()
	p := s.contender.(*program)
	told := func() int { return bytes.Count(p.output(), []byte("MySQL has the account ")) }
	made := told()
	p.up(t)
	if again := told() - made; made == 0 || again != 0 {
		t.Errorf("%d messages tell of accounts that are made, and %d of the same in an update that changes nothing", made, again)
	}
}

// siteState is what a visitor can tell of the site.
type siteState struct {
	// title of the article, file that is there and gone that is not, and version that a PHP file tells.
	title, file, gone, version string
}

// versionHeader is what the PHP file answers with.
const versionHeader = "X-Proof-Version"

// bringTo changes the site as somebody with access to it does.
func (s *subject) bringTo(t *testing.T, to siteState) {
	t.Helper()
	if err := s.visitor.retitle(t.Context(), s.article, to.title); err != nil {
		t.Fatal(err)
	}
	s.exec(t, s.somePod(t), fmt.Sprintf("<?php header('%s: %s');", versionHeader, to.version),
		fmt.Sprintf("cd %s && cat >mu-plugins/version.php && mkdir -p uploads && rm -f uploads/%s && echo %s >uploads/%[3]s", s.content, to.gone, to.file))
	await(t, "the site is "+to.title, func(ctx context.Context) error { return s.isAt(ctx, to) })
}

// isAt tells what every pod, and the cache, show otherwise.
func (s *subject) isAt(ctx context.Context, want siteState) error {
	look := func(visitor *site, isCache bool) error {
		page, err := visitor.get(ctx, s.article.path)
		if err != nil {
			return err
		}
		if !bytes.Contains(page.body, []byte(want.title)) {
			return fmt.Errorf("the article, status %d, is not %q", page.status, want.title)
		}
		if version := page.header.Get(versionHeader); version != want.version && !isCache {
			return fmt.Errorf("the PHP file is of version %q, want %q", version, want.version)
		}
		for name, status := range map[string]int{want.file: http.StatusOK, want.gone: http.StatusNotFound} {
			if file, err := visitor.get(ctx, "/wp-content/uploads/"+name); err != nil || file.status != status {
				return fmt.Errorf("%s has status %d, want %d: %w", name, file.status, status, err)
			}
		}
		return nil
	}
	return errors.Join(s.eachPod(ctx, func(visitor *site) error { return look(visitor, false) }),
		s.eachCache(ctx, func(get func(path string) (answer, error)) error {
			page, err := get(s.article.path)
			if err == nil && !bytes.Contains(page.body, []byte(want.title)) {
				err = fmt.Errorf("the article, status %d, %s, is not %q", page.status, page.header.Get(statusOfCache), want.title)
			}
			return err
		}))
}

// restoration is what came of a restore.
type restoration struct {
	seconds, swap float64
	wayBack       string
	problem       error
}

// restored makes the Job and looks at the site.
func (s *subject) restored(t *testing.T, run string, want siteState) (r restoration) {
	t.Helper()
	began := time.Now()
	text := s.job(t, backup.RestoreName, map[string]string{"SNAPSHOT": run})
	r.seconds = time.Since(began).Seconds()
	r.swap = numberIn(t, text, `the swap took (\d+) ms`)
	if r.wayBack = firstMatch(text, `the way back: the same with SNAPSHOT=(\S+)`); r.wayBack == "" {
		t.Fatalf("no way back is told:\n%s", text)
	}
	// PHP looks at its files every other second.
	r.problem = eventually(t.Context(), 10*time.Second, "the site as "+run+" has it", func(ctx context.Context) error { return s.isAt(ctx, want) })
	return r
}

// numberIn is the one that the pattern's parentheses match.
func numberIn(t *testing.T, text, pattern string) float64 {
	t.Helper()
	number, err := strconv.ParseFloat(firstMatch(text, pattern), 64)
	if err != nil {
		t.Fatalf("%s: %v in\n%s", pattern, err, text)
	}
	return number
}

// firstMatch is what the pattern's parentheses match. Empty: nothing.
func firstMatch(text, pattern string) string {
	match := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if match == nil {
		return ""
	}
	return match[1]
}

// wholePage wants one that ends as pages do.
func wholePage(client *load.Client, path string) func(context.Context) (load.Reply, error) {
	return func(ctx context.Context) (load.Reply, error) { return client.Get(ctx, path, http.StatusOK, "</html>") }
}

// namesOfPods of WordPress, in order.
func (s *subject) namesOfPods(t *testing.T) (names []string) {
	t.Helper()
	pods, err := s.livePods(t.Context(), s.frontend)
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range pods {
		names = append(names, pod.Name)
	}
	slices.Sort(names)
	return names
}

// job makes one of the CronJob and tells what it printed.
func (s *subject) job(t *testing.T, cronJob string, values map[string]string) string {
	t.Helper()
	text, err := s.tryJob(t, cronJob, values)
	if err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	return text
}

func (s *subject) tryJob(t *testing.T, cronJob string, values map[string]string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := jobs.Run(t.Context(), s.kubernetes, s.namespace, cronJob, values, &out)
	t.Logf("%s:\n%s", cronJob, &out)
	if err != nil && !errors.Is(err, jobs.ErrFailed) {
		t.Fatal(err)
	}
	return out.String(), err
}
