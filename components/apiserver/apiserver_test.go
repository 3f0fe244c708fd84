package apiserver_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"wordpress-on-kubernetes/components/apiserver"
	"wordpress-on-kubernetes/components/guard"
)

// answers of an API server by path.
var answers = map[string]string{
	"/api/v1": `{"kind": "APIResourceList", "resources": [
		{"name": "namespaces", "kind": "Namespace"}, {"name": "namespaces/status", "kind": "Namespace"},
		{"name": "secrets", "kind": "Secret", "namespaced": true},
		{"name": "persistentvolumeclaims", "kind": "PersistentVolumeClaim", "namespaced": true}]}`,
	"/apis/gateway.networking.k8s.io/v1":                              `{"kind": "APIResourceList", "resources": [{"name": "gateways", "kind": "Gateway", "namespaced": true}]}`,
	"/api/v1/namespaces/site":                                         `{"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}, "deletionTimestamp": "2026-01-01T00:00:00Z"}}`,
	"/api/v1/namespaces/site/persistentvolumeclaims/files":            `{"metadata": {}, "spec": {"accessModes": ["ReadWriteMany"]}}`,
	"/apis/gateway.networking.k8s.io/v1/namespaces/site/gateways/web": `{"metadata": {}}`,
}

// server answers, and keeps what was asked for with which form of answer.
type server struct {
	*httptest.Server

	mu     sync.Mutex
	status int
	// failures is how many requests more are answered with an error that passes.
	failures int
	asked    map[string]string
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{asked: map[string]string{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked[r.URL.Path] = r.Header.Get("Accept")
		answer, known := answers[r.URL.Path]
		switch {
		case s.failures > 0:
			s.failures--
			w.WriteHeader(http.StatusInternalServerError)
		case s.status != 0:
			w.WriteHeader(s.status)
		case !known:
			w.WriteHeader(http.StatusNotFound)
		default:
			_, _ = w.Write([]byte(answer))
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// kubeconfig has two contexts, of which the current one leads nowhere.
func (s *server) kubeconfig() string {
	return fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: nowhere, users: [],
contexts: [{name: nowhere, context: {cluster: nowhere}}, {name: here, context: {cluster: here}}],
clusters: [{name: nowhere, cluster: {server: "http://127.0.0.1:1"}}, {name: here, cluster: {server: %q}}]}`, s.URL)
}

func TestObjectsAreFound(t *testing.T) {
	s := newServer(t)
	client := apiserver.New(apiserver.Settings{Kubeconfig: s.kubeconfig(), Context: "here"})
	find := func(apiVersion, kind, namespace, name string) *guard.Found {
		t.Helper()
		found, err := client.Lookup(guard.Object{APIVersion: apiVersion, Kind: kind, Namespace: namespace, Name: name})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	space := find("v1", "Namespace", "", "site")
	if space == nil || space.Labels["a"] != "b" || space.Annotations["c"] != "d" || !space.Leaving {
		t.Errorf("the Namespace is %+v", space)
	}
	if claim := find("v1", "PersistentVolumeClaim", "site", "files"); claim == nil || !slices.Equal(claim.AccessModes, []string{"ReadWriteMany"}) || claim.Leaving {
		t.Errorf("the claim is %+v", claim)
	}
	if find("gateway.networking.k8s.io/v1", "Gateway", "site", "web") == nil {
		t.Error("the Gateway is not found")
	}
	for _, missing := range []*guard.Found{
		find("v1", "Secret", "site", "password"), find("v1", "Nothing", "site", "x"), find("ceph.rook.io/v1", "CephFilesystem", "rook", "myfs"),
	} {
		if missing != nil {
			t.Errorf("found %+v, which is not there", missing)
		}
	}
	if accept := s.asked["/api/v1/namespaces/site/secrets/password"]; !strings.Contains(accept, "as=PartialObjectMetadata") {
		t.Errorf("a Secret is asked for as %q: its values need not travel", accept)
	}
}

// What a server refuses is no answer to whether the object is there, and is about that object alone.
func TestRefusalIsAnError(t *testing.T) {
	s := newServer(t)
	client := apiserver.New(apiserver.Settings{Kubeconfig: s.kubeconfig(), Context: "here"})
	object := guard.Object{APIVersion: "v1", Kind: "Namespace", Name: "site"}
	s.status = http.StatusForbidden
	if found, err := client.Lookup(object); err == nil {
		t.Errorf("forbidden: found %+v", found)
	}
	s.status = 0
	if _, err := client.Lookup(object); err != nil {
		t.Errorf("allowed by now: %v", err)
	}
}

// A cluster that does not answer is not waited for again with every object.
func TestSilenceIsRemembered(t *testing.T) {
	s := newServer(t)
	client := apiserver.New(apiserver.Settings{Kubeconfig: s.kubeconfig(), Context: "here"})
	s.Close()
	object := guard.Object{APIVersion: "v1", Kind: "Namespace", Name: "site"}
	_, first := client.Lookup(object)
	_, second := client.Lookup(object)
	if first == nil || !errors.Is(second, first) {
		t.Errorf("got %v and then %v, want the same error twice", first, second)
	}
}

// An API server under load is asked again by an update, and not by a preview.
func TestUpdateInsists(t *testing.T) {
	for _, insist := range []bool{true, false} {
		s := newServer(t)
		s.failures = 2
		client := apiserver.New(apiserver.Settings{Kubeconfig: s.kubeconfig(), Context: "here", Insist: insist})
		found, err := client.Lookup(guard.Object{APIVersion: "v1", Kind: "Namespace", Name: "site"})
		if (err == nil && found != nil) != insist {
			t.Errorf("insisting %t: found %+v, %v", insist, found, err)
		}
	}
}

// The provider's order: its own setting as text, as a path or as one below home, then the environment.
func TestClusterIsTheProviders(t *testing.T) {
	s := newServer(t)
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "config"), []byte(s.kubeconfig()), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", home)
	t.Setenv("KUBECONFIG", filepath.Join(home, "config"))
	for name, values := range map[string]map[string]string{
		"text":        {"kubernetes:kubeconfig": s.kubeconfig(), "kubernetes:context": "here"},
		"path":        {"kubernetes:kubeconfig": filepath.Join(home, "config"), "kubernetes:context": "here"},
		"home":        {"kubernetes:kubeconfig": "~/config", "kubernetes:context": "here"},
		"environment": {"kubernetes:context": "here"},
		"cluster":     {"kubernetes:cluster": "here"},
	} {
		found, err := apiserver.New(apiserver.SettingsOf(values)).Lookup(guard.Object{APIVersion: "v1", Kind: "Namespace", Name: "site"})
		if err != nil || found == nil {
			t.Errorf("%s: found %+v, %v", name, found, err)
		}
	}
}

// A kubeconfig may hold a token.
func TestKubeconfigIsNotShown(t *testing.T) {
	_, err := apiserver.New(apiserver.Settings{Kubeconfig: "{users: [{user: {token: s3cret-token}}], clusters: 3}"}).
		Lookup(guard.Object{APIVersion: "v1", Kind: "Namespace", Name: "site"})
	if err == nil || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "kubernetes:kubeconfig") {
		t.Errorf("got the error %v", err)
	}
}
