package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// InvalidError reports every problem of a stack's configuration at once. It never holds a secret's value.
type InvalidError struct {
	// Problems are sorted by path, such as wordpress:frontend.replicas.
	Problems field.ErrorList
}

// Error is a header with the number of problems, then one line for each.
func (e *InvalidError) Error() string {
	lines := make([]string, 0, len(e.Problems)+1)
	lines = append(lines, header(len(e.Problems)))
	for _, problem := range e.Problems {
		lines = append(lines, "  "+problem.Error())
	}
	return strings.Join(lines, "\n")
}

func header(count int) string {
	if count == 1 {
		return "the stack's configuration has 1 problem:"
	}
	return fmt.Sprintf("the stack's configuration has %d problems:", count)
}

// newInvalidError sorts the problems, so that the same configuration always yields the same text, and hides
// the values that come from keys marked secret. Details quote counts, and text only behind instead.
func newInvalidError(problems field.ErrorList, isSecret func(key string) bool) *InvalidError {
	for _, problem := range problems {
		key, _, _ := strings.Cut(problem.Field, ".")
		if isSecret(key) {
			problem.BadValue = redacted
			problem.Detail, _, _ = strings.Cut(problem.Detail, instead)
		}
	}
	slices.SortStableFunc(problems, func(a, b *field.Error) int {
		return cmp.Or(cmp.Compare(a.Field, b.Field), cmp.Compare(a.Error(), b.Error()))
	})
	return &InvalidError{Problems: problems}
}

// instead leads to what somebody meant, at the end of a detail. That is made from the value, and hidden with it.
const instead = ": write "

// at is the path of a key, such as at("frontend.resources.cpu"), as the user writes it.
func at(key string) *field.Path {
	names := strings.Split(key, ".")
	return field.NewPath(keyPrefix+names[0], names[1:]...)
}

// overlaps reports whether one of two paths is the other, or lies inside it.
func overlaps(a, b string) bool { return inside(a, b) || inside(b, a) }

func inside(inner, outer string) bool {
	rest, found := strings.CutPrefix(inner, outer)
	return found && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// concerns reports whether a problem is known at, above or below the path.
func concerns(problems field.ErrorList, path string) bool {
	return slices.ContainsFunc(problems, func(p *field.Error) bool { return overlaps(p.Field, path) })
}
