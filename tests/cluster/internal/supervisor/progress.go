package supervisor

import (
	"log"
	"sync"
	"time"

	"wordpress-on-kubernetes/tests/cluster/internal/control"
)

// progress is the record of how far the cluster has come, which any number of readers can follow from its start.
type progress struct {
	started time.Time

	mu      sync.Mutex
	events  []control.Event
	changed chan struct{} // closed and replaced when an event is added
}

func newProgress() *progress {
	return &progress{started: time.Now(), changed: make(chan struct{})}
}

func (p *progress) add(message string) { p.append(control.Event{Message: message}) }
func (p *progress) ready()             { p.append(control.Event{Message: "the cluster is ready", Ready: true}) }
func (p *progress) fail(err error)     { p.append(control.Event{Error: err.Error()}) }

func (p *progress) append(event control.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	event.After = time.Since(p.started)
	if event.Message != "" {
		log.Print(event.Message)
	}
	p.events = append(p.events, event)
	close(p.changed)
	p.changed = make(chan struct{})
}

func final(e control.Event) bool { return e.Ready || e.Error != "" }

// follow sends every event, old and new, until the last one or until done is closed.
func (p *progress) follow(done <-chan struct{}) <-chan control.Event {
	out := make(chan control.Event)
	go func() {
		defer close(out)
		for next := 0; ; {
			p.mu.Lock()
			news, changed := p.events[next:], p.changed
			p.mu.Unlock()
			for _, event := range news {
				select {
				case out <- event:
				case <-done:
					return
				}
				if final(event) {
					return
				}
			}
			next += len(news)
			select {
			case <-changed:
			case <-done:
				return
			}
		}
	}()
	return out
}

func (p *progress) status() control.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	status := control.Status{Started: p.started}
	for _, event := range p.events {
		status.Ready = status.Ready || event.Ready
		if event.Error != "" {
			status.Error = event.Error
		}
	}
	return status
}
