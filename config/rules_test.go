package config

import (
	"path"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// nameOf is the name of a rule's function, without its package.
func nameOf(r rule) string {
	full := runtime.FuncForPC(reflect.ValueOf(r.check).Pointer()).Name()
	return strings.TrimPrefix(path.Ext(path.Base(full)), ".")
}

func allRules() []rule {
	var all []rule
	for _, group := range ruleGroups {
		all = append(all, group.rules...)
	}
	return all
}

// broken are the names of the rules that a configuration breaks.
func broken(t *testing.T, documents ...string) []string {
	t.Helper()
	raw := parse(t, documents...)
	d := decode(raw.values, raw.secretKeys)
	known := d.valueProblems()
	d.stack.derive()
	var names []string
	for _, r := range allRules() {
		if r.isReady(known) && len(r.check(d)) > 0 {
			names = append(names, nameOf(r))
		}
	}
	return names
}

// A rule that no case breaks is a rule that nobody has seen work.
func TestEveryRuleHasACase(t *testing.T) {
	seen := map[string]bool{}
	for _, group := range problemCases {
		for _, c := range group {
			for _, name := range broken(t, minimal, c.change) {
				seen[name] = true
			}
		}
	}
	for _, r := range allRules() {
		if !seen[nameOf(r)] {
			t.Errorf("no case breaks the rule %s", nameOf(r))
		}
	}
}

func TestRulesReadKeysThatExist(t *testing.T) {
	for _, r := range allRules() {
		for _, key := range r.reads {
			if !exists(reflect.TypeFor[Stack](), key) {
				t.Errorf("the rule %s reads %q, and there is no such key", nameOf(r), key)
			}
		}
	}
}

func exists(section reflect.Type, key string) bool {
	name, rest, nested := strings.Cut(key, ".")
	i := slices.Index(keys(section), name)
	if i < 0 {
		return false
	}
	member := section.Field(i).Type
	return !nested || isObject(member) && exists(member, rest)
}

// A rule must not speak about a default that stands in for a value that could not be read.
func TestRulesWaitForTheirValues(t *testing.T) {
	for name, change := range map[string]string{
		"minimum unreadable":   `wordpress:autoscaling: {minReplicas: three, maxReplicas: 2}`,
		"section unreadable":   `{wordpress:ingress: "no", wordpress:profile: production}`,
		"profile unknown":      `{wordpress:profile: prod, wordpress:storage: {protect: false}}`,
		"workers out of range": `{wordpress:frontend: {workers: 1000}, wordpress:database: {maxConnections: 100}}`,
		"mode unknown":         `wordpress:database: {mode: other, host: db.example.com, image: "mysql:9"}`,
	} {
		if got := problemsOf(t, minimal, change); len(got) != 1 {
			t.Errorf("%s: got\n%s\nwant one problem", name, strings.Join(got, "\n"))
		}
	}
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		domain, host string
		want         bool
	}{
		{"www.example.com", "www.example.com", true},
		{"*.example.com", "www.example.com", true},
		{"example.com", "www.example.com", false},
		{"*.example.com", "example.com", false},
		{"*.example.com", "a.www.example.com", false},
		{"*.com", "localhost", false},
	} {
		if got := covers(c.domain, c.host); got != c.want {
			t.Errorf("%s covers %s: got %v, want %v", c.domain, c.host, got, c.want)
		}
	}
}
