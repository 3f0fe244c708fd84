package judges

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// The grades of kube-score that are findings.
const (
	gradeCritical = 1
	gradeWarning  = 5
)

// scoredObject is what is read of kube-score's report.
type scoredObject struct {
	TypeMeta struct {
		Kind string `json:"kind"`
	} `json:"type_meta"`
	ObjectMeta struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"object_meta"`
	Checks []struct {
		Check struct {
			ID string `json:"id"`
		} `json:"check"`
		Grade    int  `json:"grade"`
		Skipped  bool `json:"skipped"`
		Comments []struct {
			Path    string `json:"path"`
			Summary string `json:"summary"`
		} `json:"comments"`
	} `json:"checks"`
}

// kubeScore runs every check of kube-score, the optional ones included, and lets no annotation switch one off.
func (t Tools) kubeScore(ctx context.Context, manifests string) ([]Finding, error) {
	command := exec.CommandContext(ctx, filepath.Join(t.Bin, "kube-score"), "score", "--all-default-optional",
		"--disable-ignore-checks-annotations", "--disable-optional-checks-annotations",
		"--kubernetes-version", "v"+OldestKubernetes, "--output-format", "json", "-")
	command.Stdin = strings.NewReader(manifests)
	var report, messages bytes.Buffer
	command.Stdout, command.Stderr = &report, &messages
	err := command.Run()
	// It ends with 1 both where it finds something critical and where it fails; only the former writes a report.
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || report.Len() == 0) {
		return nil, fmt.Errorf("kube-score: %w\n%s", err, &messages)
	}
	return parseScores(report.Bytes())
}

// parseScores takes every comment of a check for a finding, as kube-score's own report lists them.
func parseScores(report []byte) ([]Finding, error) {
	var objects []scoredObject
	if err := json.Unmarshal(report, &objects); err != nil {
		return nil, fmt.Errorf("kube-score's report: %w", err)
	}
	criteria := map[int]string{gradeCritical: KubeScoreCritical, gradeWarning: KubeScoreWarning}
	var findings []Finding
	for _, object := range objects {
		for _, check := range object.Checks {
			criterion, bad := criteria[check.Grade]
			if !bad || check.Skipped {
				continue
			}
			for _, comment := range check.Comments {
				message := check.Check.ID + ": " + comment.Summary
				if comment.Path != "" {
					message = check.Check.ID + ": " + comment.Path + ": " + comment.Summary
				}
				findings = append(findings, Finding{
					criterion, object.TypeMeta.Kind, object.ObjectMeta.Namespace, object.ObjectMeta.Name, message,
				})
			}
		}
	}
	return findings, nil
}
