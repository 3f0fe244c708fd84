package sandbox

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Bind shows the folder From of the host at To inside the private root.
type Bind struct{ From, To string }

// Root describes a private root file system.
type Root struct {
	// Base is the folder with the read-only file system. It is not changed.
	Base string
	// Scratch is a folder on a file system that can be an overlay's upper layer; it takes all changes.
	Scratch string
	Binds   []Bind
}

// Enter makes root the root file system of the calling process and of all others in its mount namespace, which
// must not be the host's. It has its own /proc, /sys, /dev/shm and /run, the host's devices and control groups,
// and nothing else of the host but the binds.
func (r Root) Enter() error {
	merged := filepath.Join(r.Scratch, "merged")
	steps := []struct {
		what string
		do   func() error
	}{
		{"make mounts private", func() error { return unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") }},
		{"overlay", func() error { return r.overlay(merged) }},
		{"system folders", func() error { return mountSystem(merged) }},
		{"binds", func() error { return r.bindAll(merged) }},
		{"change root", func() error { return pivot(merged) }},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			return fmt.Errorf("private root on %s: %s: %w", r.Base, step.what, err)
		}
	}
	return nil
}

// overlay works from inside the scratch folder with relative names, because a colon or comma in a folder's name
// would be taken for the options' own.
func (r Root) overlay(merged string) error {
	for _, dir := range []string{"upper", "work", "merged", "lower"} {
		if err := os.MkdirAll(filepath.Join(r.Scratch, dir), 0o755); err != nil {
			return err
		}
	}
	if err := unix.Mount(r.Base, filepath.Join(r.Scratch, "lower"), "", unix.MS_BIND, ""); err != nil {
		return err
	}
	if err := os.Chdir(r.Scratch); err != nil {
		return err
	}
	return unix.Mount("overlay", merged, "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=work")
}

func mountSystem(root string) error {
	mounts := []struct {
		source, target, fstype string
		flags                  uintptr
		data                   string
	}{
		{"proc", "proc", "proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"sysfs", "sys", "sysfs", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"/sys/fs/cgroup", "sys/fs/cgroup", "", unix.MS_BIND | unix.MS_REC, ""},
		{"/dev", "dev", "", unix.MS_BIND | unix.MS_REC, ""},
		{"devpts", "dev/pts", "devpts", unix.MS_NOSUID | unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620"},
		{"tmpfs", "dev/shm", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
		{"tmpfs", "run", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=755"},
		{"tmpfs", "tmp", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
	}
	for _, m := range mounts {
		if err := unix.Mount(m.source, filepath.Join(root, m.target), m.fstype, m.flags, m.data); err != nil {
			return fmt.Errorf("mount %s: %w", m.target, err)
		}
	}
	return nil
}

func (r Root) bindAll(root string) error {
	for _, b := range r.Binds {
		if err := bind(b.From, filepath.Join(root, b.To)); err != nil {
			return err
		}
	}
	return nil
}

// bind mounts the folder from at to, making both if need be.
func bind(from, to string) error {
	for _, dir := range []string{from, to} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := unix.Mount(from, to, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind %s at %s: %w", from, to, err)
	}
	return nil
}

// pivot changes the root and lets go of the old one, so that no path leads back to the host.
func pivot(root string) error {
	if err := os.Chdir(root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return err
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return err
	}
	return os.Chdir("/")
}
