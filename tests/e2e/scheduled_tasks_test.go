package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/rand"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

// TestScheduledTasksRun schedules a task that is due. The tutorial's WordPress starts it by a request to itself when somebody visits,
// at most once a minute. This program has a CronJob ask for it: at its own time in the long form, at once in the short one.
func TestScheduledTasksRun(t *testing.T) {
	sideBySide(t)
	each(t, func(t *testing.T, s *subject) {
		mark := rand.String(8)
		if said, err := s.says(t.Context(), "/?proof-schedule="+mark); err != nil || said != "scheduled" {
			t.Fatalf("schedule a task: %q, %v", said, err)
		}
		scheduled := time.Now()
		if s.name == ours && !*long {
			defer s.runScheduledTasks(t)()
		}
		problem := eventually(t.Context(), cronPatience, "the task has run", func(ctx context.Context) error {
			if s.name == tutorial {
				if err := s.visitor.reads(ctx, s.article); err != nil {
					return err
				}
			}
			said, err := s.says(ctx, "/?proof-task=1")
			if err == nil && !strings.HasPrefix(said, mark+" on ") {
				err = fmt.Errorf("the last task left %q", said)
			}
			return err
		})
		ran := time.Since(scheduled).Seconds()
		s.keep(t, proof{promise: 17, title: "scheduled tasks run", rounds: 1,
			tried:  "a task that is due; visitors come to the tutorial's site, and this program's CronJob asks for it",
			figure: outcome(problem, fmt.Sprintf("it ran after %.0f s", ran)), figures: evidence.Figures{"ranAfterSeconds": ran}}, problem)
	})
}

// runScheduledTasks has the CronJob do its work now, and returns what takes the traces of that away.
func (s *subject) runScheduledTasks(t *testing.T) (remove func()) {
	t.Helper()
	run := "cron-" + rand.String(8)
	kubectl(t, s.project, "", "create", "job", "-n", s.namespace, "--from=cronjob/wordpress-cron", run)
	return func() { kubectl(t, s.project, "", "delete", "job", "-n", s.namespace, "--ignore-not-found", run) }
}

// cronPatience is more than the time between two runs of the CronJob.
const cronPatience = 7 * time.Minute

// says is the text of a page of the plugin.
func (s *subject) says(ctx context.Context, path string) (string, error) {
	response, err := s.visitor.get(ctx, path)
	if err != nil {
		return "", err
	}
	return string(response.body), nil
}
