package config

import (
	"os"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"
)

// A changed default changes every stack that relies on it.
func TestDefaultsAreGolden(t *testing.T) {
	got, err := yaml.Marshal(mustLoad(t, minimal, `{wordpress:network: null, wordpress:storage: null}`))
	if err != nil {
		t.Fatal(err)
	}
	compareGolden(t, "testdata/defaults.golden.yaml", got)
}

func compareGolden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s is out of date: look at the difference, then run go test ./config -update. Got:\n%s", file, got)
	}
}

func TestDefaultWorkers(t *testing.T) {
	for memory, want := range map[string]int{
		"1Mi": 2, "128Mi": 2, "159Mi": 2, "160Mi": 3, "256Mi": 6, "384Mi": 10, "1Gi": 30, "2Gi": 62, "64Gi": 64,
	} {
		if got := DefaultWorkers(resource.MustParse(memory)); got != want {
			t.Errorf("%s of memory: got %d workers, want %d", memory, got, want)
		}
	}
}

// A number that followed the pods would restart MySQL whenever the frontend's limits change.
func TestDefaultMaxConnectionsDoesNotFollowTheFrontend(t *testing.T) {
	for _, settings := range []string{`{}`, `wordpress:autoscaling: {maxReplicas: 10}`, `wordpress:frontend: {maxSurge: 3}`} {
		if got := *mustLoad(t, minimal, settings).Database.MaxConnections; got != DefaultMaxConnections {
			t.Errorf("%s: got %d connections, want %d", settings, got, DefaultMaxConnections)
		}
	}
}

func TestReplicaRange(t *testing.T) {
	for settings, want := range map[string][2]int{
		`wordpress:autoscaling: {minReplicas: 2, maxReplicas: 9}`:                      {2, 9},
		`wordpress:autoscaling: {enabled: false}`:                                      {3, 3},
		`{wordpress:autoscaling: {enabled: false}, wordpress:frontend: {replicas: 5}}`: {5, 5},
	} {
		least, greatest := mustLoad(t, minimal, settings).ReplicaRange()
		if got := [2]int{least, greatest}; got != want {
			t.Errorf("%s: got %v, want %v", settings, got, want)
		}
	}
}

// Neither the user's configuration nor a test may change what the next stack starts from.
func TestDefaultsAreNotShared(t *testing.T) {
	*Defaults().Storage.Protect = !DefaultProtect
	if *Defaults().Storage.Protect != DefaultProtect {
		t.Error("two calls of Defaults share a value")
	}
}
