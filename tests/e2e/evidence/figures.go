package evidence

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
)

// Figures are the numbers of a result by name, so that results can be compared by machine. A name is in lowerCamelCase. A count is
// named after what is counted, as in failed or lostComments, and is whole; every other number ends with its unit, one of units, as in
// p99Milliseconds or slowedRatio, or with its unit and atBest, as in slowedRatioAtBest.
type Figures map[string]float64

// units that a name may end with.
var units = []string{"PerSecond", "PerMinute", "Milliseconds", "Seconds", "Ratio", "Bytes", "MiB", "Cores"}

// atBest after a unit says that others were at their best.
const atBest = "AtBest"

// perSecond is the unit of which less is worse.
const perSecond = "PerSecond"

// otherSpellings of these units, and units that have one of them in their place.
var otherSpellings = map[string]string{
	"Ms": "Milliseconds", "Millis": "Milliseconds", "Msec": "Milliseconds", "Sec": "Seconds", "Secs": "Seconds", "Minutes": "Seconds",
	"Hours": "Seconds", "Percent": "Ratio", "Share": "Ratio", "Kilobytes": "Bytes", "Megabytes": "Bytes", "Mi": "Bytes", "Mib": "Bytes",
	"Millicores": "Cores", "Rate": "PerSecond",
}

var figureName = regexp.MustCompile(`^[a-z][a-z0-9]*([A-Z][a-z0-9]+)*(MiB)?$`)

// unitOf is what a name ends with; empty for a count.
func unitOf(name string) string {
	name = strings.TrimSuffix(name, atBest)
	for _, unit := range units {
		if strings.HasSuffix(name, unit) {
			return unit
		}
	}
	return ""
}

// check lists the figures that no machine could compare.
func (f Figures) check() error {
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(f)) {
		value := f[name]
		switch {
		case !figureName.MatchString(name):
			problems = append(problems, fmt.Errorf("figure %q is not in lowerCamelCase", name))
		case math.IsNaN(value) || math.IsInf(value, 0) || value < 0:
			problems = append(problems, fmt.Errorf("figure %s is %g, want a finite number from 0", name, value))
		case unitOf(name) == "" && value != math.Trunc(value):
			problems = append(problems, fmt.Errorf("figure %s is %g, and only counts are without a unit: end its name with one of %s",
				name, value, strings.Join(units, ", ")))
		}
		for ending, unit := range otherSpellings {
			if strings.HasSuffix(name, ending) && unitOf(name) == "" {
				problems = append(problems, fmt.Errorf("figure %s: end its name with %s", name, unit))
			}
		}
	}
	return errors.Join(problems...)
}

// add joins the figures of two runs of one try: counts add up, and of each other number the worse is kept.
func (f Figures) add(other Figures) Figures {
	sum := maps.Clone(f)
	for name, value := range other {
		earlier, both := sum[name]
		switch unit := unitOf(name); {
		case !both:
			sum[name] = value
		case unit == "":
			sum[name] = earlier + value
		case unit == perSecond:
			sum[name] = min(earlier, value)
		default:
			sum[name] = max(earlier, value)
		}
	}
	return sum
}
