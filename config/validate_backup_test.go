package config

import (
	"testing"
	"time"
)

func TestMaxAgeIsTwiceTheLongestPause(t *testing.T) {
	for schedule, want := range map[string]time.Duration{
		"17 2 * * *":    48 * time.Hour,
		"*/30 * * * *":  time.Hour,
		"0 3 * * 1,2":   2 * 6 * 24 * time.Hour,
		"0 0 1 * *":     2 * 31 * 24 * time.Hour,
		"0 0 31 2 *":    0,
		"15 1,13 * * 1": 2 * (6*24 + 12) * time.Hour,
		"no schedule":   0,
		"0 0 29 2 *":    2 * (4*365 + 1) * 24 * time.Hour,
		"59 23 31 12 *": 2 * 365 * 24 * time.Hour,
	} {
		if got := (&Backup{Schedule: schedule}).MaxAge(); got != want {
			t.Errorf("%q: %s, want %s", schedule, got, want)
		}
	}
}
