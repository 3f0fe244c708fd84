package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"wordpress-on-kubernetes/tests/e2e/evidence"
	"wordpress-on-kubernetes/tests/e2e/load"
)

// restartedDatabase is the promise that the table tells of.
const restartedDatabase = "a restart of MySQL fails no request"

// plainDatabase is a drop-in of a site's own, as some plugins bring: WordPress's class as it is, which does not wait.
const plainDatabase = "<?php $wpdb = new wpdb(DB_USER, DB_PASSWORD, DB_NAME, DB_HOST);"

// TestRestartOfTheDatabaseFailsNoRequest changes a setting of MySQL under the load of visitors, for which its only pod starts anew. A
// site whose WordPress does not wait for it must be noticed.
func TestRestartOfTheDatabaseFailsNoRequest(t *testing.T) {
	needLong(t)
	s := subjectOf(t, ours)
	defer s.holdReplicas(t)()
	p := s.contender.(*program)
	rounds := pick(1, 3)
	visits := s.visit(t)
	awaitRequests(t, visits)
	var problem error
	for round := range rounds {
		servers := s.started(t, s.database)
		visits.Phase(fmt.Sprintf("restart %d", round+1))
		p.change(t, "wordpress:database.maxConnections", fmt.Sprint(160+round))
		if slices.Equal(servers, s.started(t, s.database)) {
			problem = errors.Join(problem, errors.New("MySQL did not start anew"))
		}
	}
	awaitRequests(t, visits)
	report, failed := s.settled(t, visits)
	s.keep(t, proof{promise: 31, title: restartedDatabase, rounds: rounds,
		tried: "a setting of MySQL changed in the configuration, and `pulumi up`, for which its only pod is replaced, under the load of visitors",
		figure: fmt.Sprintf("%s; while MySQL was away, pages waited for up to %.1f s",
			failures(report), slowestPage(report)),
		figures:  evidence.Figures{"slowestPageSeconds": slowestPage(report)},
		requests: report.Requests, failed: report.Failed, details: report}, errors.Join(problem, failed))

	pods, err := s.kubernetes.readyPods(t.Context(), s.frontend)
	if err != nil || len(pods) == 0 {
		t.Fatalf("no pod of WordPress: %v", err)
	}
	dropIn := s.content + "/db.php"
	s.exec(t, pods[0].Name, plainDatabase, "cat >"+dropIn)
	defer s.exec(t, pods[0].Name, "", "rm "+dropIn)
	visits = s.visit(t)
	awaitRequests(t, visits)
	visits.Phase("WordPress does not wait")
	kubectl(t, s.project, "", "delete", "pod", "-n", s.namespace, "-l", s.database)
	await(t, "MySQL", func(ctx context.Context) error {
		servers, err := s.kubernetes.readyPods(ctx, s.database)
		if err == nil && len(servers) == 0 {
			err = errors.New("its pod is not ready")
		}
		return err
	})
	report = visits.Stop()
	s.caught(t, 31, restartedDatabase, "a plugin's own class of the database, which does not wait", failures(report), report.Failed > 0, counted(report))
}

// slowestPage is in seconds.
func slowestPage(report load.Report) (seconds float64) {
	for _, stream := range report.Streams {
		if stream.Name == pageStream {
			seconds = max(seconds, stream.Latency.Max)
		}
	}
	return seconds
}
