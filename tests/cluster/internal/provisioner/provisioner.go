// Package provisioner makes the volumes of the local cluster's storage classes on the host's disk. All nodes see the same folders and
// devices, so a volume can be read and written from several nodes at once.
package provisioner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v10/controller"
)

// Name is the provisioner that the storage classes name.
const Name = "local.wordpress/directory"

// Start provisions volumes below folder until ctx ends.
func Start(ctx context.Context, client kubernetes.Interface, folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("folder of the volumes: %w", err)
	}
	c := controller.NewProvisionController(klog.FromContext(ctx), client, Name, newVolumes(folder),
		controller.LeaderElection(false))
	go c.Run(ctx)
	return nil
}

// volumes makes each volume as a folder, or as a disk, below its own folder.
type volumes struct {
	folder string
	disks  *disks
}

func newVolumes(folder string) volumes { return volumes{folder, newDisks()} }

// Provision implements controller.Provisioner.
func (v volumes) Provision(_ context.Context, o controller.ProvisionOptions) (*corev1.PersistentVolume, controller.ProvisioningState, error) {
	kind, err := kindOf(o.StorageClass.Parameters)
	if err != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("storage class %s: %w", o.StorageClass.Name, err)
	}
	source, err := v.make(o.PVName, kind, o.PVC.Spec.Resources.Requests.Storage().Value())
	if err != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("volume %s: %w", o.PVName, err)
	}
	return volume(source, o), controller.ProvisioningFinished, nil
}

// Delete implements controller.Provisioner.
func (v volumes) Delete(_ context.Context, volume *corev1.PersistentVolume) error {
	path := filepath.Join(v.folder, volume.Name)
	return errors.Join(v.disks.detach(path), os.RemoveAll(path))
}

func (v volumes) make(name string, kind kind, bytes int64) (corev1.PersistentVolumeSource, error) {
	path := filepath.Join(v.folder, name)
	if kind.isDisk {
		device, err := v.disks.attach(path, bytes)
		// The kubelet puts a file system on a device that has none, and mounts it.
		return corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: device, FSType: new("ext4")}}, err
	}
	if err := makeFolder(path, kind); err != nil {
		return corev1.PersistentVolumeSource{}, err
	}
	if kind.ignoresGroup {
		isFolder := corev1.HostPathDirectory
		return corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: path, Type: &isFolder}}, nil
	}
	return corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: path}}, nil
}

func makeFolder(path string, kind kind) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	if kind.likeExt4 {
		// A database that is given the volume's root finds it "not empty" in production; so it does here.
		if err := os.MkdirAll(filepath.Join(path, "lost+found"), 0o700); err != nil {
			return err
		}
	}
	return os.Chown(path, kind.owner.user, kind.owner.group)
}

func volume(source corev1.PersistentVolumeSource, o controller.ProvisionOptions) *corev1.PersistentVolume {
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: o.PVName},
		Spec: corev1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *o.StorageClass.ReclaimPolicy,
			AccessModes:                   o.PVC.Spec.AccessModes,
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: o.PVC.Spec.Resources.Requests[corev1.ResourceStorage]},
			PersistentVolumeSource:        source,
			NodeAffinity:                  everyNode(),
		},
	}
}

// everyNode is the affinity that a local volume must have; what is behind it is on all nodes.
func everyNode() *corev1.VolumeNodeAffinity {
	linux := corev1.NodeSelectorRequirement{Key: corev1.LabelOSStable, Operator: corev1.NodeSelectorOpIn, Values: []string{"linux"}}
	return &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{
		NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{linux}}},
	}}
}
