// Package rules holds what must be true of the objects of every stack, whatever its configuration.
package rules

import (
	"cmp"
	"fmt"
	"slices"

	"wordpress-on-kubernetes/tests/mocks"
)

// Violation is one rule that one object breaks.
type Violation struct {
	// Rule is the rule's name.
	Rule string
	// Object in the form Kind namespace/name.
	Object string
	// Message says where in the object, and what is expected there.
	Message string
}

// String is the violation on one line.
func (v Violation) String() string { return fmt.Sprintf("%s: %s: %s", v.Object, v.Rule, v.Message) }

// report adds a violation by the object.
type report func(object mocks.Object, format string, args ...any)

// rule is one property of a plan.
type rule struct {
	name  string
	check func(*plan, report)
}

// rules in the order of their files.
var rules = []rule{
	{"api-version", apiVersion},
	{"schema", schema},
	{"labels", labelled},
	{"namespace", namespaced},
	{"secret-value", secretValue},
	{"immutable-config", immutableConfig},

	{"workload-selector", workloadSelector},
	{"service-selector", serviceSelector},
	{"governing-service", governingService},
	{"disruption-budget", disruptionBudget},
	{"autoscaler", autoscaler},

	{"secret-reference", secretReference},
	{"config-reference", configReference},
	{"claim-reference", claimReference},
	{"volume-mount", volumeMount},
	{"backend", backend},
	{"middleware", middleware},
	{"servers-transport", serversTransport},
	{"tls-option", tlsOption},
	{"network-policy", networkPolicyRule},

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

// Check returns every rule that the objects of a stack break, sorted by object and rule. The objects show their
// secrets. existing names the Secrets that are not the stack's own, with whatever keys.
func Check(objects []mocks.Object, existing ...string) []Violation {
	p := newPlan(objects, existing)
	var violations []Violation
	for _, rule := range rules {
		rule.check(p, func(object mocks.Object, format string, args ...any) {
			violations = append(violations, Violation{rule.name, identity(object), fmt.Sprintf(format, args...)})
		})
	}
	slices.SortStableFunc(violations, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.Object, b.Object), cmp.Compare(a.Rule, b.Rule))
	})
	return violations
}

func identity(object mocks.Object) string {
	if object.Namespace() == "" {
		return object.Kind() + " " + object.Name()
	}
	return object.Kind() + " " + object.Namespace() + "/" + object.Name()
}
