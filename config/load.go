package config

//go:generate go test . -run TestReferenceIsUpToDate -update

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// keyPrefix starts every configuration key of this program.
const keyPrefix = Project + ":"

// Load turns a stack's configuration into a Stack with every default filled in, or into an *InvalidError
// with every problem that it has.
//
// values are Pulumi's raw configuration by full key: JSON for a section or list, such as wordpress:frontend, and plain
// text for a scalar, such as wordpress:profile. Keys of other namespaces are not ours and are ignored,
// unless they differ from ours by a slip or a rule asks for them.
// secretKeys are the full keys whose values Pulumi keeps encrypted.
func Load(values map[string]string, secretKeys []string) (*Stack, error) {
	d := decode(values, secretKeys)
	problems := d.valueProblems()
	d.stack.derive()
	problems = append(problems, d.breaches(problems)...)
	if len(problems) > 0 {
		return nil, newInvalidError(problems, d.isSecret)
	}
	return d.stack, nil
}

// draft is a stack that is decoded, but not known to be valid.
type draft struct {
	decoder
	stack      *Stack
	secretKeys []string
	// others are the values of other namespaces by full key, such as kubernetes:context.
	others map[string]string
}

// has reports whether the user gave the key, such as database.image.
func (d *draft) has(key string) bool { return d.given[keyPrefix+key] }

// isSecret reports whether the value of a full key is encrypted in the stack file.
func (d *draft) isSecret(key string) bool { return slices.Contains(d.secretKeys, key) }

// valueProblems are those of single values.
func (d *draft) valueProblems() field.ErrorList {
	problems := slices.Clone(d.problems)
	for _, problem := range d.stack.validate() {
		// A key that could not be decoded still holds its default: one line about it is enough.
		if !concerns(d.problems, problem.Field) {
			problems = append(problems, problem)
		}
	}
	return problems
}

func decode(values map[string]string, secretKeys []string) *draft {
	d := &draft{decoder: decoder{given: map[string]bool{}}, stack: Defaults(), secretKeys: secretKeys,
		others: map[string]string{}}
	root := reflect.ValueOf(d.stack).Elem()
	for _, key := range slices.Sorted(maps.Keys(values)) {
		name, ours := strings.CutPrefix(key, keyPrefix)
		if !ours {
			d.others[key], d.given[key] = values[key], true
			d.foreign(key)
			continue
		}
		d.section(name, values[key], root)
	}
	return d
}

// foreign passes the keys of providers and other programs, but not those that only a slip can have put outside of ours.
func (d *draft) foreign(key string) {
	namespace, _, _ := strings.Cut(key, ":")
	if near, isNear := closest(namespace, []string{Project}); isNear {
		d.report(field.Forbidden(field.NewPath(key), fmt.Sprintf("unknown namespace, did you mean %q?", near)))
	}
}

func (d *draft) section(name, raw string, root reflect.Value) {
	path := field.NewPath(keyPrefix + name)
	target, known := memberOf(root, name)
	switch {
	case !known:
		d.report(unknownSection(path, name, root))
	case isObject(target.Type()):
		d.given[path.String()] = true
		d.object(path, json.RawMessage(raw), target)
	case target.Kind() != reflect.String:
		d.value(path, json.RawMessage(raw), target)
	default:
		d.text(path, raw, target)
	}
}

// unknownSection also recognises a nested key that was set without --path, which Pulumi takes for a key with
// a dot in its name. One that does not exist with --path either is called unknown first.
func unknownSection(path *field.Path, name string, root reflect.Value) *field.Error {
	section, rest, dotted := strings.Cut(name, ".")
	target, known := memberOf(root, section)
	if !dotted || !known {
		return unknownKey(path, name, keys(root.Type()))
	}
	for rest != "" && isObject(target.Type()) {
		// A list's element, such as egress[0], is its list here.
		var key string
		key, rest, _ = strings.Cut(rest, ".")
		key, _, _ = strings.Cut(key, "[")
		member, found := memberOf(target, key)
		if !found {
			return unknownKey(path, key, keys(target.Type()))
		}
		target = member
	}
	return field.Forbidden(path, fmt.Sprintf(
		"a key inside %[1]s needs --path: pulumi config rm '%[2]s', then pulumi config set --path '%[2]s' VALUE", section, path))
}
