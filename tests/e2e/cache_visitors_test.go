package e2e

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path"
	"sort"
	"testing"
	"time"

	"wordpress-on-kubernetes/tests/e2e/evidence"
	"wordpress-on-kubernetes/tests/e2e/load"
)

const (
	// manyAddresses are visited visitsPerSecond times a second, of which some visitors are logged in and some comment.
	manyAddresses                = 500
	visitsPerSecond              = 40.0
	loggedInShare, commentsShare = 0.05, 0.01
	// leastHits is the share of what may be kept that must be answered from what is kept.
	leastHits = 0.95
)

// TestManyAddressesAreKept visits many posts, the second half as often as the first, the third a third as often and so on, while others
// are logged in or comment.
func TestManyAddressesAreKept(t *testing.T) {
	needTime(t)
	s := newCached(t, "many", map[string]string{cacheEnabled: "true", "wordpress:frontend.resources.cpu": "400m"})
	s.deploy(t)
	s.fill(t)
	posts := s.manyPosts(t)
	s.awaitGrown(t)
	all := s.sessions(t)
	client, fresh := s.crowd(t, true), s.crowd(t, false)
	defer client.Close()
	chosen := newZipf(len(posts))
	acknowledged := newLedger()
	var seen statuses
	const anonymous = "visitor"
	run := load.Start(t.Context(),
		load.Stream{
			Name: anonymous, PerSecond: visitsPerSecond * (1 - loggedInShare - commentsShare), Connections: 16,
			Request: func(ctx context.Context) (load.Reply, error) {
				return s.getKept(ctx, client, posts[chosen.next()].path, manyTitle, &seen)
			},
		},
		load.Stream{
			Name: "logged in", PerSecond: visitsPerSecond * loggedInShare, Connections: cap(all),
			Request: func(ctx context.Context) (load.Reply, error) { return all.get(ctx, posts[chosen.next()].path) },
		},
		load.Stream{
			Name: "comment", PerSecond: visitsPerSecond * commentsShare, Connections: 4,
			Request: func(ctx context.Context) (load.Reply, error) {
				at := &subject{guestbook: posts[chosen.next()]}
				return at.comment(fresh, acknowledged)(ctx)
			},
		},
	)
	duration := pick(90*time.Second, 30*time.Minute)
	hold(t, duration)
	report := run.Stop()
	for _, failure := range report.First {
		t.Logf("failed: %s %q: %s", failure.At.Format("15:04:05.000"), failure.Stream, failure.Reason)
	}
	t.Logf("answers by %s: %s", statusOfCache, &seen)
	cacheable := float64(seen.count(""))
	hits, old := float64(seen.count(hit))/cacheable, float64(seen.count(stale))/cacheable
	tail := p99(report, anonymous)
	problem := s.nothingFailed(report)
	if cacheable == 0 || *long && hits < leastHits {
		problem = errors.Join(problem, fmt.Errorf("%.3f of what may be kept was answered from what is kept, want %.2f", hits, leastHits))
	}
	s.keep(t, proof{promise: 35, part: "many addresses", title: cacheIsFast, rounds: 1, measured: true,
		tried: fmt.Sprintf("%d posts, the n-th visited 1/n as often as the first, by %.0f visitors a second for %s, of whom %.0f %% are logged in and "+
			"%.0f %% comment, each at such a post; nothing was kept of them before, and each pod keeps for itself", len(posts), visitsPerSecond, duration,
			100*loggedInShare, 100*commentsShare),
		figure: fmt.Sprintf("%.1f %% of what may be kept was answered from what is kept (%s: hit), %.1f %% of it beyond its time while a new one was made; "+
			"p99 of it all %.1f ms; %s", 100*hits, statusOfCache, 100*old, tail, failures(report)),
		figures: evidence.Figures{
			"zipfHitRatio": hits, "zipfStaleRatio": old, "zipfP99Milliseconds": tail, "posts": float64(len(posts)),
			"visitsPerSecond": float64(report.Requests) / report.Seconds, "comments": float64(acknowledged.count()),
		}, requests: report.Requests, failed: report.Failed, details: report}, problem)
}

func (*subject) nothingFailed(report load.Report) error {
	if report.Failed > 0 {
		return fmt.Errorf("%d of %d requests failed", report.Failed, report.Requests)
	}
	return nil
}

//go:embed testdata/posts.php
var postsPlugin string

// manyTitle is what the plugin calls each of its posts.
const manyTitle = "One of many posts"

// manyPosts publishes as many posts as there are to be addresses.
func (s *subject) manyPosts(t *testing.T) (posts []article) {
	t.Helper()
	s.exec(t, s.somePod(t), postsPlugin, "cat >"+path.Join(s.content, "mu-plugins", "posts.php"))
	await(t, fmt.Sprintf("%d posts", manyAddresses), func(ctx context.Context) error {
		page, err := s.anybody(t).get(ctx, fmt.Sprintf("/?proof-posts=%d", manyAddresses-len(posts)))
		if err != nil || page.status != http.StatusOK {
			return fmt.Errorf("status %d: %s: %w", page.status, excerpt(page.body), err)
		}
		var made []struct {
			ID   int    `json:"id"`
			Path string `json:"path"`
		}
		if err := json.Unmarshal(page.body, &made); err != nil {
			return err
		}
		posts = nil
		for _, post := range made {
			posts = append(posts, article{id: post.ID, path: post.Path, title: manyTitle})
		}
		if len(posts) < manyAddresses {
			return fmt.Errorf("%d of %d", len(posts), manyAddresses)
		}
		return nil
	})
	return posts
}

// zipf chooses among so many by Zipf's law with the exponent 1, which the standard library's choice does not know.
type zipf struct{ sums []float64 }

func newZipf(count int) zipf {
	z := zipf{sums: make([]float64, count)}
	sum := 0.0
	for i := range z.sums {
		sum += 1 / float64(i+1)
		z.sums[i] = sum
	}
	return z
}

// next is the index of the one that is chosen.
func (z zipf) next() int {
	return min(sort.SearchFloat64s(z.sums, rand.Float64()*z.sums[len(z.sums)-1]), len(z.sums)-1)
}
