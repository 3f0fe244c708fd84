package e2e

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"wordpress-on-kubernetes/tests/e2e/evidence"
	"wordpress-on-kubernetes/tests/stack"
)

const (
	// slowConnections of one address, a quarter of each kind.
	slowConnections = 200
	// slowTime is how long each round's slow clients hold on, and as long is it quiet before.
	slowTime = 12 * time.Second
	// office is fifty people with six connections each.
	office = 50 * 6
)

// slowRound holds the other visitor's times of a page in seconds, of which 99 in 100 are below: without slow clients, while they come,
// a quarter of them with a page that is to be made, all at once, and while they hold on.
type slowRound struct {
	Quiet    float64 `json:"quietSeconds"`
	Arriving float64 `json:"arrivingSeconds"`
	Slow     float64 `json:"slowSeconds"`
}

// slowed is what slow clients did to others.
type slowedByClients struct {
	Rounds        []slowRound `json:"rounds"`
	Pages, Failed int64
	// Unready is how often a pod was seen unready, Refused how many requests of the office were.
	Unready, Refused int64
}

// ratio of the times while they hold on.
func (f slowedByClients) ratio() float64 {
	return f.median(func(round slowRound) float64 { return round.Slow / round.Quiet })
}

// arrival is the ratio while they come: fifty people who ask for a page in the same moment make others wait as long.
func (f slowedByClients) arrival() float64 {
	return f.median(func(round slowRound) float64 { return round.Arriving / round.Quiet })
}

func (f slowedByClients) median(of func(slowRound) float64) float64 {
	var all []float64
	for _, round := range f.Rounds {
		all = append(all, of(round))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func (f slowedByClients) figures() evidence.Figures {
	return evidence.Figures{"p99Ratio": f.ratio(), "arrivalP99Ratio": f.arrival(), "unready": float64(f.Unready), "refusedOfOffice": float64(f.Refused)}
}

func (f slowedByClients) String() string {
	return fmt.Sprintf("%d of %d pages of another visitor failed, and 99 in 100 took at most %.1f times as long (median of %d rounds), "+
		"%.1f times while the connections, %d with a page to be made, came all at once; "+
		"%d pods unready; %d of %d requests of an office refused", f.Failed, f.Pages, f.ratio(), len(f.Rounds), f.arrival(), slowConnections/4, f.Unready, f.Refused, office)
}

// TestSlowClientsAreContained has one address hold two hundred slow connections while a visitor of another one reads pages. Without the
// Middleware that reads bodies at the edge, that must be noticed.
func TestSlowClientsAreContained(t *testing.T) {
	needLong(t)
	s := subjectOf(t, ours)
	defer s.holdReplicas(t)()
	found, problem := s.slowClients(t, pick(3, 7))
	found.Refused = s.officeIsRefused(t)
	if found.Refused > 0 {
		problem = errors.Join(problem, fmt.Errorf("%d of %d requests of an office are refused", found.Refused, office))
	}
	s.keep(t, proof{promise: 21, title: "slow clients hold no pod", rounds: len(found.Rounds), requests: found.Pages, failed: found.Failed,
		tried: fmt.Sprintf("%d connections of one address, idle, with slow heads, with slow bodies of 1 to 25 kB/s and with slow readers, while "+
			"others read pages, each page from another address, with every limit of a client on; then %d connections of one address at a time", slowConnections, office),
		details: found, figures: found.figures(), figure: outcome(problem, found.String())}, problem)

	// The cache reads bodies too: with either of both, nothing would be noticed.
	p := s.contender.(*program)
	p.change(t, cacheEnabled, "false")
	defer p.change(t, cacheEnabled, "true")
	restore := s.unbuffered(t)
	defer restore()
	open, broken := s.slowClients(t, 1)
	s.caught(t, 21, "slow clients hold no pod", "bodies are not read at the edge, and there is no cache", outcome(broken, open.String()), errors.Is(broken, errVisitorSuffers),
		open.figures())
}

// unbuffered has the Middleware do nothing, and returns what takes that back.
func (s *subject) unbuffered(t *testing.T) (restore func()) {
	t.Helper()
	const body = "middlewares.traefik.io/wordpress-body"
	spec := kubectl(t, s.project, "", "get", "-n", s.namespace, body, "-o", "jsonpath={.spec}")
	replace := func(spec string) {
		kubectl(t, s.project, "", "patch", "-n", s.namespace, body, "--type=json", "-p",
			fmt.Sprintf(`[{"op": "replace", "path": "/spec", "value": %s}]`, spec))
	}
	replace(`{"headers": {"customRequestHeaders": {"X-Unbuffered": "1"}}}`)
	return func() { replace(spec) }
}

// slowClients measures a visitor's pages in rounds, without slow clients and with them.
func (s *subject) slowClients(t *testing.T, rounds int) (found slowedByClients, problem error) {
	t.Helper()
	other := s.visitedBy(t, stack.Crowd()...)
	if first := other.pagesFor(t.Context(), slowTime/2); first.problem != nil {
		t.Fatal(first.problem) // the first pages of new pods are slow
	}
	for range rounds {
		quiet := other.pagesFor(t.Context(), slowTime)
		if quiet.problem != nil {
			t.Fatal(quiet.problem)
		}
		watched, stop := context.WithCancel(t.Context())
		slow := s.startSlowClients(watched, t)
		unready := s.watchReadiness(watched)
		arriving := other.pageTimes(slow.come)
		if errors.Is(slow.come.Err(), context.DeadlineExceeded) {
			t.Fatalf("not all slow clients have come within %s", patience)
		}
		holding := other.pagesFor(t.Context(), slowTime)
		stop()
		slow.all.Wait()
		found.Unready += <-unready
		found.Rounds = append(found.Rounds, slowRound{quiet.ninetyNine(), arriving.ninetyNine(), holding.ninetyNine()})
		for _, pages := range []pages{arriving, holding} {
			found.Pages += int64(len(pages.seconds))
			found.Failed += pages.failed
			if pages.problem != nil {
				problem = errors.Join(problem, fmt.Errorf("%w: %w", errVisitorSuffers, pages.problem))
			}
		}
	}
	if found.ratio() > slowed {
		problem = errors.Join(problem, fmt.Errorf("%w: 99 in 100 pages took %.1f times as long, want at most %.1f", errVisitorSuffers, found.ratio(), slowed))
	}
	if found.Unready > 0 {
		problem = errors.Join(problem, fmt.Errorf("pods were seen unready %d times", found.Unready))
	}
	return found, problem
}

// pages that were read one after the other: their times, the longest last, how many failed, and why the first one did.
type pages struct {
	seconds []float64
	failed  int64
	problem error
}

func (p pages) ninetyNine() float64 { return p.seconds[len(p.seconds)*99/100] }

func (s *site) pagesFor(ctx context.Context, during time.Duration) pages {
	ctx, cancel := context.WithTimeout(ctx, during)
	defer cancel()
	return s.pageTimes(ctx)
}

// pageTimes has the front page made again and again, and once at least, until the context ends; the last page is waited for.
func (s *site) pageTimes(until context.Context) (read pages) {
	for {
		asked := time.Now()
		got, err := s.get(context.WithoutCancel(until), "/"+anew)
		if err == nil && got.status != http.StatusOK {
			err = fmt.Errorf("front page: status %d", got.status)
		}
		if err != nil {
			read.failed++
			if read.problem == nil {
				read.problem = err
			}
		}
		read.seconds = append(read.seconds, time.Since(asked).Seconds())
		if until.Err() != nil {
			slices.Sort(read.seconds)
			return read
		}
	}
}

// slowClients are connections that hold on.
type slowClients struct {
	all sync.WaitGroup
	// come ends when every one of them has got as far as it will: the readers, to the beginning of their answer.
	come context.Context
}

// startSlowClients opens the connections and has them hold on until the context ends.
func (s *subject) startSlowClients(ctx context.Context, t *testing.T) *slowClients {
	t.Helper()
	transport, err := s.project.EdgeTransport()
	if err != nil {
		t.Fatal(err)
	}
	settings := transport.TLSClientConfig.Clone()
	settings.ServerName = s.host
	come, haveCome := context.WithTimeout(ctx, patience)
	clients := &slowClients{come: come}
	var coming sync.WaitGroup
	for i := range slowConnections {
		coming.Add(1)
		arrived := sync.OnceFunc(coming.Done)
		clients.all.Go(func() {
			defer arrived()
			raw, err := transport.DialContext(ctx, "tcp", s.host+":443")
			if err != nil {
				return // the edge may refuse as it likes
			}
			defer func() { _ = raw.Close() }()
			defer context.AfterFunc(ctx, func() { _ = raw.Close() })()
			s.isSlow(ctx, tls.Client(raw, settings), i, arrived)
		})
	}
	go func() {
		coming.Wait()
		haveCome()
	}()
	return clients
}

// isSlow is one slow client, and tells when it has arrived. What the edge does to it does not matter.
func (s *subject) isSlow(ctx context.Context, connection net.Conn, number int, arrived func()) {
	host := "Host: " + s.host + "\r\n"
	if number%4 != 3 {
		arrived()
	}
	switch number % 4 {
	case 0: // idle
		_, _ = connection.Read(make([]byte, 1))
	case 1: // a slow head
		_, _ = io.WriteString(connection, "GET / HTTP/1.1\r\n"+host)
		everySecond(ctx, func() error {
			_, err := io.WriteString(connection, "X-A: b\r\n")
			return err
		})
	case 2: // a slow body, of 1 to 25 kB a second
		_, _ = io.WriteString(connection, "POST /wp-comments-post.php HTTP/1.1\r\n"+host+
			"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 30000000\r\n\r\n")
		piece := []byte(strings.Repeat("a", 1000*(1+number/4%25)))
		everySecond(ctx, func() error {
			_, err := connection.Write(piece)
			return err
		})
	default: // a slow reader
		_, _ = io.WriteString(connection, "GET "+s.article.path+anew+" HTTP/1.1\r\n"+host+"\r\n")
		everySecond(ctx, func() error {
			_, err := connection.Read(make([]byte, 1000))
			arrived()
			return err
		})
	}
}

// everySecond does something again and again until it fails or the context ends.
func everySecond(ctx context.Context, do func() error) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for do() == nil {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// watchReadiness counts how often a pod is seen unready until the context ends.
func (s *subject) watchReadiness(ctx context.Context) <-chan int64 {
	count := make(chan int64, 1)
	go func() {
		var unready int64
		everySecond(ctx, func() error {
			// What the API server does not tell is not counted.
			pods, _ := s.livePods(ctx, s.frontend)
			for _, pod := range pods {
				for _, condition := range pod.Status.Conditions {
					if condition.Type == corev1.PodReady && condition.Status != corev1.ConditionTrue {
						unready++
					}
				}
			}
			return nil
		})
		count <- unready
	}()
	return count
}

// officeIsRefused has fifty people behind one address open six connections each, and returns how many requests get status 429.
func (s *subject) officeIsRefused(t *testing.T) int64 {
	t.Helper()
	var refused atomic.Int64
	var all sync.WaitGroup
	for range office {
		all.Go(func() {
			got, err := s.visitor.get(t.Context(), aFile)
			switch {
			case err != nil:
				t.Errorf("a visitor of the office: %v", err)
			case got.status == http.StatusTooManyRequests:
				refused.Add(1)
			}
		})
	}
	all.Wait()
	return refused.Load()
}

// TestVisitorIsWhoHeIs has two visitors forge an address. WordPress and the pod's log must tell their own.
func TestVisitorIsWhoHeIs(t *testing.T) {
	s := subjectOf(t, ours)
	const forged = "198.51.100.66"
	var problem error
	for _, one := range []stack.Visitor{1, 2} {
		address, err := s.addressOf(t, s.visitedBy(t, one), forged)
		if err == nil && address != one.String() {
			err = fmt.Errorf("taken for %q", address)
		}
		if err == nil && !s.logsTell(t, address) {
			err = errors.New("no pod's log tells the address")
		}
		if err != nil {
			problem = errors.Join(problem, fmt.Errorf("visitor of %s: %w", one, err))
		}
	}
	s.keep(t, proof{promise: 26, title: "the visitor's address is his own", rounds: 1,
		tried:  "two visitors of different addresses, told by a load balancer in front of the edge, who forge X-Forwarded-For and Client-IP",
		figure: outcome(problem, "WordPress and the pods' logs tell each one's own address, and never the forged one")}, problem)
}

// addressOf is the address that WordPress takes the visitor to come from, who says that it is another.
func (s *subject) addressOf(t *testing.T, visitor *site, forged string) (string, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, visitor.base+"/?proof-address=1", nil)
	if err != nil {
		return "", err
	}
	for _, name := range []string{"X-Forwarded-For", "Client-IP", "X-Real-IP"} {
		request.Header.Set(name, forged)
	}
	response, err := visitor.client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

// logsTell looks for an access from the address in the pods' logs.
func (s *subject) logsTell(t *testing.T, address string) bool {
	t.Helper()
	pods, err := s.kubernetes.readyPods(t.Context(), s.frontend)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(pods, func(pod corev1.Pod) bool {
		log := kubectl(t, s.project, "", "logs", "-n", s.namespace, pod.Name, "-c", s.container, "--tail=500")
		return strings.Contains("\n"+log, "\n"+address+" - - [")
	})
}
