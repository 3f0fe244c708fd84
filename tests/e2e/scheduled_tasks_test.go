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

// TestScheduledTasksRun schedules a task that is due. WordPress starts it by a request to itself when somebody visits, at most
// once a minute, and the closed network must not stop that.
func TestScheduledTasksRun(t *testing.T) {
	sideBySide(t)
	each(t, func(t *testing.T, s *subject) {
		mark := rand.String(8)
		if said, err := s.says(t.Context(), "/?proof-schedule="+mark); err != nil || said != "scheduled" {
			t.Fatalf("schedule a task: %q, %v", said, err)
		}
		scheduled := time.Now()
		problem := eventually(t.Context(), patience, "the task has run", func(ctx context.Context) error {
			if err := s.visitor.reads(ctx, s.article); err != nil {
				return err
			}
			said, err := s.says(ctx, "/?proof-task=1")
			if err == nil && !strings.HasPrefix(said, mark+" on ") {
				err = fmt.Errorf("the last task left %q", said)
			}
			return err
		})
		ran := time.Since(scheduled).Seconds()
		s.keep(t, proof{promise: 17, title: "scheduled tasks run", rounds: 1,
			tried:  "a task that is due, while visitors come",
			figure: outcome(problem, fmt.Sprintf("it ran after %.0f s", ran)), figures: evidence.Figures{"ranAfterSeconds": ran}}, problem)
	})
}

// says is the text of a page of the plugin.
func (s *subject) says(ctx context.Context, path string) (string, error) {
	response, err := s.visitor.get(ctx, path)
	if err != nil {
		return "", err
	}
	return string(response.body), nil
}
