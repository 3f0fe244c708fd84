package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

// TestAutoscalerGrowsAndShrinks loads the site until every allowed replica runs, updates it meanwhile, and waits until the
// replicas are gone again.
func TestAutoscalerGrowsAndShrinks(t *testing.T) {
	sideBySide(t)
	each(t, func(t *testing.T, s *subject) {
		least, most := int32(fewReplicas), int32(pick(fewReplicas+1, manyReplicas))
		s.setBounds(t, int(least), int(most))
		defer s.setBounds(t, fewReplicas, manyReplicas)
		quieten := s.busy(t)
		grown := s.awaitReplicas(t, most)
		var problem error
		if p, updates := s.contender.(*program); updates {
			p.expectNoChanges(t)
			p.set(t, "wordpress:frontend.terminationGracePeriodSeconds", "61")
			p.up(t)
			p.kubernetes.awaitRollout(t)
			now, err := s.kubernetes.deployment(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if *now.Spec.Replicas < most {
				problem = fmt.Errorf("the update scaled from %d to %d replicas", most, *now.Spec.Replicas)
			}
			// In the short form nobody waits the five minutes out after which the autoscaler takes pods away.
			p.set(t, "wordpress:autoscaling.scaleDownStabilizationSeconds", pick("15", "300"))
			p.up(t)
			defer func() {
				p.unset(t, "wordpress:frontend.terminationGracePeriodSeconds")
				p.unset(t, "wordpress:autoscaling.scaleDownStabilizationSeconds")
				p.up(t)
				p.kubernetes.awaitRollout(t)
			}()
		}
		quieten()
		shrunk := s.awaitReplicas(t, least)
		s.keep(t, proof{promise: 5, title: "scaled automatically under load, and back", rounds: 1,
			tried: fmt.Sprintf("load until %d replicas are available, an update meanwhile, then quiet until %d are left", most, least),
			figure: fmt.Sprintf("%d to %d in %s, back to %d after %s", least, most, grown.Round(time.Second), least,
				shrunk.Round(time.Second)),
			figures: evidence.Figures{"leastReplicas": float64(least), "mostReplicas": float64(most),
				"grownSeconds": grown.Seconds(), "shrunkSeconds": shrunk.Seconds()}}, problem)
	})
}

// busy keeps a few visitors asking for pages, which is what costs processor time.
func (s *subject) busy(t *testing.T) (stop func()) {
	t.Helper()
	const visitors = 6
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	for range visitors {
		visitor, err := throughEdge(s.host, s.project)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for ctx.Err() == nil {
				// Failures are another proof's concern.
				_, _ = visitor.get(ctx, "/"+anew)
			}
			done <- struct{}{}
		}()
	}
	return func() {
		cancel()
		for range visitors {
			<-done
		}
	}
}

// awaitReplicas waits until as many replicas are wanted and available, and returns how long that took.
func (s *subject) awaitReplicas(t *testing.T, wanted int32) time.Duration {
	t.Helper()
	start := time.Now()
	awaitWithin(t, pick(patience, 15*time.Minute), fmt.Sprintf("%d replicas", wanted), func(ctx context.Context) error {
		now, err := s.kubernetes.deployment(ctx)
		if err != nil {
			return err
		}
		if *now.Spec.Replicas != wanted || now.Status.AvailableReplicas != wanted {
			return fmt.Errorf("%d replicas are wanted, %d available", *now.Spec.Replicas, now.Status.AvailableReplicas)
		}
		return nil
	})
	return time.Since(start)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
