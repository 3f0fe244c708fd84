package process

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestKeepStartsAProcessAgainAndEndsItWithTheContext(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	ctx, cancel := context.WithCancel(t.Context())
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		// The first run ends at once; the second finds the file and stays.
		Process{
			Name: "test", Path: "/bin/sh", LogFile: log,
			Args: []string{"-c", "echo run; if [ -e " + log + ".second ]; then exec sleep 600; fi; touch " + log + ".second"},
		}.Keep(ctx)
	}()
	waiting, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	err := Await(waiting, "a second run", func(context.Context) error {
		if raw, _ := os.ReadFile(log); strings.Count(string(raw), "run") < 2 {
			return errors.New("not yet")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	cancel()
	select {
	case <-kept:
	case <-waiting.Done():
		t.Error("the process outlived its context")
	}
}

func TestAwaitTellsWhatItWaitedForAndWhy(t *testing.T) {
	reason := errors.New("connection refused")
	limit := errors.New("not ready in time")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(limit)
	err := Await(ctx, "etcd", func(context.Context) error { return reason })
	if !errors.Is(err, reason) || !errors.Is(err, limit) || !strings.Contains(err.Error(), "etcd") {
		t.Errorf("got %v", err)
	}
}
