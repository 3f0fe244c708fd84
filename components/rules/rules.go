// Package rules holds what must be true of the objects of every stack, whatever its configuration. It looks at the objects
// alone, as the API server would get them, so that it judges the components and the configuration's own rules as well.
package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"wordpress-on-kubernetes/components/plan"
)

// Terms are what the objects do not show. The zero value is the strictest.
type Terms struct {
	// ExistingSecrets are the names of Secrets that are not the stack's own, with whatever keys. Empty names are ignored.
	ExistingSecrets []string
	// ExistingClaims are the names of PersistentVolumeClaims that are not the stack's own. Empty names are ignored.
	ExistingClaims []string
	// ExternalDatabase is the host of a database that is not the stack's own. Empty: it is a Service of the stack.
	ExternalDatabase string
	// UnversionedImages admits images whose content may change under the same name.
	UnversionedImages bool
	// BurstableCPU admits containers that may use more processor time than they ask for.
	BurstableCPU bool
	// UsersFromCluster is for a cluster that sets the users of pods: none may bring its own.
	UsersFromCluster bool
	// UsersOfNodes admits users and groups that a node may have as well, but for root.
	UsersOfNodes bool
	// OpenNetwork admits pods that no NetworkPolicy selects.
	OpenNetwork bool
	// Secrets are values that no object but a Secret may hold, by the name that a message calls them, such as their
	// configuration key. Those of the stack's own Secrets need not be given.
	Secrets map[string]string
}

// Violation is one rule that one object breaks.
type Violation struct {
	// Rule is the rule's name.
	Rule string
	// Object in the form Kind namespace/name. It never holds a secret's value either.
	Object string
	// Message is the place in the object, what is there and what must be there instead. It never holds a secret's value.
	Message string
}

// String is the violation on one line.
func (v Violation) String() string {
	return fmt.Sprintf("%s: %s (rule %s)", v.Object, v.Message, v.Rule)
}

// Error reports every rule that the objects of a stack break.
type Error struct {
	// Violations are sorted by object and rule.
	Violations []Violation
}

// Error is a header with the number of violations, then one line for each.
func (e *Error) Error() string {
	lines := make([]string, 0, len(e.Violations)+1)
	lines = append(lines, header(len(e.Violations)))
	for _, violation := range e.Violations {
		lines = append(lines, "  "+violation.String())
	}
	return strings.Join(lines, "\n")
}

func header(count int) string {
	if count == 1 {
		return "the stack's objects have 1 problem:"
	}
	return fmt.Sprintf("the stack's objects have %d problems:", count)
}

// report adds a violation by the object.
type report func(object plan.Object, problem *field.Error)

// rule is one property of a stack.
type rule struct {
	name  string
	check func(*stack, report)
}

// schemaRule is the one that speaks of objects which do not decode, whatever else they seem to lack.
const schemaRule = "schema"

// rules in the order of their files.
var rules = []rule{
	{"api-version", apiVersion},
	{schemaRule, schema},
	{"identity", unique},
	{"labels", labelled},
	{"namespace", namespaced},
	{"secret-value", secretValue},
	{"immutable-config", immutableConfig},

	{"workload-selector", workloadSelector},
	{"service-selector", serviceSelector},
	{"governing-service", governingService},
	{"disruption-budget", disruptionBudget},
	{"autoscaler", autoscaler},

	{"network-policy", networkPolicy},
	{"policy-port", policyPort},
	{"policy-peer", policyPeer},
	{"policy-database", policyDatabase},
	{"service-exposure", serviceExposure},

	{"secret-reference", secretReference},
	{"config-reference", configReference},
	{"claim-reference", claimReference},
	{"volume-mount", volumeMount},
	{"database-host", databaseHost},
	{"backend", backend},
	{"middleware", middleware},
	{"servers-transport", serversTransport},
	{"tls-option", tlsOption},

	{"image", image},
	{"resources", resources},
	{"security-context", securityContext},
	{"host-access", hostAccess},
	{"service-account-token", serviceAccountToken},
	{"service-links", serviceLinks},
	{"environment-secret", environmentSecret},
	{"probes", probes},
	{"drain", drain},
}

// jobPodPath is where a CronJob has its pods.
const jobPodPath = "spec.jobTemplate.spec.template.spec"

// Check returns nil or an *Error with every rule that the objects of a stack break. The objects show their secrets.
func Check(objects []plan.Object, terms Terms) error {
	s := newStack(objects, terms)
	hide := strings.NewReplacer(s.hidden()...)
	var violations []Violation
	for _, rule := range rules {
		rule.check(s, func(object plan.Object, problem *field.Error) {
			if s.isUndecoded(object) && rule.name != schemaRule {
				return
			}
			if object.Kind() == "CronJob" {
				problem.Field = strings.Replace(problem.Field, podPath.String(), jobPodPath, 1)
			}
			violations = append(violations, Violation{rule.name, hide.Replace(identity(object)), hide.Replace(problem.Error())})
		})
	}
	if len(violations) == 0 {
		return nil
	}
	slices.SortFunc(violations, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.Object, b.Object), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Message, b.Message))
	})
	return &Error{slices.Compact(violations)}
}

func identity(object plan.Object) string {
	if object.Namespace() == "" {
		return object.Kind() + " " + object.Name()
	}
	return object.Kind() + " " + object.Namespace() + "/" + object.Name()
}

// notFound is the problem of a reference that leads nowhere.
func notFound(path *field.Path, name any, format string, args ...any) *field.Error {
	problem := field.NotFound(path, name)
	problem.Detail = fmt.Sprintf(format, args...)
	return problem
}
