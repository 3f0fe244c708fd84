package e2e

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"wordpress-on-kubernetes/tests/stack"
)

// A thread that ends in another network takes it along, but the first thread of a process never ends, and it is by that one that
// the process is looked up in /proc. It is kept for the main goroutine.
func init() { runtime.LockOSThread() }

// inNetwork makes a socket in the network that joins the local cluster's nodes, which is none of this machine's. A socket stays
// in the network that its thread was in.
func inNetwork[T any](project *stack.Project, socket func() (T, error)) (made T, err error) {
	pid, err := supervisor(project)
	if err != nil {
		return made, err
	}
	network, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return made, fmt.Errorf("the cluster's network: %w", err)
	}
	defer func() { err = errors.Join(err, network.Close()) }()
	done := make(chan struct{})
	go func() {
		defer close(done)
		// Never unlocked: the thread ends with the goroutine, and nothing else ever runs in that network.
		runtime.LockOSThread()
		if err = unix.Setns(int(network.Fd()), unix.CLONE_NEWNET); err != nil {
			err = fmt.Errorf("enter the cluster's network: %w", err)
			return
		}
		made, err = socket()
	}()
	<-done
	return made, err
}
