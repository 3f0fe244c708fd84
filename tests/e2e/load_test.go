package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/util/rand"

	"wordpress-on-kubernetes/tests/e2e/evidence"
	"wordpress-on-kubernetes/tests/e2e/load"
	"wordpress-on-kubernetes/tests/stack"
)

// The load that a change goes through, in requests a second. Most of it is one small file, so that a rollout meets
// thousands of requests on two cores; the rest is what visitors do.
const (
	// filesPerSecond in the short form and in the long one.
	filesPerSecond, moreFilesPerSecond = 100.0, 150.0

	pagesPerSecond    = 2.0
	commentsPerSecond = 1.0
	slowPerSecond     = 0.5
	// slowSeconds is how long the slow page takes, far longer than a pod needs to stop without a drain.
	slowSeconds = 5

	// fileStream begins the names of the streams that ask for aFile, which no pod needs long for.
	fileStream = "file, "
	// pageStream asks for the article.
	pageStream = "page"
	// anew ends an address of which no cache has the page: what is asked for with a query that the cache does not know, WordPress's pods answer.
	anew = "?anew"
	// aFile is part of the core and the same in both versions of the images.
	aFile = "/wp-includes/images/w-logo-blue.png"
)

// visits is the load of visitors on a subject, and what WordPress acknowledged to them.
type visits struct {
	*load.Run
	acknowledged *ledger
}

// visit begins to load the subject: files and pages over kept and over new connections, comments, and a page that takes
// its time. A cache before WordPress hides none of its failures: half of the files and all but a few of the pages do not come from there.
func (s *subject) visit(t *testing.T) *visits {
	t.Helper()
	acknowledged := newLedger()
	kept, fresh := s.crowd(t, true), s.crowd(t, false)
	files := pick(filesPerSecond, moreFilesPerSecond)
	run := load.Start(t.Context(),
		load.Stream{Name: fileStream + "kept connection", PerSecond: files / 2, Connections: 4, Request: getFile(kept, aFile)},
		load.Stream{Name: fileStream + "new connection", PerSecond: files / 2, Connections: 4, Request: getFile(fresh, aFile+anew)},
		load.Stream{Name: pageStream, PerSecond: pagesPerSecond, Connections: 2, Request: s.getArticle(kept, anew)},
		load.Stream{Name: "page that may be kept", PerSecond: pagesPerSecond, Connections: 2, Request: s.getArticle(kept, "")},
		load.Stream{Name: "comment", PerSecond: commentsPerSecond, Connections: 2, Request: s.comment(fresh, acknowledged)},
		load.Stream{Name: "slow page", PerSecond: slowPerSecond, Connections: 4, Request: getSlow(kept)},
	)
	return &visits{Run: run, acknowledged: acknowledged}
}

// crowd makes each connection from another address, as visitors do, so that what is measured is measured with every limit of a
// client's on, and none is reached.
func (s *subject) crowd(t *testing.T, keepAlive bool) *load.Client {
	t.Helper()
	return s.client(t, keepAlive, stack.Crowd()...)
}

// client makes its connections from the addresses of the visitors in turn, or from this machine's.
func (s *subject) client(t *testing.T, keepAlive bool, visitors ...stack.Visitor) *load.Client {
	t.Helper()
	client, err := load.NewClient("https://"+s.host, keepAlive, func() (*http.Transport, error) { return s.project.EdgeTransport(visitors...) })
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func getFile(client *load.Client, path string) func(context.Context) (load.Reply, error) {
	return func(ctx context.Context) (load.Reply, error) { return client.Get(ctx, path, http.StatusOK, "PNG") }
}

// getArticle asks for the article with a query.
func (s *subject) getArticle(client *load.Client, query string) func(context.Context) (load.Reply, error) {
	return func(ctx context.Context) (load.Reply, error) {
		return client.Get(ctx, s.article.path+query, http.StatusOK, s.article.title)
	}
}

func getSlow(client *load.Client) func(context.Context) (load.Reply, error) {
	path := fmt.Sprintf("/?proof-seconds=%d", slowSeconds)
	return func(ctx context.Context) (load.Reply, error) {
		return client.Get(ctx, path, http.StatusOK, "took its time")
	}
}

// ledger is what was acknowledged: the text of each comment by the number that WordPress gave it.
type ledger struct {
	// run makes the texts unlike those of earlier runs: WordPress refuses a comment that it has already.
	run     string
	mutex   sync.Mutex
	written int
	entries map[string]string
}

func newLedger() *ledger { return &ledger{run: rand.String(8), entries: map[string]string{}} }

func (l *ledger) next() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.written++
	return fmt.Sprintf("proof %s number %d", l.run, l.written)
}

func (l *ledger) acknowledge(id, text string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.entries[id] = text
}

func (l *ledger) count() int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return len(l.entries)
}

// commentAddress is where WordPress sends a visitor whose comment it has stored.
var commentAddress = regexp.MustCompile(`#comment-(\d+)$`)

// comment posts a comment and keeps what WordPress acknowledged.
func (s *subject) comment(client *load.Client, acknowledged *ledger) func(context.Context) (load.Reply, error) {
	post := fmt.Sprint(s.guestbook.id)
	return func(ctx context.Context) (load.Reply, error) {
		text := acknowledged.next()
		form := url.Values{
			"author": {"A visitor"}, "email": {"visitor@example.com"}, "comment": {text}, "comment_post_ID": {post},
		}
		return client.PostForm(ctx, "/wp-comments-post.php", form, func(response *http.Response, _ []byte) error {
			found := commentAddress.FindStringSubmatch(response.Header.Get("Location"))
			if response.StatusCode != http.StatusFound || found == nil {
				return fmt.Errorf("status %d, location %q, want a redirect to the comment",
					response.StatusCode, response.Header.Get("Location"))
			}
			acknowledged.acknowledge(found[1], text)
			return nil
		})
	}
}

// lost are the acknowledged comments that the site no longer has.
func (s *subject) lost(ctx context.Context, acknowledged *ledger) ([]string, error) {
	response, err := s.visitor.get(ctx, "/?proof-comments=1")
	if err != nil {
		return nil, err
	}
	if response.status != http.StatusOK {
		return nil, fmt.Errorf("list of comments: status %d", response.status)
	}
	var stored map[string]string
	if err := json.Unmarshal(response.body, &stored); err != nil {
		return nil, fmt.Errorf("list of comments: %w", err)
	}
	acknowledged.mutex.Lock()
	defer acknowledged.mutex.Unlock()
	var lost []string
	for id, text := range acknowledged.entries {
		if stored[id] != text {
			lost = append(lost, fmt.Sprintf("comment %s: %q, want %q", id, stored[id], text))
		}
	}
	return lost, nil
}

// settled tells whether a run under load lost anything: a request, or a comment that was acknowledged.
func (s *subject) settled(t *testing.T, v *visits) (load.Report, error) {
	t.Helper()
	report := v.Stop()
	for _, failure := range report.First {
		t.Logf("failed: %s %q in phase %q, pod %q: %s",
			failure.At.Format("15:04:05.000"), failure.Stream, failure.Phase, failure.Pod, failure.Reason)
	}
	lost, err := s.lost(t.Context(), v.acknowledged)
	switch {
	case err != nil:
		return report, err
	case report.Failed > 0:
		return report, fmt.Errorf("%d of %d requests failed", report.Failed, report.Requests)
	case len(lost) > 0:
		return report, fmt.Errorf("%d of %d acknowledged comments are lost: %s", len(lost), v.acknowledged.count(), lost[0])
	}
	return report, nil
}

// failures is a figure for the table.
func failures(report load.Report) string {
	return fmt.Sprintf("%d of %d requests failed", report.Failed, report.Requests)
}

// slowest is another one: a request that waits for half a minute does not fail, and yet nobody would wait for it.
func slowest(report load.Report) string {
	return fmt.Sprintf("the slowest file came after %.1f s", slowestFile(report))
}

// slowestFile is in seconds.
func slowestFile(report load.Report) (seconds float64) {
	for _, stream := range report.Streams {
		if strings.HasPrefix(stream.Name, fileStream) {
			seconds = max(seconds, stream.Latency.Max)
		}
	}
	return seconds
}

// visitFigures are the numbers of a run of visits beside those that every proof counts.
func visitFigures(report load.Report) evidence.Figures {
	return evidence.Figures{"slowestFileSeconds": slowestFile(report), "pageP99Milliseconds": p99(report, pageStream)}
}

// counted are the numbers that a breakage is noticed by.
func counted(report load.Report) evidence.Figures {
	return evidence.Figures{"requests": float64(report.Requests), "failed": float64(report.Failed)}
}

// p99 of a stream in milliseconds.
func p99(report load.Report, stream string) float64 {
	for _, one := range report.Streams {
		if one.Name == stream {
			return 1000 * one.Latency.P99
		}
	}
	return 0
}
