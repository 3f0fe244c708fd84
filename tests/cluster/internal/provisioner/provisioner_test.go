package provisioner

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v10/controller"
)

func options(parameters map[string]string) controller.ProvisionOptions {
	policy := corev1.PersistentVolumeReclaimDelete
	claim := &corev1.PersistentVolumeClaim{}
	claim.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}
	claim.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("64Mi")}
	return controller.ProvisionOptions{
		StorageClass: &storagev1.StorageClass{ReclaimPolicy: &policy, Parameters: parameters},
		PVName:       "pvc-1",
		PVC:          claim,
	}
}

func provision(t *testing.T, v volumes, parameters map[string]string) *corev1.PersistentVolume {
	t.Helper()
	volume, _, err := v.Provision(t.Context(), options(parameters))
	if err != nil {
		t.Fatal(err)
	}
	return volume
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, as the cluster does")
	}
}

func TestAVolumeLivesFromProvisionToDelete(t *testing.T) {
	needRoot(t)
	v := newVolumes(t.TempDir())
	volume := provision(t, v, nil)
	if volume.Spec.Local == nil || volume.Spec.Local.Path != filepath.Join(v.folder, "pvc-1") {
		t.Fatalf("source %+v, want a local volume, whose group the kubelet sets", volume.Spec.PersistentVolumeSource)
	}
	if size := volume.Spec.Capacity[corev1.ResourceStorage]; size.String() != "64Mi" {
		t.Errorf("capacity %s", size.String())
	}
	if err := os.WriteFile(filepath.Join(volume.Spec.Local.Path, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	deletes(t, v, volume)
}

func deletes(t *testing.T, v volumes, volume *corev1.PersistentVolume) {
	t.Helper()
	if err := v.Delete(t.Context(), volume); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(v.folder)
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestABlockVolumeIsNotEmpty(t *testing.T) {
	needRoot(t)
	volume := provision(t, newVolumes(t.TempDir()), map[string]string{"emptyFilesystem": "ext4"})
	if _, err := os.Stat(filepath.Join(volume.Spec.Local.Path, "lost+found")); err != nil {
		t.Error(err)
	}
}

func TestAVolumeThatIgnoresTheGroupKeepsItsOwner(t *testing.T) {
	needRoot(t)
	for text, want := range map[string]owner{"": {}, "12033:12044": {12033, 12044}} {
		parameters := map[string]string{"fsGroup": "ignored"}
		if text != "" {
			parameters["owner"] = text
		}
		volume := provision(t, newVolumes(t.TempDir()), parameters)
		if volume.Spec.HostPath == nil {
			t.Fatalf("source %+v, want a host path, whose group the kubelet leaves alone", volume.Spec.PersistentVolumeSource)
		}
		found, err := os.Stat(volume.Spec.HostPath.Path)
		if err != nil {
			t.Fatal(err)
		}
		is := found.Sys().(*syscall.Stat_t)
		if (owner{int(is.Uid), int(is.Gid)}) != want || found.Mode().Perm() != 0o755 {
			t.Errorf("the volume of %q belongs to %d:%d with mode %o", text, is.Uid, is.Gid, found.Mode().Perm())
		}
	}
}

func TestADiskHasItsSizeAndEndsWithItsVolume(t *testing.T) {
	needRoot(t)
	if _, err := os.Stat("/dev/loop-control"); errors.Is(err, fs.ErrNotExist) {
		t.Skip("this machine has no loop devices")
	}
	v := newVolumes(t.TempDir())
	volume := provision(t, v, map[string]string{"disk": "ext4"})
	if again := provision(t, v, map[string]string{"disk": "ext4"}); again.Spec.Local.Path != volume.Spec.Local.Path {
		t.Errorf("provisioned again, the volume is at %s and not at %s", again.Spec.Local.Path, volume.Spec.Local.Path)
	}
	device, err := os.Open(volume.Spec.Local.Path)
	if err != nil {
		t.Fatal(err)
	}
	size, err := device.Seek(0, 2)
	if err != nil || size != 64<<20 {
		t.Errorf("the device has %d bytes, %v", size, err)
	}
	if err := device.Close(); err != nil {
		t.Fatal(err)
	}
	deletes(t, v, volume)
	if device, err = os.Open(volume.Spec.Local.Path); err == nil {
		defer func() { _ = device.Close() }()
		if backing, err := unix.IoctlLoopGetStatus64(int(device.Fd())); err == nil && string(backing.File_name[:len(v.folder)]) == v.folder {
			t.Errorf("%s still shows the volume", device.Name())
		}
	}
}

func TestUnknownParametersAreRefused(t *testing.T) {
	for name, value := range map[string]string{"emptyFilesystem": "xfs", "fsGroup": "kept", "disk": "", "owner": "root", "size": "1Gi"} {
		if _, err := kindOf(map[string]string{name: value}); err == nil {
			t.Errorf("%s: %s is accepted", name, value)
		}
	}
}
