package config

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// A wish leads to keys that exist, and is asked for by a name that a misspelling cannot stand for.
func TestWishesLeadSomewhere(t *testing.T) {
	path := regexp.MustCompile(`\b(?:site|frontend|database|storage|autoscaling|ingress|network)\.[A-Za-z.]*[A-Za-z]`)
	for name, wish := range wishes {
		if name != strings.ToLower(name) {
			t.Errorf("%s is asked for in lower case", name)
		}
		for _, key := range path.FindAllString(wish, -1) {
			if !exists(reflect.TypeFor[Stack](), key) {
				t.Errorf("%s: there is no key %s", name, key)
			}
		}
		if got := unknownKey(at(name), name, []string{"other"}).Detail; !strings.HasSuffix(got, wish) {
			t.Errorf("%s: got %q", name, got)
		}
	}
}
