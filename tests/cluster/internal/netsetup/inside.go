package netsetup

import (
	"fmt"
	"os"
	"runtime"

	"github.com/vishvananda/netns"
)

// Inside calls f in the network namespace of the process pid, and comes back to that of the own process. The sockets
// that f opens stay there.
func Inside(pid int, f func() error) error {
	own, err := netns.GetFromPid(os.Getpid())
	if err != nil {
		return fmt.Errorf("own network namespace: %w", err)
	}
	defer func() { _ = own.Close() }()
	other, err := netns.GetFromPid(pid)
	if err != nil {
		return fmt.Errorf("network namespace of process %d: %w", pid, err)
	}
	defer func() { _ = other.Close() }()
	runtime.LockOSThread()
	// A thread that does not find back stays locked, and ends with its goroutine instead of serving others.
	defer func() {
		if netns.Set(own) == nil {
			runtime.UnlockOSThread()
		}
	}()
	if err := netns.Set(other); err != nil {
		return fmt.Errorf("enter the network namespace of process %d: %w", pid, err)
	}
	return f()
}
