package control

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fake is a supervisor with one node that can be killed once.
type fake struct {
	events []Event
	killed bool
	stop   chan struct{}
}

func (f *fake) Status() Status {
	return Status{Ready: true, Nodes: []Node{{Name: "node1", Running: !f.killed}}}
}

func (f *fake) Progress(<-chan struct{}) <-chan Event {
	out := make(chan Event, len(f.events))
	for _, event := range f.events {
		out <- event
	}
	close(out)
	return out
}

func (f *fake) KillNode(n int) error {
	if n != 1 || f.killed {
		return errors.New("no such node")
	}
	f.killed = true
	return nil
}

func (f *fake) StartNode(int) error { f.killed = false; return nil }
func (f *fake) LoadImages() error   { return errors.New("no images") }
func (f *fake) Stop()               { close(f.stop) }

// connect serves f on a socket whose path is longer than the kernel's limit of 108 bytes.
func connect(t *testing.T, f *fake) *Client {
	t.Helper()
	folder := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(folder, "control.sock")
	listener, err := Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: Handler(f)}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return NewClient(socket)
}

func TestNodesAreKilledAndStarted(t *testing.T) {
	f := &fake{}
	client := connect(t, f)
	if err := client.KillNode(t.Context(), 1); err != nil || !f.killed {
		t.Fatalf("kill: %v, killed %t", err, f.killed)
	}
	status, err := client.Status(t.Context())
	if err != nil || status.Nodes[0].Running {
		t.Errorf("status %+v, %v", status, err)
	}
	if err := client.KillNode(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "no such node") {
		t.Errorf("a second kill: %v, want the supervisor's own words", err)
	}
	if err := client.StartNode(t.Context(), 1); err != nil || f.killed {
		t.Errorf("start: %v, killed %t", err, f.killed)
	}
	if err := client.LoadImages(t.Context()); err == nil || !strings.Contains(err.Error(), "no images") {
		t.Errorf("images: %v", err)
	}
}

func TestFollow(t *testing.T) {
	tests := map[string]struct {
		events []Event
		seen   int
		want   string
	}{
		"ready":      {[]Event{{Message: "a"}, {Message: "b", Ready: true}}, 2, ""},
		"failure":    {[]Event{{Message: "a"}, {Error: "no etcd"}}, 1, "no etcd"},
		"early end":  {[]Event{{Message: "a"}}, 1, "ended before the cluster was ready"},
		"no message": {nil, 0, "ended before the cluster was ready"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			seen := 0
			err := connect(t, &fake{events: test.events}).Follow(t.Context(), func(Event) { seen++ })
			if seen != test.seen {
				t.Errorf("saw %d events, want %d", seen, test.seen)
			}
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestStop(t *testing.T) {
	f := &fake{stop: make(chan struct{})}
	if err := connect(t, f).Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-f.stop
}
