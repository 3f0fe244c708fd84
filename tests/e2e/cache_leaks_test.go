package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/rand"

	"wordpress-on-kubernetes/tests/e2e/evidence"
	"wordpress-on-kubernetes/tests/stack"
)

const (
	keptApart = "nothing of one visitor's is shown to another"

	cacheName = "wordpress-cache"
	// markedUsers is how many visitors have a mark of their own; loggingIn of them log in and out, each at one place at a time.
	markedUsers = 20
	loggingIn   = 5
	// visitorsAtOnce is how many visits are under way.
	visitorsAtOnce = 8
)

//go:embed testdata/leaky.php
var leakyPlugin string

//go:embed testdata/leaky-users.php
var leakyUsers string

// marked is a visitor who is known by a mark in all that he sends and all that is his.
type marked struct {
	Mark   string `json:"mark"`
	Number int    `json:"number"`
	// LoggedIn are the cookies of a log-in, and Application a password for programs.
	LoggedIn    string `json:"loggedIn"`
	Application string `json:"application"`
	// browser is used by one visit at a time.
	browser sync.Mutex
}

// Marks, and what the plugin gave to one visitor alone.
var (
	markPattern  = regexp.MustCompile(`mk[0-9]{2}q[a-z0-9]{8}`)
	alonePattern = regexp.MustCompile(`alone-[0-9a-f]{16}`)
)

// TestVisitorsAreKeptApart has marked users and others visit the same pages in turn, through the edge and at each pod of the cache, where a
// plugin writes into every page who asked for it and with what. No answer may hold another visitor's mark.
func TestVisitorsAreKeptApart(t *testing.T) {
	sideBySide(t)
	s := newCached(t, "leaks", map[string]string{
		cacheEnabled: "true", "wordpress:frontend.resources.cpu": "400m",
		// Pages come to their end all the time, and are refreshed behind their visitors.
		"wordpress:cache.ttlSeconds": "5",
	})
	s.deploy(t)
	s.fill(t)
	c := s.invite(t)
	perGroup := pick(34, 640)
	found, problem := c.visit(t, perGroup, leakGroups)
	s.keep(t, proof{promise: 37, title: keptApart, rounds: len(leakGroups), requests: int64(found.Requests), failed: int64(found.Failed),
		tried: fmt.Sprintf("%d marked users and nobody visit the same pages in turn, in both orders, through the edge and at each pod of the "+
			"cache, in %d ways to have something of one visitor's kept for another, before a plugin that writes all that it is sent into every page",
			markedUsers, len(leakGroups)),
		figure:  outcome(problem, found.String()),
		figures: evidence.Figures{"leaks": float64(found.Leaks), "keptAnswers": float64(found.Kept)}, details: found}, problem)
	if *long {
		c.noticesLeaks(t)
	}
}

// noticesLeaks takes guards out on the running site, one or two at a time.
func (c *crowd) noticesLeaks(t *testing.T) {
	t.Helper()
	const few = 40
	try := func(breakage string, names ...string) (found leakReport, problem error) {
		groups := slices.DeleteFunc(slices.Clone(leakGroups), func(group leakGroup) bool { return !slices.Contains(names, group.name) })
		found, problem = c.visit(t, few, groups)
		t.Logf("%s: %v", breakage, problem)
		return found, problem
	}
	replace := func(file, rule, without string) func(string, string) string {
		return func(name, text string) string {
			if name == file && !strings.Contains(text, rule) {
				t.Fatalf("%s has no %q", file, rule)
			}
			if name != file {
				return text
			}
			return strings.ReplaceAll(text, rule, without)
		}
	}
	const shown = "WordPress is shown visitors' headers with what it may have kept"
	restore := c.site.withFiles(t, cacheName, cacheSelector, replace("nginx.conf", "proxy_pass_request_headers off;", ""))
	found, _ := try(shown, "cookies", "mobile")
	restore()
	c.site.caught(t, 37, keptApart, shown, found.String(), found.Leaks > 0, evidence.Figures{"leaks": float64(found.Leaks)})

	const unknown = "the cache does not know the cookies of a log-in"
	restore = c.site.withFiles(t, cacheName, cacheSelector, replace("nginx.conf", `\s*(?:wordpress_`, `\s*(?:xordpress_`))
	found, problem := try(unknown, "logged in")
	restore()
	c.site.caught(t, 37, keptApart, unknown, outcome(problem, found.String()), problem != nil && strings.Contains(problem.Error(), "is not known"))

	const alone = "WordPress and the cache both take answers with a cookie, and private ones, for everybody's"
	restore = c.site.withFiles(t, cacheName, cacheSelector, func(_, text string) string {
		return strings.NewReplacer("proxy_ignore_headers Vary;", "proxy_ignore_headers Vary Set-Cookie;", "private|no-store|no-cache|", "",
			"&& v.upstream_http_set_cookie === undefined", "").Replace(text)
	})
	restoreOther := c.site.withFiles(t, deploymentName, c.site.frontend, replace("cache.php", `set-cookie:|cache-control:.*(private|no-store|no-cache)|`, ""))
	found, _ = try(alone, "sets a cookie", "turns private")
	restoreOther()
	restore()
	c.site.caught(t, 37, keptApart, alone, found.String(), found.Leaks > 0, evidence.Figures{"leaks": float64(found.Leaks)})
}

// crowd is everybody who visits.
type crowd struct {
	site  *subject
	users []*marked
	posts map[string]int
	serial
}

// serial numbers are used once.
type serial struct {
	sync.Mutex
	last int
}

func (s *serial) next() int {
	s.Lock()
	defer s.Unlock()
	s.last++
	return s.last
}

// invite installs the plugin and makes the users.
func (s *subject) invite(t *testing.T) *crowd {
	t.Helper()
	s.installLeaky(t)
	var marks []string
	for number := range markedUsers {
		marks = append(marks, fmt.Sprintf("'mk%02dq%s'", number, rand.String(8)))
	}
	made := s.php(t, "", "$marks = ["+strings.Join(marks, ", ")+"];\n"+strings.TrimPrefix(leakyUsers, "<?php"))
	c := &crowd{site: s}
	var found struct {
		Users []*marked      `json:"users"`
		Posts map[string]int `json:"posts"`
	}
	if err := json.Unmarshal([]byte(made), &found); err != nil || len(found.Users) != markedUsers {
		t.Fatalf("make users: %v: %s", err, excerpt([]byte(made)))
	}
	c.users, c.posts = found.Users, found.Posts
	return c
}

// installLeaky installs the plugin that behaves badly.
func (s *subject) installLeaky(t *testing.T) {
	t.Helper()
	s.exec(t, s.somePod(t), leakyPlugin, "cat >"+path.Join(s.content, "mu-plugins", "leaky.php"))
}

// php runs PHP with WordPress in a pod, after what comes before that, and returns what it printed.
func (s *subject) php(t *testing.T, before, code string) string {
	t.Helper()
	return s.exec(t, s.somePod(t), "<?php\n"+before+"require '"+path.Dir(s.content)+"/wp-load.php';\nrequire_once ABSPATH . 'wp-admin/includes/admin.php';\n"+code, "php")
}

// doors are all ways to the site. Nothing is remembered of a visitor behind them.
func (s *subject) doors(ctx context.Context) ([]*door, error) {
	transport, err := s.project.EdgeTransport(stack.Crowd()...)
	if err != nil {
		return nil, err
	}
	edge, err := newSite(transport, "https://"+s.host, s.host)
	if err != nil {
		return nil, err
	}
	all := []*door{{"edge", edge}}
	pods, err := s.cacheDoors(ctx)
	if err != nil {
		return nil, err
	}
	all = append(all, pods...)
	for _, one := range all {
		one.client.Jar = nil
		one.client.Transport.(*http.Transport).DisableCompression = true
	}
	return all, nil
}

// leakReport is what came of all visits.
type leakReport struct {
	Requests int `json:"requests"`
	Failed   int `json:"failed"`
	Leaks    int `json:"leaks"`
	// Kept is how many answers WordPress was not asked for.
	Kept   int                   `json:"kept"`
	Groups map[string]*leakCount `json:"groups"`
	// Found are the first leaks and problems.
	Found []string `json:"found,omitempty"`
}

func (r leakReport) String() string {
	return fmt.Sprintf("%d leaks in %d requests, %d of them answered from what was kept; each of %d ways at least %d times", r.Leaks, r.Requests, r.Kept,
		len(r.Groups), r.least())
}

func (r leakReport) least() int {
	least := r.Requests
	for _, group := range r.Groups {
		least = min(least, group.Requests)
	}
	return least
}

// leakCount is what came of the visits of one group.
type leakCount struct {
	Requests int `json:"requests"`
	Leaks    int `json:"leaks"`
	Kept     int `json:"kept"`
	// MarkedFirst and OthersFirst are rounds in which the marked visitor was the first to come to a page, or not, and Doors the requests by
	// where they went.
	MarkedFirst int            `json:"markedFirst"`
	OthersFirst int            `json:"othersFirst"`
	Doors       map[string]int `json:"doors"`
}

// leakWatch sees every answer.
type leakWatch struct {
	sync.Mutex
	report leakReport
	// alone is who was given what is for one visitor alone.
	alone map[string]string
}

func (w *leakWatch) problem(format string, args ...any) {
	w.Lock()
	defer w.Unlock()
	w.note(format, args...)
}

func (w *leakWatch) note(format string, args ...any) {
	const most = 30
	if len(w.report.Found) < most {
		w.report.Found = append(w.report.Found, fmt.Sprintf(format, args...))
	}
}

// sees judges an answer to a visitor, whose mark is empty where he has none.
func (w *leakWatch) sees(group, door, what, mark string, got answer, failed error) {
	w.Lock()
	defer w.Unlock()
	count := w.report.Groups[group]
	w.report.Requests, count.Requests = w.report.Requests+1, count.Requests+1
	count.Doors[door]++
	if failed != nil || got.status >= http.StatusInternalServerError {
		w.report.Failed++
		w.note("%s, %s at %s: status %d, %v", group, what, door, got.status, failed)
		return
	}
	if strings.HasPrefix(got.header.Get(statusOfCache), "wordpress; hit") {
		w.report.Kept, count.Kept = w.report.Kept+1, count.Kept+1
	}
	text := strings.ToLower(fmt.Sprint(got.header) + string(got.body))
	for _, seen := range markPattern.FindAllString(text, -1) {
		if seen != mark {
			w.report.Leaks, count.Leaks = w.report.Leaks+1, count.Leaks+1
			w.note("LEAK: %s, %s at %s: %q is shown %q", group, what, door, mark, seen)
			return
		}
	}
	for _, seen := range slices.Compact(slices.Sorted(slices.Values(alonePattern.FindAllString(text, -1)))) {
		if earlier, given := w.alone[seen]; given {
			w.report.Leaks, count.Leaks = w.report.Leaks+1, count.Leaks+1
			w.note("LEAK: %s, %s at %s: is given what was given to %s", group, what, door, earlier)
		}
		w.alone[seen] = what + " at " + door
	}
}

// visit has each group make so many requests.
func (c *crowd) visit(t *testing.T, perGroup int, groups []leakGroup) (leakReport, error) {
	t.Helper()
	doors, err := c.site.doors(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := &leakWatch{alone: map[string]string{}, report: leakReport{Groups: map[string]*leakCount{}}}
	for _, group := range groups {
		w.report.Groups[group.name] = &leakCount{Doors: map[string]int{}}
	}
	begun := time.Now()
	rounds := make(chan *visiting)
	var visitors sync.WaitGroup
	for range visitorsAtOnce {
		visitors.Go(func() {
			for v := range rounds {
				v.run()
			}
		})
	}
	for round := 0; ; round++ {
		missing := slices.DeleteFunc(slices.Clone(groups), func(group leakGroup) bool { return w.has(group.name, perGroup) })
		if len(missing) == 0 || t.Context().Err() != nil {
			break
		}
		for _, group := range missing {
			rounds <- c.round(t.Context(), w, group, doors, round)
		}
	}
	close(rounds)
	visitors.Wait()
	t.Logf("%d requests in %s", w.report.Requests, time.Since(begun).Round(time.Second))
	return w.report, w.verdict(doors)
}

func (w *leakWatch) has(group string, requests int) bool {
	w.Lock()
	defer w.Unlock()
	return w.report.Groups[group].Requests >= requests
}

// verdict is also that the visits were what they should have been.
func (w *leakWatch) verdict(doors []*door) (problem error) {
	for name, count := range w.report.Groups {
		if count.MarkedFirst == 0 || count.OthersFirst == 0 || len(count.Doors) < len(doors) {
			problem = errors.Join(problem, fmt.Errorf("%s: %+v, want both orders and %d doors", name, *count, len(doors)))
		}
		if count.Kept == 0 {
			problem = errors.Join(problem, fmt.Errorf("%s: no visitor met what was kept", name))
		}
	}
	for _, found := range w.report.Found {
		problem = errors.Join(problem, errors.New(found))
	}
	return problem
}

// round chooses who comes where, and who of them first.
func (c *crowd) round(ctx context.Context, w *leakWatch, group leakGroup, doors []*door, number int) *visiting {
	from, to := 0, markedUsers-loggingIn
	if group.logsIn {
		from, to = to, markedUsers
	}
	me := from + mathrand.IntN(to-from)
	other := (me + 1 + mathrand.IntN(markedUsers-1)) % markedUsers
	return &visiting{
		Context: ctx, crowd: c, leakWatch: w, group: group, number: c.next(), me: c.users[me], other: c.users[other],
		isMarkedFirst: number%2 == 0, here: doors[(number/2)%len(doors)], there: doors[(number/2+1)%len(doors)],
	}
}

// unzipped is the answer with its body as it is read.
func unzipped(got answer) (answer, error) {
	if got.header.Get("Content-Encoding") != "gzip" || len(got.body) == 0 {
		return got, nil
	}
	reader, err := gzip.NewReader(bytes.NewReader(got.body))
	if err == nil {
		got.body, err = io.ReadAll(reader)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) && got.status == http.StatusPartialContent {
		err = nil
	}
	return got, err
}
