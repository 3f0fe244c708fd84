package config

import "fmt"

// redacted stands for every value that must not be printed.
const redacted = "[secret]"

// Secret is a configuration value that must never be printed: every way to format or to marshal it yields a
// placeholder. A conversion to string yields the value.
type Secret string

// String hides the value.
func (Secret) String() string { return redacted }

// GoString hides the value from %#v.
func (Secret) GoString() string { return redacted }

// Format hides the value from every other verb: without it, a verb that does not fit a string, such as %d,
// prints the value in its complaint.
func (Secret) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, redacted) }

// MarshalText hides the value from JSON, YAML and structured logs.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
