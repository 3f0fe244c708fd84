package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

const askItself = "requests to itself stay in the pod"

// closedNetwork are the tests of Site Health that say that nothing is let out.
var closedNetwork = []string{"dotorg_communication", "http_requests"}

// leastTests is less than WordPress has, and more than it has without those that a browser asks for one by one.
const leastTests = 24

// undecided is what a test of Site Health found that says nothing, such as that of WordPress's version where wordpress.org is not asked.
const undecided = "undecided"

// health are the names of Site Health's tests by what they found: good, recommended, critical or undecided.
type health map[string][]string

func (h health) String() string {
	var parts []string
	for _, status := range []string{"critical", "recommended", undecided, "good"} {
		text := fmt.Sprintf("%d %s", len(h[status]), status)
		if status != "good" && len(h[status]) > 0 {
			text += " (" + strings.Join(h[status], ", ") + ")"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

func (h health) figures() evidence.Figures {
	return evidence.Figures{"critical": float64(len(h["critical"])), "recommended": float64(len(h["recommended"]))}
}

// healthIs wants Site Health to find just these tests critical.
func (s *subject) healthIs(t *testing.T, with string, critical []string) {
	t.Helper()
	found, problem := s.health(t.Context())
	if problem == nil && !slices.Equal(found["critical"], critical) {
		problem = fmt.Errorf("critical are %q, want %q", found["critical"], critical)
	}
	s.keep(t, proof{promise: 27, part: with, title: askItself, rounds: 1,
		tried:  "all tests of WordPress's Site Health, as an administrator's browser has them run, while " + with,
		figure: outcome(problem, found.String()), figures: found.figures()}, problem)
}

// siteHealth is what WordPress hands to the page's script.
var siteHealth = regexp.MustCompile(`(?s)var SiteHealth = (\{.*?\});\s`)

// healthTest is one of those that the browser asks for by itself. Without headers, PHP writes an empty list.
type healthTest struct {
	Test    string
	Headers json.RawMessage
}

type healthResult struct{ Test, Status string }

// health runs all tests of Site Health, as its page in the browser does, after WordPress was told to look for updates.
func (s *subject) health(ctx context.Context) (health, error) {
	if err := s.looksForUpdates(ctx); err != nil {
		return nil, err
	}
	page, err := s.visitor.get(ctx, "/wp-admin/site-health.php")
	if err != nil {
		return nil, err
	}
	found := siteHealth.FindSubmatch(page.body)
	if found == nil {
		return nil, fmt.Errorf("site health: status %d, location %q: %s", page.status, page.location, excerpt(page.body))
	}
	var begun struct {
		SiteStatus struct {
			Direct []healthResult
			Async  []healthTest
		} `json:"site_status"`
	}
	if err := json.Unmarshal(found[1], &begun); err != nil {
		return nil, err
	}
	results := begun.SiteStatus.Direct
	for _, test := range begun.SiteStatus.Async {
		one, err := s.askHealth(ctx, test)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", test.Test, err)
		}
		results = append(results, one)
	}
	if len(results) < leastTests {
		return nil, fmt.Errorf("only %d tests were run", len(results))
	}
	all := health{}
	for _, one := range results {
		status := cmp.Or(one.Status, undecided)
		all[status] = append(all[status], one.Test)
	}
	for _, tests := range all {
		slices.Sort(tests)
	}
	return all, nil
}

func (s *subject) askHealth(ctx context.Context, test healthTest) (result healthResult, err error) {
	nonce, err := s.visitor.get(ctx, "/wp-admin/admin-ajax.php?action=rest-nonce")
	if err != nil {
		return result, err
	}
	header := http.Header{"X-Wp-Nonce": {string(nonce.body)}}
	more := map[string]string{}
	if string(test.Headers) != "[]" {
		err = json.Unmarshal(test.Headers, &more)
	}
	for name, value := range more {
		header.Set(name, value)
	}
	answer, askErr := s.visitor.do(ctx, http.MethodGet, strings.TrimPrefix(test.Test, s.visitor.base), "", nil, header)
	if err = errors.Join(err, askErr); err != nil {
		return result, err
	}
	if err = json.Unmarshal(answer.body, &result); err != nil || answer.status != http.StatusOK {
		err = fmt.Errorf("status %d: %w: %s", answer.status, err, excerpt(answer.body))
	}
	return result, err
}

// itself is how pods answered requests that they made to the site's own address.
type itself struct {
	// answered in the same pod; refused at once, as all other processes waited already.
	answered, refused int
}

// askAtOnce has each pod in turn ask itself in three times as many requests as it has processes.
func (s *subject) askAtOnce(ctx context.Context, processes int) (total itself, err error) {
	err = s.eachPod(ctx, func(pod *site) error {
		said := make([]error, 3*processes)
		var asking sync.WaitGroup
		var mutex sync.Mutex
		for i := range said {
			asking.Go(func() {
				answer, err := pod.get(ctx, "/?proof-itself=1")
				mutex.Lock()
				defer mutex.Unlock()
				switch own := answer.header.Get("X-Served-By"); {
				case err != nil:
					said[i] = err
				case string(answer.body) == own && own != "":
					total.answered++
				case strings.Contains(string(answer.body), "All other processes"):
					total.refused++
				default:
					said[i] = fmt.Errorf("status %d of %q: %s", answer.status, own, excerpt(answer.body))
				}
			})
		}
		asking.Wait()
		return errors.Join(said...)
	})
	return total, err
}

// updatesProcesses are how many a pod of the site has that asks itself.
const updatesProcesses = 5

// asksItself while no process is free but one.
func (s *subject) asksItself(t *testing.T) {
	t.Helper()
	const processes = updatesProcesses
	total, problem := s.askAtOnce(t.Context(), processes)
	if problem == nil && total.answered < processes {
		problem = fmt.Errorf("only %d were answered", total.answered)
	}
	s.keep(t, proof{promise: 27, part: "every process is busy", title: askItself, rounds: 1,
		tried: fmt.Sprintf("%d requests at once to each pod, which has %d processes, each of which asks the site for a page of one second",
			3*processes, processes),
		figure: outcome(problem, fmt.Sprintf("%d were answered in the pod that asked, %d were told at once that all others wait",
			total.answered, total.refused)),
		figures: evidence.Figures{"answered": float64(total.answered), "refused": float64(total.refused)}}, problem)
}
