package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// maxShownValue bounds how much of a value, in bytes, an error line repeats.
const maxShownValue = 120

// maxQuantityScale is the greatest power of ten in a quantity: Kubernetes' own largest suffix is E.
const maxQuantityScale = 18

// decoder decodes JSON strictly over a value that already holds the defaults. Unlike a plain json.Unmarshal
// it goes on after a problem, tells the path of each, and remembers which keys were given, so that a zero
// that somebody wrote is not taken for a key that nobody wrote.
type decoder struct {
	given    map[string]bool
	problems field.ErrorList
}

// object decodes one JSON object key by key.
func (d *decoder) object(path *field.Path, raw json.RawMessage, target reflect.Value) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil || members == nil {
		d.report(field.TypeInvalid(path, shown(raw), "must be an object with the keys "+list(keys(target.Type()))))
		return
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		member, known := memberOf(target, name)
		if !known {
			d.report(unknownKey(path.Child(name), name, keys(target.Type())))
			continue
		}
		d.value(path.Child(name), members[name], member)
	}
}

func (d *decoder) value(path *field.Path, raw json.RawMessage, target reflect.Value) {
	d.given[path.String()] = true
	switch {
	case string(raw) == "null":
		d.report(field.Required(path, "has no value: give it one, or remove the key"))
	case isObject(target.Type()):
		d.object(path, raw, target)
	case isListOfObjects(target.Type()):
		d.objects(path, raw, target)
	default:
		d.leaf(path, raw, target)
	}
}

// objects decodes a list element by element, each as strictly as a section.
func (d *decoder) objects(path *field.Path, raw json.RawMessage, target reflect.Value) {
	var elements []json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil {
		d.report(field.TypeInvalid(path, shown(raw),
			"must be a list of objects with the keys "+list(keys(target.Type().Elem()))))
		return
	}
	target.Set(reflect.MakeSlice(target.Type(), len(elements), len(elements)))
	for i, element := range elements {
		d.object(path.Index(i), element, target.Index(i))
	}
}

// leaf decodes into a fresh value, so that a value that fails half-way leaves the default in place.
func (d *decoder) leaf(path *field.Path, raw json.RawMessage, target reflect.Value) {
	fresh := reflect.New(target.Type())
	if err := json.Unmarshal(raw, fresh.Interface()); err != nil || isBeyondScale(fresh.Interface()) {
		d.report(field.TypeInvalid(path, shown(raw), "must be "+accepted(target.Type())+quantityInstead(raw, target.Type())))
		return
	}
	d.assign(path, fresh.Elem(), target)
}

// text takes a scalar of the top level, which Pulumi hands over as it is, without JSON's quotes.
func (d *decoder) text(path *field.Path, raw string, target reflect.Value) {
	d.given[path.String()] = true
	d.assign(path, reflect.ValueOf(raw).Convert(target.Type()), target)
}

// assign refuses empty text: it would pass for an unset key, and Kubernetes gives an empty storage class, for
// one, a meaning of its own.
func (d *decoder) assign(path *field.Path, value, target reflect.Value) {
	if value.Kind() == reflect.String && value.Len() == 0 {
		d.report(field.Required(path, "is empty: give it a value, or remove the key"))
		return
	}
	target.Set(value)
}

// isBeyondScale finds the quantities that no machine has, such as 1e999999999: to compare two of them, the
// library writes out all the zeros, which takes minutes and gigabytes.
func isBeyondScale(value any) bool {
	if optional, ok := value.(**resource.Quantity); ok {
		value = *optional
	}
	quantity, ok := value.(*resource.Quantity)
	if !ok || quantity == nil {
		return false
	}
	// A copy, because AsDec changes how its receiver prints.
	copied := quantity.DeepCopy()
	scale := int64(copied.AsDec().Scale())
	return max(scale, -scale) > maxQuantityScale
}

func (d *decoder) report(problem *field.Error) { d.problems = append(d.problems, problem) }

// isObject tells a section from a value: a quantity is a struct too, but comes from a single text.
func isObject(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[resource.Quantity]()
}

func isListOfObjects(t reflect.Type) bool { return t.Kind() == reflect.Slice && isObject(t.Elem()) }

// keys are the names that a section accepts, in the order of its declaration.
func keys(t reflect.Type) []string {
	names := make([]string, t.NumField())
	for i := range names {
		names[i] = t.Field(i).Tag.Get("json")
	}
	return names
}

func memberOf(target reflect.Value, key string) (reflect.Value, bool) {
	i := slices.Index(keys(target.Type()), key)
	if i < 0 {
		return reflect.Value{}, false
	}
	return target.Field(i), true
}

// accepted says in the user's terms what a value of the type looks like.
func accepted(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		return accepted(t.Elem())
	}
	switch t {
	case reflect.TypeFor[resource.Quantity]():
		return "a quantity such as 200m, 256Mi or 20Gi"
	case reflect.TypeFor[IntOrPercent]():
		return "a count such as 1 or a percentage such as 25%"
	}
	return acceptedKind(t)
}

// sizeInBytes is how people write a size elsewhere, such as 100GB, 512 mb or 20GiB.
var sizeInBytes = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) ?([kKmMgGtTpPeE])(i?)[bB]?$`)

// quantityInstead is what somebody meant who wrote a size as it is written elsewhere.
func quantityInstead(raw json.RawMessage, t reflect.Type) string {
	if t != reflect.TypeFor[resource.Quantity]() && t != reflect.TypeFor[*resource.Quantity]() {
		return ""
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return ""
	}
	parts := sizeInBytes.FindStringSubmatch(text)
	if parts == nil {
		return ""
	}
	number, unit := parts[1], strings.ToUpper(parts[2])
	binary := number + unit + "i"
	if parts[3] != "" {
		return instead + binary
	}
	if unit == "K" {
		unit = "k"
	}
	return fmt.Sprintf(instead+"%s%s, or %s for the size in powers of two", number, unit, binary)
}

func acceptedKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false, without quotes"
	case reflect.Int:
		return "a whole number such as 3, without quotes"
	case reflect.String:
		return "text: put numbers, true and false in quotes"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Int {
			return "a list of whole numbers"
		}
		return "a list of texts"
	case reflect.Map:
		return "an object of texts: put numbers, true and false in quotes"
	}
	panic(fmt.Sprintf("config: no configuration field may have the type %s", t))
}

// shown is a value as an error repeats it: text as text, all else as the JSON that was given, cut to a
// reasonable length.
func shown(raw json.RawMessage) any {
	var text string
	if err := json.Unmarshal(raw, &text); err == nil {
		return cut(text)
	}
	if !json.Valid(raw) || len(raw) > maxShownValue {
		return cut(string(raw))
	}
	return raw
}

func cut(text string) string {
	if len(text) <= maxShownValue {
		return text
	}
	return strings.ToValidUTF8(text[:maxShownValue], "") + "…"
}

func list(names []string) string { return strings.Join(names, ", ") }
