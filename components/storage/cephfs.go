package storage

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	storagev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/storage/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/labels"
)

// cephReplicas is the number of copies in each pool: with three, a write survives the loss of a node while
// another one is down for maintenance.
const cephReplicas = 3

// The Secrets that Rook makes for its CephFS CSI driver in the namespace of the Rook cluster.
const (
	provisionerSecret = "rook-csi-cephfs-provisioner"
	nodeSecret        = "rook-csi-cephfs-node"
)

// newCephFS registers the CephFilesystem and, on top of it, the StorageClass that the content claim names.
func newCephFS(
	ctx *pulumi.Context, name string, args *Args, opts []pulumi.ResourceOption,
) (*storagev1.StorageClass, error) {
	set := labels.Set{Name: "cephfs", Component: "storage", Instance: args.Instance}
	filesystem, err := apiextensions.NewCustomResource(ctx, name+"-cephfs", filesystemArgs(args.CephFS, set), opts...)
	if err != nil {
		return nil, fmt.Errorf("ceph file system: %w", err)
	}
	opts = append(slices.Clone(opts), pulumi.DependsOn([]pulumi.Resource{filesystem}))
	class, err := storagev1.NewStorageClass(ctx, name+"-class",
		classArgs(args.CephFS, args.Content.StorageClass, set), opts...)
	if err != nil {
		return nil, fmt.Errorf("storage class: %w", err)
	}
	return class, nil
}

// filesystemArgs is a file system of two replicated pools with one active metadata server and a standby
// that follows it.
func filesystemArgs(args *CephFSArgs, set labels.Set) *apiextensions.CustomResourceArgs {
	pool := map[string]any{"replicated": map[string]any{"size": cephReplicas}}
	return &apiextensions.CustomResourceArgs{
		ApiVersion: pulumi.String("ceph.rook.io/v1"),
		Kind:       pulumi.String("CephFilesystem"),
		Metadata: &metav1.ObjectMetaArgs{
			Name:      pulumi.String(args.Filesystem),
			Namespace: pulumi.String(args.Namespace),
			Labels:    set.All(),
			// Rook reports Ready once the metadata servers run; a claim before that would wait all the same.
			Annotations: pulumi.StringMap{"pulumi.com/waitFor": pulumi.String("jsonpath={.status.phase}=Ready")},
		},
		OtherFields: kubernetes.UntypedArgs{
			"spec": map[string]any{
				"metadataPool": pool,
				// Rook names a data pool after its file system, so data0 makes <filesystem>-data0.
				"dataPools": []any{map[string]any{
					"name": "data0", "replicated": map[string]any{"size": cephReplicas},
				}},
				// The files outlive the object that describes them.
				"preserveFilesystemOnDelete": true,
				"metadataServer":             map[string]any{"activeCount": 1, "activeStandby": true},
			},
		},
	}
}

func classArgs(args *CephFSArgs, name string, set labels.Set) *storagev1.StorageClassArgs {
	parameters := pulumi.StringMap{
		"clusterID": pulumi.String(args.Namespace),
		"fsName":    pulumi.String(args.Filesystem),
		"pool":      pulumi.String(args.Filesystem + "-data0"),
	}
	for use, secret := range map[string]string{
		"provisioner":       provisionerSecret,
		"controller-expand": provisionerSecret,
		"node-stage":        nodeSecret,
	} {
		parameters["csi.storage.k8s.io/"+use+"-secret-name"] = pulumi.String(secret)
		parameters["csi.storage.k8s.io/"+use+"-secret-namespace"] = pulumi.String(args.Namespace)
	}
	return &storagev1.StorageClassArgs{
		Metadata:             &metav1.ObjectMetaArgs{Name: pulumi.String(name), Labels: set.All()},
		Provisioner:          pulumi.String(args.OperatorNamespace + ".cephfs.csi.ceph.com"),
		Parameters:           parameters,
		ReclaimPolicy:        pulumi.String("Retain"),
		AllowVolumeExpansion: pulumi.Bool(true),
	}
}
