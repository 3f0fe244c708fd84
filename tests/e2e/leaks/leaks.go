// Package leaks looks for secret values in texts, in the forms in which they come to lie there by accident.
package leaks

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

const (
	// shortest is the length in bytes of what is worth a search: less is found by chance.
	shortest = 8
	// halved is the length in bytes from which half a value betrays as much as the whole, and is looked for.
	halved = 2 * 12
)

// Leak is a place that holds a secret. It never holds the value.
type Leak struct {
	// Place as given to Look, and Secret as given to New.
	Place  string `json:"place"`
	Secret string `json:"secret"`
}

// Search looks for the values of secrets. It is not safe for concurrent use.
type Search struct {
	secrets []secret
	found   []Leak
	places  int
	bytes   int64
}

// secret is a value by all the texts that betray it.
type secret struct {
	name  string
	forms [][]byte
}

// New prepares a search for values by the secrets' names. A value of which no line has 8 bytes is an error, because it
// would be found where it is not.
func New(values map[string]string) (*Search, error) {
	s := &Search{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		forms := formsOf(values[name])
		if len(forms) == 0 {
			return nil, fmt.Errorf("%s: a value with no line of %d bytes cannot be searched for", name, shortest)
		}
		s.secrets = append(s.secrets, secret{name: name, forms: forms})
	}
	return s, nil
}

// Look searches a text and tells which secrets it holds.
func (s *Search) Look(place string, text []byte) (names []string) {
	s.places++
	s.bytes += int64(len(text))
	for _, secret := range s.secrets {
		if slices.ContainsFunc(secret.forms, func(form []byte) bool { return bytes.Contains(text, form) }) {
			names = append(names, secret.name)
			s.found = append(s.found, Leak{Place: place, Secret: secret.name})
		}
	}
	return names
}

// Found are the leaks so far.
func (s *Search) Found() []Leak { return slices.Clone(s.found) }

// Secrets is the number of values that are looked for, and Forms the number of texts that betray them.
func (s *Search) Secrets() int { return len(s.secrets) }

// Forms is the number of texts that betray the secrets.
func (s *Search) Forms() (forms int) {
	for _, secret := range s.secrets {
		forms += len(secret.forms)
	}
	return forms
}

// Places is the number of texts that were searched.
func (s *Search) Places() int { return s.places }

// Bytes is the length of all texts that were searched.
func (s *Search) Bytes() int64 { return s.bytes }

// formsOf are the texts that betray a value: every line or half a line of it, as it is, escaped for a URL or for JSON, and
// in base64.
func formsOf(value string) [][]byte {
	texts := map[string]bool{}
	for _, part := range parts(value) {
		escaped, _ := json.Marshal(part) // a string always has a form in JSON
		texts[part] = true
		texts[strings.Trim(string(escaped), `"`)] = true
		texts[url.QueryEscape(part)] = true
		texts[url.PathEscape(part)] = true
		for _, encoded := range base64Forms(part) {
			texts[encoded] = true
			texts[strings.NewReplacer("+", "-", "/", "_").Replace(encoded)] = true
			// A slash may be escaped in JSON, which PHP does.
			texts[strings.ReplaceAll(encoded, "/", `\/`)] = true
		}
		texts[strings.ReplaceAll(part, "/", `\/`)] = true
	}
	forms := make([][]byte, 0, len(texts))
	for _, text := range slices.Sorted(maps.Keys(texts)) {
		forms = append(forms, []byte(text))
	}
	return forms
}

// parts are the lines of a value, a long one in halves.
func parts(value string) (found []string) {
	for line := range strings.Lines(value) {
		line = strings.TrimSpace(line)
		switch {
		case len(line) < shortest:
		case len(line) < halved:
			found = append(found, line)
		default:
			found = append(found, line[:len(line)/2], line[len(line)/2:])
		}
	}
	return found
}

// base64Forms are what a text looks like inside any longer text in base64: it can begin at each of three places in a group
// of four characters. The characters that it shares with its neighbours are left out.
func base64Forms(text string) (forms []string) {
	for before := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), text...))
		first, last := (before*8+5)/6, (before+len(text))*8/6
		forms = append(forms, encoded[first:last])
	}
	return forms
}
