package provisioner

import (
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v10/controller"
)

func options(parameters map[string]string) controller.ProvisionOptions {
	policy := corev1.PersistentVolumeReclaimDelete
	claim := &corev1.PersistentVolumeClaim{}
	claim.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}
	claim.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("2Gi")}
	return controller.ProvisionOptions{
		StorageClass: &storagev1.StorageClass{ReclaimPolicy: &policy, Parameters: parameters},
		PVName:       "pvc-1",
		PVC:          claim,
	}
}

func TestAVolumeLivesFromProvisionToDelete(t *testing.T) {
	folder := t.TempDir()
	volume, _, err := directories{folder}.Provision(t.Context(), options(nil))
	if err != nil {
		t.Fatal(err)
	}
	if volume.Spec.Local == nil || volume.Spec.Local.Path != filepath.Join(folder, "pvc-1") {
		t.Fatalf("source %+v, want a local volume, whose group the kubelet sets", volume.Spec.PersistentVolumeSource)
	}
	if size := volume.Spec.Capacity[corev1.ResourceStorage]; size.String() != "2Gi" {
		t.Errorf("capacity %s", size.String())
	}
	if err := os.WriteFile(filepath.Join(volume.Spec.Local.Path, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (directories{folder}).Delete(t.Context(), volume); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(folder)
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestABlockVolumeIsNotEmpty(t *testing.T) {
	folder := t.TempDir()
	volume, _, err := directories{folder}.Provision(t.Context(), options(map[string]string{emptyFilesystem: "ext4"}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(volume.Spec.Local.Path, "lost+found")); err != nil {
		t.Error(err)
	}
}
