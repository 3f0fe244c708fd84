package supervisor

import (
	"errors"
	"testing"

	"wordpress-on-kubernetes/tests/cluster/internal/control"
)

func messages(events <-chan control.Event) []string {
	var all []string
	for event := range events {
		all = append(all, event.Message+event.Error)
	}
	return all
}

func TestAFollowerSeesOldAndNewEventsAndTheEnd(t *testing.T) {
	p := newProgress()
	p.add("old")
	events := p.follow(nil)
	first := <-events
	p.add("new")
	p.ready()
	rest := messages(events)
	if first.Message != "old" || len(rest) != 2 || rest[0] != "new" {
		t.Errorf("got %q, then %q", first.Message, rest)
	}
	if !p.status().Ready {
		t.Error("not ready")
	}
}

func TestAFollowerEndsWithTheFailure(t *testing.T) {
	p := newProgress()
	p.fail(errors.New("no etcd"))
	if got := messages(p.follow(nil)); len(got) != 1 || got[0] != "no etcd" {
		t.Errorf("got %q", got)
	}
	if status := p.status(); status.Ready || status.Error != "no etcd" {
		t.Errorf("status %+v", status)
	}
}

func TestAFollowerCanLeave(t *testing.T) {
	done := make(chan struct{})
	events := newProgress().follow(done)
	close(done)
	if got := messages(events); len(got) != 0 {
		t.Errorf("got %q", got)
	}
}
