package config

import (
	"encoding/json"

	"k8s.io/apimachinery/pkg/util/intstr"
)

// IntOrPercent is a count such as 1 or a percentage such as 25%.
type IntOrPercent string

// UnmarshalJSON accepts a number as well as text, because both are how people write a count.
func (v *IntOrPercent) UnmarshalJSON(data []byte) error {
	var parsed intstr.IntOrString
	if err := json.Unmarshal(data, &parsed); err != nil {
		return err
	}
	*v = IntOrPercent(parsed.String())
	return nil
}

// IntOrString is the value as Kubernetes types it.
func (v IntOrPercent) IntOrString() intstr.IntOrString { return intstr.Parse(string(v)) }

// roundUp is how Kubernetes resolves a percentage for a rolling update's surge and for a disruption budget.
func (v IntOrPercent) roundUp(total int) int { return v.scaled(total, true) }

// roundDown is how Kubernetes resolves a percentage for a rolling update's unavailable pods.
func (v IntOrPercent) roundDown(total int) int { return v.scaled(total, false) }

// scaled resolves a percentage of total. A malformed value counts as 0: checkCountOrPercent has reported it,
// and no rule that reads it runs.
func (v IntOrPercent) scaled(total int, roundUp bool) int {
	parsed := v.IntOrString()
	count, err := intstr.GetScaledValueFromIntOrPercent(&parsed, total, roundUp)
	if err != nil {
		return 0
	}
	return count
}
