package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

// What the table says of the promises.
const (
	cacheIsPut     = "visitors are led over to a cache and back"
	cacheForgets   = "a change shows at once on every pod of the cache"
	cacheStands    = "kept pages outlive WordPress and MySQL"
	cacheIsFast    = "kept pages are fast"
	cacheIsReplica = "a pod of the cache that goes is not noticed"
)

// briefly has the short form run of what has no place in the short form of everything.
var briefly = flag.Bool("briefly", false, "also the short form of the proofs of the cache that take more than a minute in it")

// needTime skips a proof that takes minutes even in its short form, unless that is asked for.
func needTime(t *testing.T) {
	t.Helper()
	if !*briefly {
		needLong(t)
	}
}

const (
	cacheEnabled  = "wordpress:cache.enabled"
	cacheSelector = "app.kubernetes.io/component=cache"
	cachePort     = 8080
	statusOfCache = "Cache-Status"
	// hit begins the status of what was kept, and stale is the whole of it where that was beyond its time. miss is that of what is made to be
	// kept.
	hit   = "wordpress; hit"
	stale = hit + "; detail=stale"
	miss  = "wordpress; fwd=uri-miss"
)

// newCached is a site beside the others, with as many pods as the cache has.
func newCached(t *testing.T, name string, more map[string]string) *subject {
	t.Helper()
	settings := map[string]string{
		"wordpress:frontend.replicas":      "2",
		"wordpress:frontend.resources.cpu": "200m",
		"wordpress:frontend.drainSeconds":  pick("5", "20"),
		"wordpress:autoscaling.enabled":    "false",
		loginRate:                          "6000",
		loginBurst:                         "1000",
	}
	for path, value := range more {
		settings[path] = value
	}
	s := newBeside(t, name, settings)
	t.Cleanup(func() { s.giveUpBoot(t, t.Failed()) })
	return s
}

// anybody visits the site through the edge, and is nobody that the site knows.
func (s *subject) anybody(t *testing.T) *site {
	t.Helper()
	visitor, err := throughEdge(s.host, s.project)
	if err != nil {
		t.Fatal(err)
	}
	return visitor
}

// eachCache visits every pod of the cache as the edge does for a visitor over HTTPS.
func (s *subject) eachCache(ctx context.Context, visit func(get func(path string) (answer, error)) error) error {
	pods, err := s.cacheDoors(ctx)
	if err != nil {
		return err
	}
	for _, pod := range pods {
		visitErr := visit(func(path string) (answer, error) { return pod.get(ctx, path) })
		if visitErr != nil {
			err = errors.Join(err, fmt.Errorf("pod of the cache at %s: %w", pod.name, visitErr))
		}
	}
	return err
}

// door is a way to the site: the edge, or one pod of the cache, by its node's name.
type door struct {
	name string
	*site
}

// cacheDoors are the pods of the cache that serve, of which there must be two.
func (s *subject) cacheDoors(ctx context.Context) (all []*door, err error) {
	found, err := s.project.Endpoints()
	if err != nil {
		return nil, err
	}
	pods, err := s.kubernetes.readyPods(ctx, cacheSelector)
	if err != nil {
		return nil, err
	}
	if len(pods) < 2 {
		return nil, fmt.Errorf("%d pods of the cache are ready, want at least 2", len(pods))
	}
	for _, pod := range pods {
		straight, err := straightTo(pod.Status.PodIP, cachePort, s.host, found.Proxy)
		if err != nil {
			return nil, err
		}
		all = append(all, &door{pod.Spec.NodeName, straight})
	}
	return all, nil
}

// keeps asks every pod of the cache for a page until it is kept, with a text: in its first minute, a pod keeps pages for moments.
func (s *subject) keeps(ctx context.Context, path, text string) error {
	return s.eachCache(ctx, func(get func(string) (answer, error)) error {
		var last error
		for range 5 {
			page, err := get(path)
			switch {
			case err != nil:
				return err
			case page.status == http.StatusOK && strings.HasPrefix(page.header.Get(statusOfCache), hit) &&
				strings.Contains(string(page.body), text):
				return nil
			}
			last = fmt.Errorf("%s: status %d, %s, want it kept, with %q", path, page.status, page.header.Get(statusOfCache), text)
		}
		return last
	})
}

// TestVisitorsAreLedOverToACache puts a cache before a site in use, under load, and takes it away again.
func TestVisitorsAreLedOverToACache(t *testing.T) {
	sideBySide(t)
	s := newCached(t, "led", nil)
	p := s.contender.(*program)
	s.deploy(t)
	s.fill(t)
	visits := s.visit(t)
	awaitRequests(t, visits)
	var problem error
	rounds := pick(1, 3)
	for round := range rounds {
		visits.Phase(fmt.Sprintf("on %d", round+1))
		p.change(t, cacheEnabled, "true")
		awaitRequests(t, visits)
		page, err := s.anybody(t).get(t.Context(), s.article.path)
		if status := page.header.Get(statusOfCache); err != nil || !strings.HasPrefix(status, "wordpress; ") {
			problem = errors.Join(problem, fmt.Errorf("visitors are not led through the cache: status %d, %q: %w", page.status, status, err))
		}
		problem = errors.Join(problem, s.keeps(t.Context(), s.article.path, s.article.title))
		visits.Phase(fmt.Sprintf("off %d", round+1))
		p.change(t, cacheEnabled, "false")
		awaitRequests(t, visits)
		if page, err = s.anybody(t).get(t.Context(), s.article.path); err != nil || page.header.Get(statusOfCache) != "" {
			problem = errors.Join(problem, fmt.Errorf("visitors are not led past the cache: status %d: %w", page.status, err))
		}
	}
	report, failed := s.settled(t, visits)
	s.keep(t, proof{promise: 32, part: "on and off", title: cacheIsPut, rounds: rounds,
		tried:   "cache.enabled turned on and off again by `pulumi up`, for a site in use, under the load of visitors",
		figure:  failures(report) + ", " + slowest(report),
		figures: visitFigures(report), requests: report.Requests, failed: report.Failed, details: report}, errors.Join(problem, failed))
}

// youngCache is how long a pod keeps pages for moments only, with some room.
const youngCache = 70 * time.Second

// awaitGrown waits until the pods of the cache keep pages for as long as they are meant to: each counts from the first page that it was asked for.
func (s *subject) awaitGrown(t *testing.T) {
	t.Helper()
	await(t, "every pod of the cache is asked for a page", func(ctx context.Context) error {
		return s.eachCache(ctx, func(get func(string) (answer, error)) error {
			_, err := get("/")
			return err
		})
	})
	hold(t, youngCache)
}

// awaitKept waits until the pods of the cache have grown, and keep the article and the front page.
func (s *subject) awaitKept(t *testing.T) {
	t.Helper()
	s.awaitGrown(t)
	await(t, "every pod keeps the article and the front page", func(ctx context.Context) error {
		return errors.Join(s.keeps(ctx, s.article.path, s.article.title), s.keeps(ctx, "/", s.article.title))
	})
}

// TestChangesShowOnEveryPodOfTheCache edits an article that is kept, again and again.
func TestChangesShowOnEveryPodOfTheCache(t *testing.T) {
	needTime(t)
	s := newCached(t, "changes", map[string]string{cacheEnabled: "true"})
	s.deploy(t)
	s.fill(t)
	s.awaitKept(t)
	s.changesShow(t)
}

// changesShow edits the article, and looks how long it takes until each pod of the cache shows it.
func (s *subject) changesShow(t *testing.T) {
	t.Helper()
	const within = time.Second
	var slowest time.Duration
	var problem error
	rounds := pick(3, 20)
	for round := range rounds {
		title := fmt.Sprintf("A post that must stay, edition %d", round+1)
		problem = errors.Join(problem, s.keeps(t.Context(), s.article.path, s.article.title))
		if err := s.visitor.retitle(t.Context(), s.article, title); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		s.article.title = title
		await(t, "every pod of the cache shows the change", func(ctx context.Context) error {
			return s.eachCache(ctx, func(get func(string) (answer, error)) error {
				page, err := get(s.article.path)
				if err == nil && !strings.Contains(string(page.body), title) {
					err = errors.New("it shows what was there before")
				}
				return err
			})
		})
		slowest = max(slowest, time.Since(begun))
	}
	if slowest > within+time.Second { // a look takes as long as a page does
		problem = errors.Join(problem, fmt.Errorf("a change showed after %s", slowest))
	}
	s.keep(t, proof{promise: 33, part: "change", title: cacheForgets, rounds: rounds,
		tried:   "an article that both pods keep is edited, and asked of each of them",
		figure:  fmt.Sprintf("each edition was shown by every pod at the latest %.1f s after WordPress had answered the editor, the making of the page included", slowest.Seconds()),
		figures: evidence.Figures{"slowestSeconds": slowest.Seconds()}}, problem)
}
