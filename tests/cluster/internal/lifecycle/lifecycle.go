// Package lifecycle brings the local cluster up and down from the host.
package lifecycle

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"wordpress-on-kubernetes/tests/cluster/internal/control"
	"wordpress-on-kubernetes/tests/cluster/internal/layout"
	"wordpress-on-kubernetes/tests/cluster/internal/tools"
)

// Host is the local cluster of one repository, as seen from the host.
type Host struct {
	// Repo is the repository's root folder.
	Repo  string
	Local layout.Local
	// Progress is called with a line of text for every step.
	Progress func(string)
}

// New returns the cluster of the repository at root.
func New(root string, progress func(string)) (*Host, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(root, "tests", "cluster", "go.mod")); err != nil {
		return nil, fmt.Errorf("%s is not the repository's root: %w", root, err)
	}
	return &Host{Repo: root, Local: layout.InRepo(root), Progress: progress}, nil
}

func (h *Host) module() string { return filepath.Join(h.Repo, "tests", "cluster") }

// id names the control groups of this repository's cluster, so that two clones stay out of each other's way.
func (h *Host) id() string {
	sum := sha256.Sum256([]byte(h.Repo))
	return "wordpress-local-" + hex.EncodeToString(sum[:4])
}

func (h *Host) client() *control.Client { return control.NewClient(h.Local.State().ControlSocket()) }

func (h *Host) builder() tools.Builder {
	return tools.Builder{
		Modules:   filepath.Join(h.module(), "tools"),
		Bin:       h.Local.Bin(),
		GoVersion: goVersion(),
		Progress:  h.Progress,
	}
}

// lockCommand keeps other commands that change the cluster waiting until unlock is called or this process ends.
func (h *Host) lockCommand() (unlock func(), err error) {
	if err := os.MkdirAll(string(h.Local), 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(h.Local.CommandLock(), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := tryLock(file); errors.Is(err, unix.EWOULDBLOCK) {
		h.Progress("another command is changing the cluster: waiting for it")
		err = unix.Flock(int(file.Fd()), unix.LOCK_EX)
		if err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, fmt.Errorf("lock %s: %w", file.Name(), err)
	}
	return func() { _ = file.Close() }, nil
}

func tryLock(file *os.File) error { return unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) }

// alive says whether a supervisor runs: it holds a lock for as long as it lives, however it ends.
func (h *Host) alive() (bool, error) {
	file, err := os.Open(h.Local.State().AliveLock())
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = file.Close() }()
	err = tryLock(file)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}

// poll is how often the host looks whether the supervisor has ended.
const poll = 50 * time.Millisecond
