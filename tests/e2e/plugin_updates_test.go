package e2e

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wordpress-on-kubernetes/tests/e2e/evidence"
	"wordpress-on-kubernetes/tests/e2e/load"
)

//go:embed testdata/updates.php
var updatesPlugin string

const pluginUpdates = "plugins are updated, and a broken update is taken back"

// TestRequestsAndUpdates has a site of its own ask itself and a stand-in for wordpress.org, and take updates from there.
func TestRequestsAndUpdates(t *testing.T) {
	needLong(t)
	s := newBeside(t, "updates", map[string]string{
		"wordpress:frontend.replicas": "2", "wordpress:frontend.drainSeconds": "2", "wordpress:autoscaling.enabled": "false",
		"wordpress:frontend.resources.cpu": "500m", "wordpress:frontend.workers": fmt.Sprint(updatesProcesses),
	})
	p := s.contender.(*program)
	t.Cleanup(func() { s.giveUpBoot(t, t.Failed()) })
	s.deploy(t)
	s.fill(t)

	s.healthIs(t, "nothing is let out", closedNetwork)
	from := startWordPressOrg(t, s)
	p.apply(t, from.settings(t))
	s.awaitGone(t)
	from.believe(t, s)
	s.healthIs(t, "a stand-in for wordpress.org is let out", nil)
	s.asksItself(t)
	s.noticesRequestsThatLeave(t)

	s.updates(t, from)
	s.noticesMarkThatGoes(t, from)
	s.noticesUpdatesWithoutTime(t, from)
}

// noticesRequestsThatLeave lets requests to the site itself go by its public address.
func (s *subject) noticesRequestsThatLeave(t *testing.T) {
	t.Helper()
	defer s.withFile(t, "requests.php", func(text string) string {
		return strings.Replace(text, "'requests-requests.before_request'", "'none'", 1)
	})()
	found, err := s.health(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.caught(t, 27, askItself, "nothing leads such requests to the pod", found.String(),
		slices.Contains(found["critical"], "loopback_requests") || slices.Contains(found["recommended"], "loopback_requests"), found.figures())
}

// noticesMarkThatGoes has WordPress let visitors in between the end of an update and its look for fatal errors.
func (s *subject) noticesMarkThatGoes(t *testing.T, from *wordpressOrg) {
	t.Helper()
	defer s.withFile(t, "filesystem.php", func(text string) string {
		return strings.Replace(text, "$automatic = ", "$automatic = false && ", 1)
	})()
	visits, broken := s.update(t, from, toBroken)
	await(t, "WordPress has taken the update back", func(ctx context.Context) error {
		return s.saysJust(ctx, "/?proof-updated=1", toBroken.says)
	})
	s.caught(t, 28, pluginUpdates, "the mark goes before WordPress has looked for fatal errors", visits.String(),
		broken != nil && visits.failed > 0, visits.figures(toBroken.name))
}

// noticesUpdatesWithoutTime has no pod find when an update began.
func (s *subject) noticesUpdatesWithoutTime(t *testing.T, from *wordpressOrg) {
	t.Helper()
	defer s.withFile(t, "maintenance.php", func(string) string { return "<?php $upgrading = null;\n" })()
	defer s.exec(t, s.somePod(t), proofedSource("2.0"), "cat >"+s.content+"/plugins/"+proofedPlugin)
	visits, broken := s.update(t, from, toBroken)
	s.caught(t, 28, pluginUpdates, "WordPress finds no time of an update", visits.String(), broken != nil && visits.failed > 0,
		visits.figures(toBroken.name))
}

// pluginUpdate is one that is offered and taken.
type pluginUpdate struct {
	// name of the way; to is the version that is offered, and then the one that is served afterwards.
	name, to, then string
	// says is what WordPress says of an update that it takes by itself; one by hand says nothing.
	says string
}

var (
	byHand    = pluginUpdate{name: "byHand", to: "1.5", then: "1.5"}
	automatic = pluginUpdate{name: "automatic", to: "2.0", then: "2.0", says: "true"}
	toBroken  = pluginUpdate{name: "broken", to: proofedBroken, then: "2.0", says: "plugin_update_fatal_error_rollback_successful"}
)

// updates of the plugin by hand, by itself, and to a version that breaks every page.
func (s *subject) updates(t *testing.T, from *wordpressOrg) {
	t.Helper()
	var problem error
	var texts []string
	figures := evidence.Figures{}
	var requests, failed int64
	for _, one := range []pluginUpdate{byHand, automatic, toBroken} {
		visits, err := s.update(t, from, one)
		if err != nil {
			err = fmt.Errorf("%s: %w", one.name, err)
		}
		problem = errors.Join(problem, err)
		texts = append(texts, one.name+": "+visits.String())
		maps.Copy(figures, visits.figures(one.name))
		requests, failed = requests+visits.requests, failed+visits.failed
	}
	s.keep(t, proof{promise: 28, title: pluginUpdates, rounds: 1, figures: figures, requests: requests, failed: failed,
		tried: "a plugin is updated in the dashboard, by itself, and by itself to a version that ends every request and that WordPress takes " +
			"back, from a stand-in for wordpress.org, while visitors read; a page that says when to come again (503 with Retry-After) is " +
			"counted beside those that failed",
		figure: outcome(problem, strings.Join(texts, "; "))}, problem)
}

// visitsMeanwhile is what visitors got during an update.
type visitsMeanwhile struct {
	requests, failed int64
	// told is how many were told when to come again.
	told int64
}

func (v visitsMeanwhile) String() string {
	return fmt.Sprintf("%d of %d requests failed, %d were told when to come again", v.failed, v.requests, v.told)
}

func (v visitsMeanwhile) figures(name string) evidence.Figures {
	return evidence.Figures{name + "Requests": float64(v.requests), name + "Failed": float64(v.failed), name + "Told503": float64(v.told)}
}

// holdLimit ends the wait for a visitor who meets the maintenance mode, where there is none.
const holdLimit = 15 * time.Second

// update offers a version and has it taken while visitors read. The plugin is handed out when one of them was told to come again.
func (s *subject) update(t *testing.T, from *wordpressOrg, wanted pluginUpdate) (visitsMeanwhile, error) {
	t.Helper()
	var told atomic.Int64
	met := make(chan struct{})
	meet := sync.OnceFunc(func() { close(met) })
	from.offer(wanted.to, func(request *http.Request) {
		select {
		case <-met:
		case <-request.Context().Done():
		case <-time.After(holdLimit):
		}
	})
	if err := s.saysJust(t.Context(), "/?proof-forget=1", "forgotten"); err != nil {
		t.Fatal(err)
	}
	run := load.Start(t.Context(), s.patientReaders(t, func() {
		told.Add(1)
		meet()
	}))
	problem := s.takeUpdate(t, wanted, func() bool { return run.Failed() > 0 })
	report := run.Stop()
	visits := visitsMeanwhile{report.Requests, report.Failed, told.Load()}
	if report.Failed > 0 {
		problem = errors.Join(problem, fmt.Errorf("%s: %+v", visits, report.First))
	}
	if visits.told == 0 {
		problem = errors.Join(problem, errors.New("no visitor met the maintenance mode"))
	}
	return visits, problem
}

// patientReaders read the article, and fail neither when they do nor when they are told when to come again.
func (s *subject) patientReaders(t *testing.T, told func()) load.Stream {
	t.Helper()
	client := s.crowd(t, true)
	check := func(response *http.Response, body []byte) error {
		switch {
		case response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") != "":
			told()
		case response.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(s.article.title)):
			return fmt.Errorf("status %d", response.StatusCode)
		}
		return nil
	}
	return load.Stream{Name: pageStream, PerSecond: 5, Connections: 6, Request: func(ctx context.Context) (load.Reply, error) {
		return client.GetChecked(ctx, s.article.path+anew, check)
	}}
}

// takeUpdate returns when every pod serves the version that should be served afterwards, or a visitor's request has failed.
func (s *subject) takeUpdate(t *testing.T, wanted pluginUpdate, hasFailed func() bool) error {
	t.Helper()
	if wanted.says == "" {
		if err := s.updateByHand(t.Context()); err != nil {
			return err
		}
	} else {
		if err := s.saysJust(t.Context(), "/?proof-automatic=1", "scheduled"); err != nil {
			return err
		}
		defer s.runScheduledTasks(t)()
	}
	return eventually(t.Context(), cronPatience, "every pod serves the plugin's version "+wanted.then, func(ctx context.Context) error {
		if hasFailed() {
			return nil
		}
		if wanted.says != "" {
			if err := s.saysJust(ctx, "/?proof-updated=1", wanted.says); err != nil {
				return err
			}
		}
		return s.eachPod(ctx, func(pod *site) error {
			page, err := pod.get(ctx, s.article.path)
			if err == nil && !bytes.Contains(page.body, []byte("proofed "+wanted.then)) {
				err = fmt.Errorf("status %d: %s", page.status, excerpt(page.body))
			}
			return err
		})
	})
}

var ajaxNonce = regexp.MustCompile(`"ajax_nonce":"([0-9a-f]+)"`)

// updateByHand does what the dashboard's button does.
func (s *subject) updateByHand(ctx context.Context) error {
	if err := s.looksForUpdates(ctx); err != nil {
		return err
	}
	page, err := s.visitor.get(ctx, "/wp-admin/plugins.php")
	if err != nil {
		return err
	}
	nonce := ajaxNonce.FindSubmatch(page.body)
	if nonce == nil {
		return fmt.Errorf("plugins: status %d: %s", page.status, excerpt(page.body))
	}
	done, err := s.visitor.post(ctx, "/wp-admin/admin-ajax.php", url.Values{
		"action": {"update-plugin"}, "_ajax_nonce": {string(nonce[1])}, "plugin": {proofedPlugin}, "slug": {"proofed"},
	})
	if err == nil && (done.status != http.StatusOK || !bytes.Contains(done.body, []byte(`"success":true`))) {
		err = fmt.Errorf("update: status %d: %s", done.status, excerpt(done.body))
	}
	return err
}

// looksForUpdates has the site ask wordpress.org, as a button of the dashboard does.
func (s *subject) looksForUpdates(ctx context.Context) error {
	page, err := s.visitor.get(ctx, "/wp-admin/update-core.php?force-check=1")
	if err == nil && page.status != http.StatusOK {
		err = fmt.Errorf("look for updates: status %d: %s", page.status, excerpt(page.body))
	}
	return err
}

// saysJust wants a page of the plugin to be this text.
func (s *subject) saysJust(ctx context.Context, path, want string) error {
	said, err := s.says(ctx, path)
	if err == nil && said != want {
		err = fmt.Errorf("%s: %q, want %q", path, excerpt([]byte(said)), want)
	}
	return err
}
