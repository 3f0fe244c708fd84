package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"wordpress-on-kubernetes/tests/e2e/evidence"
	"wordpress-on-kubernetes/tests/e2e/load"
)

// The writes that a fault of the database meets.
const (
	writesPerSecond = 5.0
	// writeConnections are more than the rate needs: a comment that was sent into the fault may hold its connection for
	// seconds, and the others tell when the site takes comments again.
	writeConnections = 8
	// writesBeforeFault is how many comments are acknowledged between two faults. The fault follows the last of them
	// at once, when it has had the least time to reach the disk.
	writesBeforeFault = 10
	// restartsOfOnePod is how often a server is killed before its pod is replaced: the kubelet restarts a container at once
	// the first time, after 10 s the second time and after twice as long each further time.
	restartsOfOnePod = 2
)

// TestNoAcknowledgedWriteIsLost kills MySQL again and again while visitors comment, and looks for every comment that was
// acknowledged.
func TestNoAcknowledgedWriteIsLost(t *testing.T) {
	each(t, func(t *testing.T, s *subject) {
		writes := s.write(t)
		defer s.kubernetes.deletePods(t, s.database) // and with the pod its back-off
		var kills recoveries
		var problem error
		for round := 0; round < pick(2, 20) && problem == nil; round++ {
			var one recovery
			s.renewDatabase(t, writes)
			one, problem = s.killDatabase(t.Context(), writes)
			kills = append(kills, one)
			t.Logf("kill %d: %s", round+1, one)
		}
		report := writes.Stop()
		lost, err := s.lost(t.Context(), writes.acknowledged)
		problem = errors.Join(problem, err)
		if len(lost) > 0 {
			problem = errors.Join(problem, fmt.Errorf("%d acknowledged comments are lost: %s", len(lost), lost[0]))
		}
		s.keep(t, proof{promise: 6, title: durable, rounds: len(kills),
			tried: fmt.Sprintf("comments at %g a second, MySQL killed with SIGKILL right after one of them was acknowledged; "+
				"the kernel lives on with what was written to it, as after a power cut it would not",
				writesPerSecond),
			figure: fmt.Sprintf("%d of %d acknowledged comments lost in %d kills; %s",
				len(lost), writes.acknowledged.count(), len(kills), kills),
			figures:  kills.figures(len(lost), writes.acknowledged.count()),
			requests: report.Requests, failed: report.Failed, addsUp: true,
			details: map[string]any{"recoveries": kills, "load": report}}, problem)
	})
}

// durable is the promise that the table tells of.
const durable = "no acknowledged write is lost"

// TestUnflushedWritesAreNoticed is the deliberate breakage: a server that acknowledges before the log is written. It still
// writes it twice a second or so, and a kill just after that loses nothing.
func TestUnflushedWritesAreNoticed(t *testing.T) {
	needLong(t)
	const tries = 15
	// Threads for the log alone, which servers of many cores have, would write it soon even so.
	const breakage = "SET GLOBAL innodb_flush_log_at_trx_commit = 0; SET GLOBAL innodb_log_writer_threads = OFF"
	s := subjectOf(t, ours)
	writes := s.write(t)
	defer s.kubernetes.deletePods(t, s.database) // and with the server its setting
	var lost []string
	kills := 0
	for ; kills < tries && len(lost) == 0; kills++ {
		s.renewDatabase(t, writes)
		s.changeDatabase(t, breakage)
		if _, err := s.killDatabase(t.Context(), writes); err != nil {
			t.Fatal(err)
		}
		await(t, "the comments are listed", func(ctx context.Context) (err error) {
			lost, err = s.lost(ctx, writes.acknowledged)
			return err
		})
	}
	writes.Stop()
	s.caught(t, 6, durable, "`innodb_flush_log_at_trx_commit = 0`",
		fmt.Sprintf("%d of %d acknowledged comments lost in %d kills", len(lost), writes.acknowledged.count(), kills),
		len(lost) > 0, evidence.Figures{"lostComments": float64(len(lost)), "acknowledgedComments": float64(writes.acknowledged.count()),
			"kills": float64(kills)})
}

// writing is a load of comments alone.
type writing struct {
	*load.Run
	acknowledged *ledger
	// sent tells a listener when the comment was sent that has just been acknowledged.
	sent chan time.Time
}

// write begins to comment.
func (s *subject) write(t *testing.T) *writing {
	t.Helper()
	w := &writing{acknowledged: newLedger(), sent: make(chan time.Time)}
	comment := s.comment(s.crowd(t, false), w.acknowledged)
	w.Run = load.Start(t.Context(), load.Stream{
		Name: "comment", PerSecond: writesPerSecond, Connections: writeConnections,
		Request: func(ctx context.Context) (load.Reply, error) {
			sent := time.Now()
			reply, err := comment(ctx)
			if err == nil {
				select {
				case w.sent <- sent:
				default: // nobody listens
				}
			}
			return reply, err
		},
	})
	t.Cleanup(func() { w.Stop() })
	return w
}

// await returns when as many more comments are acknowledged that were sent after a moment.
func (w *writing) await(ctx context.Context, count int, after time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for seen := 0; seen < count; {
		select {
		case sent := <-w.sent:
			if sent.After(after) {
				seen++
			}
		case <-ctx.Done():
			return fmt.Errorf("comments: %d of %d are acknowledged: %w", seen, count, ctx.Err())
		}
	}
	return nil
}

// recovery is how long a killed database kept the site from taking comments.
type recovery struct {
	// Restarts of the pod's container before this kill. The kubelet restarts it at once when there was none.
	Restarts int32 `json:"restartsBefore"`
	// Seconds from the kill until a comment was acknowledged that was sent after it.
	Seconds float64 `json:"seconds"`
}

func (r recovery) String() string {
	return fmt.Sprintf("after %d restarts, the next comment is acknowledged %.1f s later", r.Restarts, r.Seconds)
}

type recoveries []recovery

// seconds of the recoveries that the kubelet held back, or of those that it did not, sorted.
func (r recoveries) seconds(heldBack bool) (sorted []float64) {
	for _, one := range r {
		if heldBack == (one.Restarts > 0) {
			sorted = append(sorted, one.Seconds)
		}
	}
	slices.Sort(sorted)
	return sorted
}

func (r recoveries) String() string {
	var parts []string
	for heldBack, name := range map[bool]string{false: "when restarted at once", true: "when the kubelet holds the restart back"} {
		if seconds := r.seconds(heldBack); len(seconds) > 0 {
			parts = append(parts, fmt.Sprintf("after %.1f s (median), at most %.1f s, %s", median(seconds), seconds[len(seconds)-1], name))
		}
	}
	slices.Sort(parts)
	return "comments are taken again " + strings.Join(parts, "; ")
}

func (r recoveries) figures(lost, acknowledged int) evidence.Figures {
	found := evidence.Figures{"lostComments": float64(lost), "acknowledgedComments": float64(acknowledged)}
	for heldBack, name := range map[bool]string{false: "recovery", true: "heldBackRecovery"} {
		if seconds := r.seconds(heldBack); len(seconds) > 0 {
			found[name+"MedianSeconds"], found[name+"MostSeconds"] = median(seconds), seconds[len(seconds)-1]
		}
	}
	return found
}

// renewDatabase replaces a pod whose further restarts would be held back for long.
func (s *subject) renewDatabase(t *testing.T, writes *writing) {
	t.Helper()
	pod, err := s.databasePod(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if restarts(pod) >= restartsOfOnePod {
		writes.Phase("the pod is replaced")
		s.kubernetes.deletePods(t, s.database)
	}
}

// killDatabase kills the server between comments and waits until one is acknowledged again.
func (s *subject) killDatabase(ctx context.Context, writes *writing) (recovery, error) {
	if err := writes.await(ctx, writesBeforeFault, time.Now()); err != nil {
		return recovery{}, err
	}
	pod, err := s.databasePod(ctx)
	if err != nil {
		return recovery{}, err
	}
	server, err := processOf(pod, "mysqld")
	if err != nil {
		return recovery{}, err
	}
	if err := writes.await(ctx, 1, time.Time{}); err != nil {
		return recovery{}, err
	}
	if err := server.Kill(); err != nil {
		return recovery{}, fmt.Errorf("kill mysqld of pod %s: %w", pod.Name, err)
	}
	killed := time.Now()
	writes.Phase("the server is killed")
	found := recovery{Restarts: restarts(pod)}
	err = writes.await(ctx, 1, killed)
	found.Seconds = time.Since(killed).Seconds()
	writes.Phase("the server is back")
	return found, err
}

// databasePod is the one pod of the database.
func (s *subject) databasePod(ctx context.Context) (*corev1.Pod, error) {
	pods, err := s.livePods(ctx, s.database)
	if err != nil {
		return nil, err
	}
	if len(pods) != 1 {
		return nil, fmt.Errorf("%d database pods, want 1", len(pods))
	}
	return &pods[0], nil
}

// restarts of all containers of a pod.
func restarts(pod *corev1.Pod) (count int32) {
	for _, container := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		count += container.RestartCount
	}
	return count
}

// processOf finds the one process of a name in a pod. It is looked for from outside, on this machine, which runs the nodes:
// a container's first process cannot be killed from inside.
func processOf(pod *corev1.Pod, name string) (*os.Process, error) {
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	var found []int
	for _, folder := range folders {
		// A process that ends meanwhile has no files and is not the one.
		command, _ := os.ReadFile(filepath.Join(folder, "comm"))
		groups, _ := os.ReadFile(filepath.Join(folder, "cgroup"))
		if strings.TrimSpace(string(command)) == name && strings.Contains(string(groups), "/pod"+string(pod.UID)+"/") {
			id, err := strconv.Atoi(filepath.Base(folder))
			if err != nil {
				return nil, err
			}
			found = append(found, id)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%d processes %s in pod %s, want 1", len(found), name, pod.Name)
	}
	return os.FindProcess(found[0])
}

// changeDatabase runs SQL as MySQL's root in its pod.
func (s *subject) changeDatabase(t *testing.T, sql string) {
	t.Helper()
	if _, err := s.sql(t.Context(), "root", s.rootPassword(t), sql); err != nil {
		t.Fatal(err)
	}
}

// rootPassword of MySQL.
func (s *subject) rootPassword(t *testing.T) string {
	t.Helper()
	secret, err := s.kubernetes.CoreV1().Secrets(s.namespace).Get(t.Context(), "wordpress-db-root-pwd", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return string(secret.Data["dbrootpwd"])
}
