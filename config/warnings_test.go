package config

import "testing"

func TestSampleHostsAreWarnedOf(t *testing.T) {
	for host, want := range map[string]int{
		"example.com": 1, "wordpress.example.com": 1, "a.b.example.org": 1, "shop.example.net": 1,
		"myexample.com": 0, "example.com.au": 0, "www.company.com": 0,
	} {
		change := `wordpress:site: {host: ` + host + `}`
		if got := mustLoad(t, production, change).Warnings(); len(got) != want {
			t.Errorf("%s in production: got %q, want %d warnings", host, got, want)
		}
		if got := mustLoad(t, minimal, change).Warnings(); got != nil {
			t.Errorf("%s in development: got %q, want none", host, got)
		}
	}
}

func TestBusyCopiesAreWarnedOf(t *testing.T) {
	const from = `bootstrap: {snapshot: latest, from: "https://www.company.com"}, `
	for change, want := range map[string]int{
		`{wordpress:backup: {` + from + aRepository + `, ` + aDestination + `}, ` + backupKeys + `}`:                                                       1,
		`{wordpress:site: {host: www.example.com, mail: false}, wordpress:backup: {` + from + aRepository + `, ` + aDestination + `}, ` + backupKeys + `}`: 0,
		`{wordpress:backup: {bootstrap: {snapshot: latest}, ` + aRepository + `, ` + aDestination + `}, ` + backupKeys + `}`:                               0,
	} {
		if got := mustLoad(t, minimal, change).Warnings(); len(got) != want {
			t.Errorf("%s: got %q, want %d warnings", change, got, want)
		}
	}
}
