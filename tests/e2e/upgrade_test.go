package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// versions of WordPress's code, of the database that this code wants, and of the database that there is.
type versions struct {
	Core     string `json:"core"`
	Wanted   int    `json:"wanted"`
	Database int    `json:"database"`
}

// TestUpgradeFailsNoRequest takes a site from one WordPress version to the next under load, its database included.
func TestUpgradeFailsNoRequest(t *testing.T) {
	for _, name := range contenders() {
		t.Run(name, func(t *testing.T) {
			freshSubject(t, name, oldImage)
			s := subjectOf(t, name)
			before := s.wantVersions(t, "6.8", s.versions(t))
			visits := s.visit(t)
			visits.Phase("the image")
			s.setImage(t, newImage)
			s.awaitGone(t)
			var problem error
			if s.name == tutorial { // this program has done it
				visits.Phase("the database")
				problem = s.upgradeDatabase(t.Context())
			}
			report, lossy := s.settled(t, visits)
			found := s.versions(t)
			problem = errors.Join(lossy, problem, s.wantVersions(t, "7.1", found), s.visitor.reads(t.Context(), s.article))
			if before != nil {
				t.Fatal(before)
			}
			s.keep(t, proof{promise: 10, title: "an upgrade fails no request", rounds: 1,
				tried:  "the image of WordPress 6.8 is replaced by that of 7.1, under the load of visitors; the tutorial's database is upgraded by hand afterwards",
				figure: fmt.Sprintf("%s, %s; %s", failures(report), slowest(report), describe(found)), requests: report.Requests, failed: report.Failed,
				figures: visitFigures(report), details: report}, problem)
		})
	}
}

// versions that each pod tells.
func (s *subject) versions(t *testing.T) []versions {
	t.Helper()
	var found []versions
	err := s.eachPod(t.Context(), func(pod *site) error {
		response, err := pod.get(t.Context(), "/?proof-versions=1")
		if err != nil {
			return err
		}
		if response.status != http.StatusOK {
			return fmt.Errorf("versions: status %d", response.status)
		}
		var one versions
		if err := json.Unmarshal(response.body, &one); err != nil {
			return err
		}
		found = append(found, one)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// wantVersions reports the pods that are not of the release, or whose database is not the one that their code wants.
func (s *subject) wantVersions(t *testing.T, release string, found []versions) (problem error) {
	t.Helper()
	for _, one := range found {
		if !strings.HasPrefix(one.Core, release) {
			problem = errors.Join(problem, fmt.Errorf("a pod runs WordPress %s, want %s", one.Core, release))
		}
		if one.Database != one.Wanted {
			problem = errors.Join(problem, fmt.Errorf("the database has version %d, want %d", one.Database, one.Wanted))
		}
	}
	return problem
}

func describe(found []versions) string {
	pods := map[versions]int{}
	for _, one := range found {
		pods[one]++
	}
	var parts []string
	for one, count := range pods {
		parts = append(parts, fmt.Sprintf("%d pods run %s with database version %d", count, one.Core, one.Database))
	}
	return strings.Join(parts, ", ")
}

// upgradeDatabase is the step that WordPress itself asks an administrator for after an upgrade of its code.
func (s *subject) upgradeDatabase(ctx context.Context) error {
	response, err := s.visitor.get(ctx, "/wp-admin/upgrade.php?step=upgrade_db")
	if err != nil {
		return err
	}
	if response.status != http.StatusOK {
		return fmt.Errorf("database upgrade: status %d: %s", response.status, excerpt(response.body))
	}
	return nil
}
