package config

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// maxTypos is how many edits apart two names may be for one to be offered in place of the other: a
// transposition counts as two.
const maxTypos = 2

// unknownKey reports a key that nothing reads, with where the wish behind it is met, or with the closest key that something reads. It shows
// no value, because a misspelt secret is an unknown key too.
func unknownKey(path *field.Path, name string, known []string) *field.Error {
	if wish, found := wishes[strings.ToLower(name)]; found {
		return field.Forbidden(path, "unknown key: "+wish)
	}
	if near, found := closest(name, known); found {
		return field.Forbidden(path, fmt.Sprintf("unknown key, did you mean %q?", near))
	}
	return field.Forbidden(path, "unknown key: remove it, or use one of "+list(known))
}

func closest(name string, known []string) (string, bool) {
	best, bestDistance := "", maxTypos+1
	for _, candidate := range known {
		distance := editDistance(strings.ToLower(name), strings.ToLower(candidate))
		// A short name is within a few edits of anything.
		if distance < bestDistance && 2*distance < len(candidate) {
			best, bestDistance = candidate, distance
		}
	}
	return best, best != ""
}

// editDistance is the Levenshtein distance in bytes, row by row.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
