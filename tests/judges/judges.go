// Package judges has checks that the project did not write judge its objects, beside the manifests of a hand-written
// tutorial: kube-score, the schemas of Kubernetes and of the custom resources, Pod Security and govulncheck.
package judges

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"wordpress-on-kubernetes/components/plan"
	"wordpress-on-kubernetes/tests/mocks"
)

// The criteria, in the order of the table.
const (
	KubeScoreCritical = "kube-score, critical"
	KubeScoreWarning  = "kube-score, warnings"
	Schema            = "schemas"
	Restricted        = "Pod Security restricted"
)

// Criteria are all criteria, in the order of the table.
var Criteria = []string{KubeScoreCritical, KubeScoreWarning, Schema, Restricted}

// Finding is what a judge has against one object.
type Finding struct {
	// Criterion is one of Criteria.
	Criterion string
	// Kind, Namespace and Name of the object.
	Kind, Namespace, Name string
	// Message of the judge.
	Message string
}

func (f Finding) String() string {
	return fmt.Sprintf("%s: %s %s/%s: %s", f.Criterion, f.Kind, f.Namespace, f.Name, f.Message)
}

func newFinding(criterion string, object plan.Object, message string) Finding {
	return Finding{criterion, object.Kind(), object.Namespace(), object.Name(), message}
}

// Tools are the folders of what the judges need.
type Tools struct {
	// Bin holds the executables kube-score, kubectl-validate and govulncheck.
	Bin string
	// Schemas and CRDs are what Collect has brought together.
	Schemas, CRDs string
}

// NewTools are the tools of a checkout, which `make judges` builds.
func NewTools(repo string) Tools {
	local := filepath.Join(repo, ".local")
	return Tools{
		Bin:     filepath.Join(local, "bin"),
		Schemas: filepath.Join(local, "judges", "schemas"),
		CRDs:    filepath.Join(local, "judges", "crds"),
	}
}

// Check reports whether the executables are built.
func (t Tools) Check() error {
	for _, name := range []string{"kube-score", "kubectl-validate", "govulncheck"} {
		if _, err := os.Stat(filepath.Join(t.Bin, name)); err != nil {
			return fmt.Errorf("%s is not built: run `make judges`: %w", name, err)
		}
	}
	return nil
}

// Judge is what all judges of objects find.
func (t Tools) Judge(ctx context.Context, objects []plan.Object) ([]Finding, error) {
	manifests, err := mocks.YAML(objects)
	if err != nil {
		return nil, err
	}
	scored, scoreErr := t.kubeScore(ctx, manifests)
	validated, schemaErr := t.schemas(ctx, manifests)
	restricted, podErr := PodSecurity(objects)
	return append(append(scored, validated...), restricted...), errors.Join(scoreErr, schemaErr, podErr)
}
