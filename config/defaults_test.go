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
	for resources, want := range map[[2]string]int{
		{"1Mi", "500m"}: 2, {"256Mi", "500m"}: 2, {"639Mi", "500m"}: 2, {"640Mi", "500m"}: 3, {"768Mi", "500m"}: 5, {"1Gi", "500m"}: 9,
		{"768Mi", "200m"}: 5, {"768Mi", "10m"}: 2, {"4Gi", "500m"}: 12, {"4Gi", "510m"}: 13, {"4Gi", "2"}: 48, {"64Gi", "64"}: 64,
	} {
		r := Resources{Memory: resource.MustParse(resources[0]), CPU: resource.MustParse(resources[1])}
		if got := DefaultWorkers(r); got != want {
			t.Errorf("%s of memory and cpu: got %d workers, want %d", resources, got, want)
		}
		r.CPU, r.CPULimit = resource.MustParse("10m"), new(r.CPU)
		if got := DefaultWorkers(r); got != want {
			t.Errorf("%s of memory and cpuLimit: got %d workers, want %d", resources, got, want)
		}
	}
}

func TestDefaultRequestMemory(t *testing.T) {
	for memory, want := range map[string]string{
		"160Mi": "96Mi", "256Mi": "128Mi", "384Mi": "128Mi", "600Mi": "200Mi", "768Mi": "256Mi", "8Gi": "256Mi",
	} {
		if got := DefaultRequestMemory(resource.MustParse(memory)); got.Cmp(resource.MustParse(want)) != 0 {
			t.Errorf("%s of memory: got %s for a request, want %s", memory, &got, want)
		}
	}
}

// Whatever the memory is, the default number of workers leaves room for the default picture, and both are what the rules admit.
func TestDefaultPictureMemoryFitsBesideTheWorkers(t *testing.T) {
	for memory, want := range map[string]string{
		"160Mi": "32Mi", "256Mi": "128Mi", "384Mi": "256Mi", "768Mi": "256Mi", "8Gi": "256Mi",
	} {
		stack := mustLoad(t, minimal, `wordpress:frontend: {resources: {memory: `+memory+`}}`)
		if got := stack.Frontend.PictureMemory; got.Cmp(resource.MustParse(want)) != 0 {
			t.Errorf("%s of memory: got %s for pictures, want %s", memory, got, want)
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
