package config

import (
	"errors"
	"strings"
	"testing"
)

// FuzzLoad: whatever a section holds, Load neither panics nor hangs, fails only with an *InvalidError, names
// a key of ours in each line and tells the same twice.
func FuzzLoad(f *testing.F) {
	for _, seed := range [][2]string{
		{"frontend", `{"replicas": 3, "resources": {"cpu": "200m", "memory": "256Mi"}, "maxSurge": "25%"}`},
		{"frontend", `{"maxSurge": 1e9, "nodes": 99999999999999999999, "workers": -1}`},
		{"frontend", `{"resources": {"cpu": 1e999999999, "memory": "1E2147483647"}}`},
		{"database", `{"mode": "external", "host": "a..b", "name": "\u0000"}`},
		{"storage", `{"content": {"size": "-1", "accessMode": null}, "cephfs": {"create": true}}`},
		{"autoscaling", `{"enabled": false, "minReplicas": 9223372036854775807}`},
		{"ingress", `{"kind": "traefik", "tls": {"domains": ["*.a", "*.a", null, ""]}, "annotations": {"": ""}}`},
		{"network", `{"enabled": true, "edge": {"namespace": "a", "podLabels": {"a/b": "c"}, "cidrs": ["::ffff:10.0.0.0/104", "10.0.0.1/8"]}}`},
		{"network", `{"egress": [{"cidr": "fe80::%eth0/64", "ports": [0, 1e9, null]}, null, [], {"ports": {}}]}`},
		{"database", `{"name": "____________________________________", "maxConnections": 9223372036854775807}`},
		{"site", `[]`}, {"site", ``}, {"site", `null`}, {"site", `{"host": {"host": {}}}`},
		{"profile", "\xff"}, {"authSecret", "\x00"}, {"site.host", "a"}, {"", ""},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, name, raw string) {
		config := parse(t, minimal)
		config.values[keyPrefix+name] = raw
		_, err := config.load()
		if err == nil {
			return
		}
		assertWellFormed(t, err)
		if _, again := config.load(); again == nil || again.Error() != err.Error() {
			t.Errorf("got %v, then %v", err, again)
		}
	})
}

func assertWellFormed(t *testing.T, err error) {
	t.Helper()
	var invalid *InvalidError
	if !errors.As(err, &invalid) || len(invalid.Problems) == 0 {
		t.Fatalf("got the error %#v, want an *InvalidError with problems", err)
	}
	for _, problem := range invalid.Problems {
		if !strings.HasPrefix(problem.Field, keyPrefix) {
			t.Errorf("the problem %v names no key of ours", problem)
		}
	}
}
