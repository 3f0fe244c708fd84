package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

// connections of the database: those that there are, and how many it allows.
type connections struct {
	Now   int `json:"now"`
	Limit int `json:"limit"`
}

// TestCostOfMoreReplicas measures throughput and the database's connections with more and more replicas, under more
// connections than they have workers.
func TestCostOfMoreReplicas(t *testing.T) {
	needLong(t)
	each(t, func(t *testing.T, s *subject) {
		defer s.setBounds(t, fewReplicas, manyReplicas)
		var sentences []string
		figures := evidence.Figures{}
		var problem error
		for _, replicas := range pick([]int{fewReplicas}, []int{1, fewReplicas, manyReplicas}) {
			s.setBounds(t, replicas, replicas)
			s.awaitReplicas(t, int32(replicas))
			most := s.watchConnections(t)
			report := s.frontPages(t, tutorialConnections*replicas, pick(10*time.Second, time.Minute))
			seen := most()
			figures[fmt.Sprintf("replicas%dPagesPerSecond", replicas)] = report.Streams[0].Achieved
			figures[fmt.Sprintf("replicas%dConnections", replicas)] = float64(seen.Now)
			figures["connectionLimit"] = float64(seen.Limit)
			sentences = append(sentences, fmt.Sprintf("%d replicas: %.1f a second, %d of %d connections",
				replicas, report.Streams[0].Achieved, seen.Now, seen.Limit))
			if seen.Now == 0 || seen.Now >= seen.Limit {
				problem = fmt.Errorf("%d replicas: %d of %d connections of the database were in use", replicas, seen.Now, seen.Limit)
			}
		}
		s.keep(t, proof{promise: 14, title: "cost of more replicas", rounds: len(sentences), figures: figures,
			tried:  "front page, made anew for each request, on eight connections a replica, while the database's connections are counted twice a second",
			figure: strings.Join(sentences, "; ")}, problem)
	})
}

// watchConnections counts the database's connections until the returned function is called, which tells the most.
func (s *subject) watchConnections(t *testing.T) func() connections {
	t.Helper()
	visitor, err := throughEdge(s.host, s.project)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan connections)
	go func() {
		var most connections
		ticker := time.NewTicker(500 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				done <- most
				return
			case <-ticker.C:
				// A count that is missed under full load is made up for by the next.
				if now, err := visitor.connections(ctx); err == nil && now.Now > most.Now {
					most = now
				}
			}
		}
	}()
	return func() connections {
		cancel()
		return <-done
	}
}

// connections asks the site how many connections its database has.
func (s *site) connections(ctx context.Context) (found connections, err error) {
	response, err := s.get(ctx, "/?proof-connections=1")
	if err != nil {
		return found, err
	}
	if response.status != http.StatusOK {
		return found, fmt.Errorf("connections: status %d", response.status)
	}
	return found, json.Unmarshal(response.body, &found)
}
