package config

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// rule relates several values, or asks more of one in production. It is skipped while one of the keys that it
// reads has a problem of its own: what it would say then rests on a default that the user did not ask for.
//
// A rule's detail quotes counts and sizes of other keys, never their text, because they may be marked secret. The
// doc comment of its function says what it demands and, after the first colon, why; both go into the reference.
type rule struct {
	check func(*draft) field.ErrorList
	reads []string
}

// ruleGroup is a section of the reference.
type ruleGroup struct {
	title string
	rules []rule
}

// ruleGroups are all rules between values.
var ruleGroups = []ruleGroup{
	{"Number of pods, updates and evictions", scalingRules},
	{"Times and sizes", podRules},
	{"Cache", cacheRules},
	{"Storage", storageRules},
	{"Database", databaseRules},
	{"Backup", backupRules},
	{"Ingress", ingressRules},
	{"Network", networkRules},
	{"Edge", edgeRules},
	{"Secrets", secretRules},
	{"Production", productionRules},
}

// isReady reports whether none of the known problems is about a key that the rule reads.
func (r rule) isReady(known field.ErrorList) bool {
	return !slices.ContainsFunc(r.reads, func(key string) bool { return concerns(known, at(key).String()) })
}

// breaches are the problems of every rule whose values are sound.
func (d *draft) breaches(known field.ErrorList) field.ErrorList {
	var found field.ErrorList
	for _, group := range ruleGroups {
		for _, r := range group.rules {
			if r.isReady(known) {
				found = append(found, r.check(d)...)
			}
		}
	}
	for _, problem := range found {
		d.tellDefault(problem)
	}
	return found
}

// tellDefault says of a value that the user did not give where it comes from: nobody finds it in the stack's file.
func (d *draft) tellDefault(problem *field.Error) {
	key, _, _ := strings.Cut(problem.Field, "[")
	if problem.Type == field.ErrorTypeInvalid && !d.given[key] {
		problem.Detail += "; this value is the default"
	}
}

// invalid is the result of a rule that finds one value wrong.
func invalid(key string, value any, format string, args ...any) field.ErrorList {
	return field.ErrorList{field.Invalid(at(key), value, fmt.Sprintf(format, args...))}
}

// refuseGiven reports each of the keys that the user gave, although nothing would read it.
func (d *draft) refuseGiven(reason string, keys ...string) field.ErrorList {
	var problems field.ErrorList
	for _, key := range keys {
		if d.has(key) {
			problems = append(problems, field.Forbidden(at(key), reason))
		}
	}
	return problems
}
