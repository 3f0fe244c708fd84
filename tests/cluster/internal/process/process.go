// Package process keeps long-running programs alive.
package process

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"syscall"
	"time"
)

const (
	firstDelay = time.Second
	maxDelay   = 15 * time.Second
	// settled is how long a process must have run for its next restart to be immediate again.
	settled = time.Minute
	// stopGrace is how long a process may take to end after it was asked to.
	stopGrace = 5 * time.Second
)

// Process is a program that is to run for as long as the cluster does.
type Process struct {
	Name string
	Path string
	Args []string
	// LogFile takes its standard output and error, appended.
	LogFile string
}

// Keep runs the process until ctx ends, starting it again, ever later, whenever it exits.
func (p Process) Keep(ctx context.Context) {
	delay := firstDelay
	for {
		started := time.Now()
		err := p.run(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(started) > settled {
			delay = firstDelay
		}
		log.Printf("%s ended (%v) after %s; starting it again in %s; its log: %s",
			p.Name, err, time.Since(started).Round(time.Second), delay, p.LogFile)
		select {
		case <-ctx.Done():
			return
		case <-time.After(delay):
		}
		delay = min(2*delay, maxDelay)
	}
}

func (p Process) run(ctx context.Context) error {
	output, err := os.OpenFile(p.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = output.Close() }()
	cmd := exec.CommandContext(ctx, p.Path, p.Args...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopGrace
	return cmd.Run()
}

// Await calls check until it succeeds. When ctx ends first, the error names what was waited for and holds the
// last reason.
func Await(ctx context.Context, what string, check func(context.Context) error) error {
	const interval = 200 * time.Millisecond
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w; last: %w", what, context.Cause(ctx), err)
		case <-time.After(interval):
		}
	}
}
