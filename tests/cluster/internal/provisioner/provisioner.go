// Package provisioner makes the volumes of the local cluster's two storage classes: folders on the host's disk. All
// nodes see the same folders, so a volume can be read and written from several nodes at once.
package provisioner

import (
	"context"
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

// emptyFilesystem is the storage class parameter that makes a volume look like a freshly formatted block device.
const emptyFilesystem = "emptyFilesystem"

// Start provisions volumes below folder until ctx ends.
func Start(ctx context.Context, client kubernetes.Interface, folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("folder of the volumes: %w", err)
	}
	c := controller.NewProvisionController(klog.FromContext(ctx), client, Name, directories{folder},
		controller.LeaderElection(false))
	go c.Run(ctx)
	return nil
}

// directories makes each volume as a folder below its own.
type directories struct{ folder string }

// Provision implements controller.Provisioner.
func (d directories) Provision(_ context.Context, o controller.ProvisionOptions) (*corev1.PersistentVolume, controller.ProvisioningState, error) {
	path := filepath.Join(d.folder, o.PVName)
	if err := makeVolume(path, o.StorageClass.Parameters[emptyFilesystem] == "ext4"); err != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("volume %s: %w", o.PVName, err)
	}
	return volume(path, o), controller.ProvisioningFinished, nil
}

// Delete implements controller.Provisioner.
func (d directories) Delete(_ context.Context, v *corev1.PersistentVolume) error {
	return os.RemoveAll(filepath.Join(d.folder, v.Name))
}

func makeVolume(path string, likeExt4 bool) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	if !likeExt4 {
		return nil
	}
	// A database that is given the volume's root finds it "not empty" in production; so it does here.
	return os.MkdirAll(filepath.Join(path, "lost+found"), 0o700)
}

// volume describes the folder as a local volume, not as a host path: the kubelet gives a local volume the pod's
// group, as it does for the volumes of production, and refuses to for a host path.
func volume(path string, o controller.ProvisionOptions) *corev1.PersistentVolume {
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: o.PVName},
		Spec: corev1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *o.StorageClass.ReclaimPolicy,
			AccessModes:                   o.PVC.Spec.AccessModes,
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: o.PVC.Spec.Resources.Requests[corev1.ResourceStorage]},
			PersistentVolumeSource:        corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: path}},
			NodeAffinity:                  everyNode(),
		},
	}
}

// everyNode is the affinity that a local volume must have; the folder is on all nodes.
func everyNode() *corev1.VolumeNodeAffinity {
	linux := corev1.NodeSelectorRequirement{Key: corev1.LabelOSStable, Operator: corev1.NodeSelectorOpIn, Values: []string{"linux"}}
	return &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{
		NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{linux}}},
	}}
}
