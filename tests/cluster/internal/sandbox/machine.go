package sandbox

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Machine describes how the mount namespace of one node differs from the root that all nodes share.
type Machine struct {
	Hostname string
	Binds    []Bind
	// Sysctls are kernel settings, by their path below /proc/sys, that programs inside find set to the given
	// value and may write to, while the host's stay as they are.
	Sysctls map[string]string
}

// Enter applies the description to the calling process's mount, host-name and network namespaces, which must be
// its own.
func (m Machine) Enter() error {
	if err := unix.Sethostname([]byte(m.Hostname)); err != nil {
		return fmt.Errorf("host name %s: %w", m.Hostname, err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := remountSystem(); err != nil {
		return err
	}
	for _, b := range m.Binds {
		if err := bind(b.From, b.To); err != nil {
			return err
		}
	}
	if err := m.coverSysctls(); err != nil {
		return err
	}
	// Volume mounts of pods with mount propagation need a shared tree to propagate from.
	return unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, "")
}

// remountSystem replaces the mounts that show the namespaces of whoever mounted them.
func remountSystem() error {
	steps := []struct {
		source, target, fstype string
		flags                  uintptr
		data                   string
	}{
		{"tmpfs", "/run", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=755"},
		{"tmpfs", "/tmp", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
		{"tmpfs", "/dev/shm", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
		{"proc", "/proc", "proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
	}
	for _, s := range steps {
		if err := unix.Mount(s.source, s.target, s.fstype, s.flags, s.data); err != nil {
			return fmt.Errorf("mount %s: %w", s.target, err)
		}
	}
	return remountSys()
}

// remountSys mounts a /sys of the own network namespace, keeping the control groups that the old one holds.
func remountSys() error {
	const kept, cgroups = "/run/cgroup", "/sys/fs/cgroup"
	if err := os.Mkdir(kept, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(cgroups, kept, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("keep control groups: %w", err)
	}
	if err := unix.Mount("sysfs", "/sys", "sysfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /sys: %w", err)
	}
	if err := unix.Mount(kept, cgroups, "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("move control groups: %w", err)
	}
	return os.Remove(kept)
}

func (m Machine) coverSysctls() error {
	for name, value := range m.Sysctls {
		target := filepath.Join("/proc/sys", name)
		if _, err := os.Stat(target); err != nil {
			continue // a setting that this kernel lacks needs no cover
		}
		cover := filepath.Join("/run/sysctl", name)
		if err := os.MkdirAll(filepath.Dir(cover), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(cover, []byte(value+"\n"), 0o644); err != nil {
			return err
		}
		if err := unix.Mount(cover, target, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("cover kernel setting %s: %w", name, err)
		}
	}
	return nil
}
