package provisioner

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// attempts to have a free loop device: another process may be faster.
const attempts = 16

// disks are the loop devices behind volumes of a real size. A device lasts for as long as it is open or mounted, so that none outlives
// the cluster, however it ends.
type disks struct {
	mu   sync.Mutex
	open map[string]*os.File
}

func newDisks() *disks { return &disks{open: map[string]*os.File{}} }

// attach makes a file of the size and returns the device that shows it.
func (d *disks) attach(path string, bytes int64) (device string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if earlier, attached := d.open[path]; attached {
		return earlier.Name(), nil
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := file.Truncate(bytes); err != nil {
		return "", err
	}
	opened, err := attach(file)
	if err != nil {
		return "", err
	}
	d.open[path] = opened
	return opened.Name(), nil
}

func attach(file *os.File) (*os.File, error) {
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = control.Close() }()
	for range attempts {
		number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, fmt.Errorf("a free loop device: %w", err)
		}
		device, err := os.OpenFile(fmt.Sprintf("/dev/loop%d", number), os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		settings := &unix.LoopConfig{Fd: uint32(file.Fd()), Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_AUTOCLEAR}}
		err = unix.IoctlLoopConfigure(int(device.Fd()), settings)
		if err == nil {
			return device, nil
		}
		_ = device.Close()
		if !errors.Is(err, unix.EBUSY) {
			return nil, fmt.Errorf("%s: %w", device.Name(), err)
		}
	}
	return nil, errors.New("every free loop device was taken before it could be used")
}

// detach lets go of a volume's device. It passes a volume that has none.
func (d *disks) detach(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	device, attached := d.open[path]
	if !attached {
		return nil
	}
	delete(d.open, path)
	return device.Close()
}
