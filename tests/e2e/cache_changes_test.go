package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

// showsWithin is how long after a change was acknowledged a pod may show what was there before.
const showsWithin = time.Second

// kindOfChange is one kind of change, and how it is seen.
type kindOfChange struct {
	What, PHP, Path, Shown string
	User                   int
	// Gone says that the page shows the text before the change and not after it.
	Gone bool
	// make has the change made; changes of the file are made by their PHP.
	make func(context.Context) error
}

// changes are every kind of change, as the file says that the images' tests share.
type changes struct {
	Plugin, Prepare, Restore string
	Kept                     []string
	Changes                  []kindOfChange
}

// readChanges has the names in the file replaced by what stands for them.
func (s *subject) readChanges(t *testing.T, names ...string) (all changes) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.project.Repo, "tests", "testdata", "changes.yaml"))
	if err == nil {
		err = yaml.UnmarshalStrict([]byte(strings.NewReplacer(names...).Replace(string(text))), &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestEveryKindOfChangeShows makes every kind of change by requests, as the editor, the browser and visitors do, and by PHP on the command line of a
// pod, as WP-CLI and scheduled tasks do, and looks at every pod of the cache. Then pages change while the old ones are being made.
func TestEveryKindOfChangeShows(t *testing.T) {
	needTime(t)
	s := newCached(t, "changes", map[string]string{cacheEnabled: "true", "wordpress:frontend.resources.cpu": "400m"})
	s.deploy(t)
	s.fill(t)
	f := s.watchChanges(t)
	rounds := pick(1, 4)
	for round := range rounds {
		f.byRequests(t, round+1)
		f.restore(t)
		f.byCommandLine(t, round+1)
		f.whileUnderWay(t, round+1)
		f.restore(t)
	}
	s.keep(t, proof{promise: 33, part: "every kind", title: cacheForgets, rounds: rounds,
		tried: "every kind of change, made by REST, in wp-admin, by visitors, by the CronJob, and by PHP on the command line of a pod, at pages that both pods " +
			"keep; and changes of a page that every pod is having made at that moment",
		figure:  outcome(f.problem, f.String()),
		figures: evidence.Figures{"staleAfterPurge": float64(f.Stale), "slowestSeconds": f.Slowest, "changes": float64(len(f.Changes)), "looks": float64(f.Looks)},
		details: f}, f.problem)
}

// freshness is what was seen after changes.
type freshness struct {
	// Changes are how many seconds after each its last pod showed it.
	Changes map[string]float64 `json:"changes"`
	// Looks at pages, and Stale ones that showed what was there before later than they may.
	Looks   int     `json:"looks"`
	Stale   int     `json:"stale"`
	Slowest float64 `json:"slowestSeconds"`

	site    *subject
	doors   []*door
	nonce   string
	problem error
	sync.Mutex
}

func (f *freshness) String() string {
	return fmt.Sprintf("%d of %d looks after %d changes showed the old page later than %s; the slowest pod showed one %.1f s after it was acknowledged, the making of "+
		"the page included", f.Stale, f.Looks, len(f.Changes), showsWithin, f.Slowest)
}

// watchChanges installs what the changes need.
func (s *subject) watchChanges(t *testing.T) *freshness {
	t.Helper()
	s.installLeaky(t)
	s.exec(t, s.somePod(t), s.readChanges(t).Plugin, fmt.Sprintf("cd %s && mkdir -p plugins/marker && cat >plugins/marker/marker.php && "+
		"cp -r themes/twentytwentyfive themes/another", s.content))
	doors, err := s.doors(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	nonce, err := s.visitor.get(t.Context(), "/wp-admin/admin-ajax.php?action=rest-nonce")
	if err != nil || nonce.status != http.StatusOK {
		t.Fatalf("nonce: status %d: %v", nonce.status, err)
	}
	return &freshness{Changes: map[string]float64{}, site: s, doors: doors, nonce: string(nonce.body)}
}

func (f *freshness) report(what string, err error) {
	if err != nil {
		f.Lock()
		defer f.Unlock()
		f.problem = errors.Join(f.problem, fmt.Errorf("%s: %w", what, err))
	}
}

// created is what REST says of what it has made.
type created struct {
	ID   int    `json:"id"`
	Link string `json:"link"`
}

// rest asks for a change as the editor does.
func (f *freshness) rest(ctx context.Context, method, route string, fields map[string]any) (answer, error) {
	body, err := json.Marshal(fields)
	if err != nil {
		return answer{}, err
	}
	response, err := f.site.visitor.do(ctx, method, "/?rest_route="+route, "application/json", body, http.Header{"X-Wp-Nonce": {f.nonce}})
	if err == nil && response.status != http.StatusOK && response.status != http.StatusCreated {
		err = fmt.Errorf("%s: status %d: %s", route, response.status, excerpt(response.body))
	}
	return response, err
}

// creates something by REST.
func (f *freshness) creates(t *testing.T, route string, fields map[string]any) (made created) {
	t.Helper()
	response, err := f.rest(t.Context(), http.MethodPost, route, fields)
	if err == nil {
		err = json.Unmarshal(response.body, &made)
	}
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// byRest is a change by REST.
func (f *freshness) byRest(route string, fields map[string]any) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := f.rest(ctx, http.MethodPost, route, fields)
		return err
	}
}

// byRequests makes changes as those do who visit the site.
func (f *freshness) byRequests(t *testing.T, round int) {
	t.Helper()
	mark := fmt.Sprintf("of round %d", round)
	post := f.creates(t, "/wp/v2/posts", map[string]any{"title": "Discussed", "status": "publish", "content": "x", "comment_status": "open"})
	comment := f.creates(t, "/wp/v2/comments", map[string]any{"post": post.ID, "content": "A loud opinion", "status": "hold"})
	address, err := url.Parse(post.Link)
	if err != nil {
		t.Fatal(err)
	}
	its, own := fmt.Sprintf("/wp/v2/posts/%d", post.ID), fmt.Sprintf("/wp/v2/comments/%d", comment.ID)
	const plugin = "/wp/v2/plugins/marker/marker"
	for _, one := range []kindOfChange{
		{What: "published", Path: "/", Shown: "News " + mark, make: f.byRest("/wp/v2/posts", map[string]any{"title": "News " + mark, "status": "publish"})},
		{What: "edited", Path: address.Path, Shown: "Edited " + mark, make: f.byRest(its, map[string]any{"title": "Edited " + mark})},
		{What: "comment approved", Path: address.Path, Shown: "A loud opinion", make: f.byRest(own, map[string]any{"status": "approved"})},
		{What: "comment taken for spam", Path: address.Path, Shown: "A loud opinion", Gone: true, make: f.byRest(own, map[string]any{"status": "spam"})},
		{What: "comment of a visitor", Path: address.Path, Shown: "The words of a visitor", make: func(ctx context.Context) error { return f.remark(ctx, post.ID) }},
		{What: "comment by REST", Path: address.Path, Shown: "A quiet opinion", make: f.byRest("/wp/v2/comments", map[string]any{
			"post": post.ID, "content": "A quiet opinion", "status": "approved"})},
		{What: "term renamed", Path: "/category/uncategorized/", Shown: "Sorted " + mark, make: f.byRest("/wp/v2/categories/1", map[string]any{"name": "Sorted " + mark})},
		{What: "menu", Path: "/", Shown: "The way " + mark, make: f.byRest("/wp/v2/navigation", map[string]any{
			"title": "Main", "status": "publish", "content": `<!-- wp:navigation-link {"label":"The way ` + mark + `","url":"/x"} /-->`})},
		{What: "template part", Path: "/", Shown: "The footer " + mark, make: f.byRest("/wp/v2/template-parts", map[string]any{
			"slug": "footer", "theme": "twentytwentyfive", "area": "footer", "content": "<!-- wp:paragraph --><p>The footer " + mark + "</p><!-- /wp:paragraph -->"})},
		{What: "option", Path: f.site.article.path, Shown: "A name " + mark, make: f.byRest("/wp/v2/settings", map[string]any{"title": "A name " + mark})},
		{What: "plugin on", Path: "/", Shown: "the marker", make: f.byRest(plugin, map[string]any{"status": "active"})},
		{What: "plugin off", Path: "/", Shown: "the marker", Gone: true, make: f.byRest(plugin, map[string]any{"status": "inactive"})},
		{What: "theme", Path: "/", Shown: "/themes/another/", make: func(ctx context.Context) error { return f.switchTheme(ctx, "another") }},
		{What: "theme before", Path: "/", Shown: "/themes/another/", Gone: true, make: func(ctx context.Context) error { return f.switchTheme(ctx, "twentytwentyfive") }},
		{What: "scheduled, by the CronJob", Path: "/", Shown: "Due by CronJob " + mark, make: f.scheduled(t, "Due by CronJob "+mark, func(ctx context.Context) error { return f.cronJob(ctx, t) })},
		{What: "scheduled, by wp-cron.php", Path: "/", Shown: "Due by request " + mark, make: f.scheduled(t, "Due by request "+mark, f.cronRequest)},
		{What: "unpublished", Path: address.Path, Shown: "Edited " + mark, Gone: true, make: f.byRest(its, map[string]any{"status": "draft"})},
		{What: "published again", Path: address.Path, Shown: "Edited " + mark, make: f.byRest(its, map[string]any{"status": "publish"})},
		{What: "in the trash", Path: address.Path, Shown: "Edited " + mark, Gone: true, make: func(ctx context.Context) error {
			_, err := f.rest(ctx, http.MethodDelete, its, nil)
			return err
		}},
		{What: "deleted", Path: "/", Shown: "News " + mark, Gone: true, make: func(ctx context.Context) error { return f.deleteNewest(ctx, "News "+mark) }},
	} {
		f.shows(t, fmt.Sprintf("%s, by a request, %d", one.What, round), one)
	}
}

// remark comments on a post as a visitor does.
func (f *freshness) remark(ctx context.Context, post int) error {
	got, err := f.doors[0].post(ctx, "/wp-comments-post.php", url.Values{
		"comment": {"The words of a visitor"}, "author": {"Bob"}, "email": {"bob@example.com"}, "comment_post_ID": {strconv.Itoa(post)}})
	if err == nil && got.status != http.StatusFound {
		err = fmt.Errorf("status %d: %s", got.status, excerpt(got.body))
	}
	return err
}

// switchTheme follows the link in wp-admin.
func (f *freshness) switchTheme(ctx context.Context, theme string) error {
	listed, err := f.site.visitor.get(ctx, "/wp-admin/themes.php")
	if err != nil {
		return err
	}
	link := regexp.MustCompile(`themes\.php\?action=activate&stylesheet=` + theme + `&_wpnonce=[0-9a-f]+`).FindString(
		html.UnescapeString(strings.ReplaceAll(string(listed.body), `\/`, "/")))
	if link == "" {
		return fmt.Errorf("no way to the theme %s: status %d", theme, listed.status)
	}
	got, err := f.site.visitor.get(ctx, "/wp-admin/"+link)
	if err == nil && got.status != http.StatusFound {
		err = fmt.Errorf("status %d: %s", got.status, excerpt(got.body))
	}
	return err
}

// deleteNewest deletes a post for good.
func (f *freshness) deleteNewest(ctx context.Context, title string) error {
	response, err := f.site.visitor.get(ctx, "/?rest_route=/wp/v2/posts&search="+url.QueryEscape(title))
	if err != nil {
		return err
	}
	var found []struct {
		ID int `json:"id"`
	}
	if err := json.Unmarshal(response.body, &found); err != nil || len(found) == 0 {
		return fmt.Errorf("%d posts are called %q: %w", len(found), title, err)
	}
	_, err = f.rest(ctx, http.MethodDelete, fmt.Sprintf("/wp/v2/posts/%d&force=true", found[0].ID), nil)
	return err
}

// scheduled makes a post that is due in a moment, and has the tasks run that are due then.
func (f *freshness) scheduled(t *testing.T, title string, run func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		due := time.Now().Add(2 * time.Second).UTC()
		_, err := f.rest(ctx, http.MethodPost, "/wp/v2/posts", map[string]any{"title": title, "status": "future", "date_gmt": due.Format("2006-01-02T15:04:05")})
		if err != nil {
			return err
		}
		await(t, "the post is due", func(context.Context) error {
			if left := time.Until(due); left > 0 {
				return fmt.Errorf("in %s", left)
			}
			return nil
		})
		return run(ctx)
	}
}

func (f *freshness) cronRequest(ctx context.Context) error {
	got, err := f.doors[0].get(ctx, "/wp-cron.php?doing_wp_cron")
	if err == nil && got.status != http.StatusOK {
		err = fmt.Errorf("status %d", got.status)
	}
	return err
}

// cronJob returns when a Job of the CronJob has ended.
func (f *freshness) cronJob(ctx context.Context, t *testing.T) error {
	defer f.site.runScheduledTasks(t)()
	return eventually(ctx, patience, "the Job of the CronJob", func(ctx context.Context) error {
		jobs, err := f.site.kubernetes.BatchV1().Jobs(f.site.namespace).List(ctx, metav1.ListOptions{})
		if err == nil && !ended(jobs.Items) {
			err = errors.New("it is under way")
		}
		return err
	})
}

// ended tells of Jobs none of which is under way.
func ended(jobs []batchv1.Job) bool {
	for _, job := range jobs {
		if job.Status.Succeeded == 0 {
			return false
		}
	}
	return len(jobs) > 0
}

// pause between two looks.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(100 * time.Millisecond):
		return nil
	}
}

// byCommandLine makes the changes of the file as WP-CLI does, and those that nobody makes as a scheduled task does.
func (f *freshness) byCommandLine(t *testing.T, round int) {
	t.Helper()
	number := fmt.Sprintf("%d", round)
	made := strings.Fields(f.site.php(t, asCommand(1), returned(f.site.readChanges(t, "{round}", number).Prepare)))
	if len(made) != 3 {
		t.Fatalf("prepare: %q", made)
	}
	all := f.site.readChanges(t, "{round}", number, "{post}", made[0], "{scheduled}", made[1], "{comment}", made[2])
	for _, one := range all.Changes {
		one.make = func(context.Context) error {
			f.site.php(t, asCommand(one.User), one.PHP)
			return nil
		}
		for _, page := range all.Kept {
			for _, at := range f.doors {
				if _, err := at.get(t.Context(), page); err != nil {
					f.report(page, err)
				}
			}
		}
		f.shows(t, fmt.Sprintf("%s, on the command line, %d", one.What, round), one)
	}
}

// asCommand is what comes before WordPress: WP-CLI says who it is, and a task is nobody's.
func asCommand(user int) string {
	if user == 0 {
		return ""
	}
	return fmt.Sprintf("define('WP_CLI', true);\n$GLOBALS['wp_filter']['init'][99]['user'] = ['accepted_args' => 0, 'function' => fn () => wp_set_current_user(%d)];\n", user)
}

func returned(code string) string { return "echo (function () {\n" + code + "\n})();" }

// restore makes the site ready for another round.
func (f *freshness) restore(t *testing.T) {
	t.Helper()
	f.site.php(t, asCommand(1), f.site.readChanges(t).Restore)
}

// shows makes a change to a page that every door shows as it was, and looks at each until it has shown the change for as long as it may take.
func (f *freshness) shows(t *testing.T, what string, one kindOfChange) {
	t.Helper()
	before := eventually(t.Context(), 30*time.Second, "it is shown as it was", func(ctx context.Context) (problem error) {
		for _, at := range f.doors {
			problem = errors.Join(problem, wasKept(ctx, at, one))
		}
		return problem
	})
	if before != nil {
		f.report(what, before)
		return
	}
	if err := one.make(t.Context()); err != nil {
		f.report(what, err)
		return
	}
	f.look(t.Context(), what, one, time.Now())
}

// wasKept reports a page that is not kept as it was before the change. Errors and forms are never kept.
func wasKept(ctx context.Context, at *door, one kindOfChange) error {
	page, err := at.get(ctx, one.Path)
	if err != nil {
		return err
	}
	text, isKept := string(page.body), strings.HasPrefix(page.header.Get(statusOfCache), "wordpress; hit")
	if strings.Contains(text, one.Shown) != one.Gone || !isKept && page.status == http.StatusOK && !strings.Contains(text, "post_password") {
		return fmt.Errorf("%s at %s: status %d, %s, shows %q: %v", one.Path, at.name, page.status, page.header.Get(statusOfCache), one.Shown, !one.Gone)
	}
	return nil
}

// look at a page through every door until well after the time in which it may show what was there before.
func (f *freshness) look(ctx context.Context, what string, one kindOfChange, acknowledged time.Time) {
	var doors sync.WaitGroup
	for _, at := range f.doors {
		doors.Go(func() { f.report(what, f.lookAt(ctx, what, one, at, acknowledged)) })
	}
	doors.Wait()
}

func (f *freshness) lookAt(ctx context.Context, what string, one kindOfChange, at *door, acknowledged time.Time) error {
	const longest = 15 * time.Second
	isShown, stale, first := false, 0, time.Now()
	for {
		begun := time.Since(acknowledged)
		page, err := at.get(ctx, one.Path)
		if err != nil || page.status >= http.StatusInternalServerError {
			return fmt.Errorf("%s at %s: status %d: %w", one.Path, at.name, page.status, err)
		}
		isNew := strings.Contains(string(page.body), one.Shown) != one.Gone
		if !isNew && begun > showsWithin {
			stale++
		}
		f.looked(what, isNew && !isShown, !isNew && begun > showsWithin, time.Since(first))
		isShown = isShown || isNew
		switch {
		case isNew && begun > showsWithin && stale == 0:
			return nil
		case isNew && begun > showsWithin, begun > longest:
			return fmt.Errorf("%s at %s: %d looks showed what was there before, the last of %s after the change", one.Path, at.name, stale, begun)
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

func (f *freshness) looked(what string, isFirst, isStale bool, after time.Duration) {
	f.Lock()
	defer f.Unlock()
	f.Looks++
	if isStale {
		f.Stale++
	}
	if isFirst {
		f.Changes[what] = max(f.Changes[what], after.Seconds())
		f.Slowest = max(f.Slowest, after.Seconds())
	}
}

// whileUnderWay changes a page that every pod of the cache is having made, in both ways.
func (f *freshness) whileUnderWay(t *testing.T, round int) {
	t.Helper()
	for _, way := range []string{"a request", "the command line"} {
		title := fmt.Sprintf("A slow page, %d by %s", round, way)
		post := f.creates(t, "/wp/v2/posts", map[string]any{"title": title, "status": "publish", "content": "x"})
		f.site.php(t, "", fmt.Sprintf("update_option('leaks_posts', ['article' => %d], false);", post.ID))
		one := kindOfChange{Path: fmt.Sprintf("/fresh/slow-0/r%d%d/", round, len(way)), Shown: fmt.Sprintf("A swift page, %d by %s", round, way)}
		one.make = f.byRest(fmt.Sprintf("/wp/v2/posts/%d", post.ID), map[string]any{"title": one.Shown})
		if way != "a request" {
			one.make = func(context.Context) error {
				f.site.php(t, asCommand(1), fmt.Sprintf("wp_update_post(['ID' => %d, 'post_title' => '%s']);", post.ID, one.Shown))
				return nil
			}
		}
		f.changesMeanwhile(t, fmt.Sprintf("a page under way, by %s, %d", way, round), title, one)
	}
}

// changesMeanwhile makes a change while each pod waits for the page as it was.
func (f *freshness) changesMeanwhile(t *testing.T, what, title string, one kindOfChange) {
	t.Helper()
	pods := f.doors[1:]
	begun := f.renders(t)
	var waiting sync.WaitGroup
	var old int
	for _, at := range pods {
		waiting.Go(func() {
			page, err := at.get(t.Context(), one.Path)
			if err != nil || !strings.Contains(string(page.body), title) {
				f.report(what, fmt.Errorf("the old page: status %d: %w", page.status, err))
			}
			f.Lock()
			defer f.Unlock()
			old++
		})
	}
	for end := time.Now().Add(patience); f.renders(t) < begun+len(pods); {
		if err := pause(t.Context()); err != nil || time.Now().After(end) {
			t.Fatalf("%s: nobody makes the page: %v", what, err)
		}
	}
	err := one.make(t.Context())
	acknowledged := time.Now()
	f.Lock()
	if old > 0 {
		err = errors.Join(err, errors.New("an old page was there before the change"))
	}
	f.Unlock()
	f.report(what, err)
	f.look(t.Context(), what, one, acknowledged)
	waiting.Wait()
	f.look(t.Context(), what+", when the old page was there", one, acknowledged)
	for _, at := range pods {
		page, err := at.get(t.Context(), one.Path)
		if err == nil && (!strings.Contains(string(page.body), one.Shown) || !strings.HasPrefix(page.header.Get(statusOfCache), "wordpress; hit")) {
			err = fmt.Errorf("%s: the new page is not kept: %s", at.name, page.header.Get(statusOfCache))
		}
		f.report(what, err)
	}
}

// renders is how many slow pages WordPress has begun to make.
func (f *freshness) renders(t *testing.T) int {
	t.Helper()
	said, err := f.site.says(t.Context(), "/?leaks-renders=1")
	if err != nil {
		t.Fatal(err)
	}
	count, err := strconv.Atoi(said)
	if err != nil {
		t.Fatal(err)
	}
	return count
}
