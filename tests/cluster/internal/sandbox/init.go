// Package sandbox runs processes in namespaces of their own, so that whatever they start, mount or configure
// ends with them.
package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// firstFile is the number of the first descriptor handed down to a process, after the three standard streams.
const firstFile = 3

// IsInit says whether the calling process is the first of a process namespace.
func IsInit() bool { return os.Getpid() == 1 }

// Inherited returns the n files that the process was handed. They are not passed on to the programs it starts.
func Inherited(n int) []*os.File {
	files := make([]*os.File, n)
	for i := range files {
		unix.CloseOnExec(firstFile + i)
		files[i] = os.NewFile(uintptr(firstFile+i), fmt.Sprintf("inherited-%d", i))
	}
	return files
}

// Init is what the first process of a process namespace does: it runs the same command again as its child, hands
// it the files, passes signals on, and reaps every process that loses its parent. It returns the child's exit
// code. When the first process ends, the kernel ends all others of the namespace.
//
// The work is not done by the first process itself, because reaping everybody's children would take their exit
// status away from the code that started them.
func Init(files []*os.File) (int, error) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGHUP)
	child, err := os.StartProcess("/proc/self/exe", os.Args, &os.ProcAttr{
		Files: append([]*os.File{os.Stdin, os.Stdout, os.Stderr}, files...),
	})
	if err != nil {
		return 0, fmt.Errorf("start %v below the init process: %w", os.Args, err)
	}
	for _, file := range files {
		_ = file.Close()
	}
	go func() {
		for s := range signals {
			_ = unix.Kill(child.Pid, s.(syscall.Signal))
		}
	}()
	return reapUntil(child.Pid)
}

func reapUntil(pid int) (int, error) {
	for {
		var status unix.WaitStatus
		ended, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, fmt.Errorf("wait for processes: %w", err)
		case ended == pid && status.Exited():
			return status.ExitStatus(), nil
		case ended == pid && status.Signaled():
			return 128 + int(status.Signal()), nil
		}
	}
}
