package evidence_test

import (
	"math"
	"strings"
	"testing"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

func TestFiguresAreComparable(t *testing.T) {
	store := evidence.Store{Dir: t.TempDir()}
	for name, row := range map[string]struct {
		value float64
		want  string
	}{
		"requests":                {100, ""},
		"p99Milliseconds":         {12.5, ""},
		"anonymousRatio":          {0.25, ""},
		"replicas3PagesPerSecond": {8.5, ""},
		"searchedBytes":           {1 << 40, ""},
		"memoryMiB":               {13.5, ""},
		"anonymousRatioAtBest":    {12.5, ""},
		"foundAtBest":             {1.5, "only counts are without a unit"},
		"Requests":                {1, "not in lowerCamelCase"},
		"p99_milliseconds":        {1, "not in lowerCamelCase"},
		"requestsPerMS":           {1, "not in lowerCamelCase"},
		"":                        {1, "not in lowerCamelCase"},
		"recovery":                {1.5, "only counts are without a unit"},
		"recoveryMs":              {3, "end its name with Milliseconds"},
		"recoveryMinutes":         {3, "end its name with Seconds"},
		"failedPercent":           {3, "end its name with Ratio"},
		"slowedRatio":             {math.NaN(), "finite number"},
		"growthRatio":             {math.Inf(1), "finite number"},
		"lateSeconds":             {-1, "finite number"},
	} {
		result := held()
		result.Figures = evidence.Figures{name: row.value}
		err := store.Keep(result)
		if (row.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), row.want) {
			t.Errorf("%q of %g: error %v, want %q", name, row.value, err, row.want)
		}
	}
}

func TestWhatWasTriedHasFigures(t *testing.T) {
	store := evidence.Store{Dir: t.TempDir()}
	result := held()
	result.Figures = nil
	if err := store.Keep(result); err == nil || !strings.Contains(err.Error(), "at least its rounds") {
		t.Errorf("error %v, want one for want of figures", err)
	}
	result.Verdict = evidence.NotTried
	if err := store.Keep(result); err != nil {
		t.Errorf("what was not tried has no figures: %v", err)
	}
	result.Verdict, result.Breakage = "", "without the drain"
	if err := store.Keep(result); err != nil {
		t.Errorf("a breakage is caught or not: %v", err)
	}
}
