package unit_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"

	"wordpress-on-kubernetes/components/storage"
)

// volumes are valid args of both volumes in existing classes.
func volumes(changes ...func(*storage.Args)) *storage.Args {
	args := &storage.Args{
		Namespace: namespaceInput, Instance: instance,
		Database:          &storage.VolumeArgs{StorageClass: "block", Size: quantity("20Gi")},
		Content:           &storage.VolumeArgs{StorageClass: "csi-cephfs", Size: quantity("2Gi")},
		ContentAccessMode: "ReadWriteMany",
	}
	for _, change := range changes {
		change(args)
	}
	return args
}

func withCephFS(a *storage.Args) {
	a.CephFS = &storage.CephFSArgs{Filesystem: "myfs", Namespace: "rook-ceph", OperatorNamespace: "rook-operator"}
}

func storageProgram(args *storage.Args) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		component, err := storage.New(ctx, "disks", args)
		if err != nil {
			return err
		}
		return expose(ctx, pulumi.StringMap{"database": component.DatabaseClaim, "content": component.ContentClaim})
	}
}

func claim(p planned, name string) corev1.PersistentVolumeClaimSpec {
	p.t.Helper()
	return get[corev1.PersistentVolumeClaim](p, "PersistentVolumeClaim", name).Spec
}

func TestClaimsAskForWhatIsConfigured(t *testing.T) {
	p := run(t, storageProgram(volumes()))
	p.wantObjects("PersistentVolumeClaim wordpress-content", "PersistentVolumeClaim wordpress-mysql-data")
	p.wantOutputs(map[string]string{"database": "wordpress-mysql-data", "content": "wordpress-content"})
	for name, want := range map[string]string{
		"wordpress-mysql-data": "block 20Gi [ReadWriteOnce]",
		"wordpress-content":    "csi-cephfs 2Gi [ReadWriteMany]",
	} {
		spec := claim(p, name)
		size := spec.Resources.Requests[corev1.ResourceStorage]
		if got := fmt.Sprint(*spec.StorageClassName, " ", size.String(), " ", spec.AccessModes); got != want {
			t.Errorf("%s asks for %s, want %s", name, got, want)
		}
	}
}

func TestNoClassMeansTheDefaultOneOfTheCluster(t *testing.T) {
	p := run(t, storageProgram(volumes(func(a *storage.Args) { a.Content.StorageClass = "" })))
	if class := claim(p, "wordpress-content").StorageClassName; class != nil {
		t.Errorf("the class is %q; an empty name would ask for a volume without a class", *class)
	}
}

func TestExternalDatabaseNeedsNoVolume(t *testing.T) {
	p := run(t, storageProgram(volumes(func(a *storage.Args) { a.Database = nil })))
	p.wantObjects("PersistentVolumeClaim wordpress-content")
	p.wantOutputs(map[string]string{"database": "", "content": "wordpress-content"})
}

// A namespace, a file system or a class that goes takes the volumes with it: all of them are protected, or none.
// What is not registered is neither owned nor deleted.
func TestExistingClaimsAreUsedByName(t *testing.T) {
	p := run(t, storageProgram(volumes(func(a *storage.Args) { a.Content.Existing, a.Database.Existing = "files", "data" })))
	p.wantObjects()
	p.wantOutputs(map[string]string{"content": "files", "database": "data"})

	p = run(t, storageProgram(volumes(func(a *storage.Args) { a.Content.Existing = "files" })))
	p.wantObjects("PersistentVolumeClaim wordpress-mysql-data")
	p.wantOutputs(map[string]string{"content": "files", "database": "wordpress-mysql-data"})
}

func TestProtectionCoversEveryObject(t *testing.T) {
	for _, protect := range []bool{true, false} {
		p := run(t, storageProgram(volumes(withCephFS, func(a *storage.Args) { a.Protect = protect })))
		for _, r := range p.registrations {
			ours := r.Custom && strings.Contains(r.URN, storage.Type)
			if ours && (r.Protect != protect || r.RetainOnDelete != protect) {
				t.Errorf("with protect %t, %s has protect %t and retainOnDelete %t", protect, r.Name, r.Protect, r.RetainOnDelete)
			}
		}
	}
}

func TestCephFSIsThatOfTheRequest(t *testing.T) {
	p := run(t, storageProgram(volumes(withCephFS)))
	p.wantObjects("CephFilesystem myfs", "StorageClass csi-cephfs",
		"PersistentVolumeClaim wordpress-content", "PersistentVolumeClaim wordpress-mysql-data")

	class := get[storagev1.StorageClass](p, "StorageClass", "csi-cephfs")
	want := map[string]string{
		"clusterID": "rook-ceph",
		"fsName":    "myfs",
		"pool":      "myfs-data0",
		"csi.storage.k8s.io/provisioner-secret-name":            "rook-csi-cephfs-provisioner",
		"csi.storage.k8s.io/provisioner-secret-namespace":       "rook-ceph",
		"csi.storage.k8s.io/controller-expand-secret-name":      "rook-csi-cephfs-provisioner",
		"csi.storage.k8s.io/controller-expand-secret-namespace": "rook-ceph",
		"csi.storage.k8s.io/node-stage-secret-name":             "rook-csi-cephfs-node",
		"csi.storage.k8s.io/node-stage-secret-namespace":        "rook-ceph",
	}
	if !maps.Equal(class.Parameters, want) {
		t.Errorf("got the parameters\n%v\nwant\n%v", class.Parameters, want)
	}
	if class.Provisioner != "rook-operator.cephfs.csi.ceph.com" || *class.ReclaimPolicy != corev1.PersistentVolumeReclaimRetain ||
		!*class.AllowVolumeExpansion {
		t.Errorf("got provisioner %s, policy %s and expansion %t, want Rook's, Retain and true",
			class.Provisioner, *class.ReclaimPolicy, *class.AllowVolumeExpansion)
	}
}

func TestCephFSKeepsThreeCopies(t *testing.T) {
	var filesystem struct {
		Metadata struct{ Namespace string }
		Spec     map[string]any
	}
	run(t, storageProgram(volumes(withCephFS))).into("CephFilesystem", "myfs", &filesystem)
	copies := map[string]any{"size": float64(3)}
	want := map[string]any{
		"metadataPool":               map[string]any{"replicated": copies},
		"dataPools":                  []any{map[string]any{"name": "data0", "replicated": copies}},
		"metadataServer":             map[string]any{"activeCount": float64(1), "activeStandby": true},
		"preserveFilesystemOnDelete": true,
	}
	if filesystem.Metadata.Namespace != "rook-ceph" || !reflect.DeepEqual(filesystem.Spec, want) {
		t.Errorf("got in %s\n%v\nwant in rook-ceph\n%v", filesystem.Metadata.Namespace, filesystem.Spec, want)
	}
}

func TestCephFSIsThereBeforeTheClaim(t *testing.T) {
	p := run(t, storageProgram(volumes(withCephFS)))
	for _, pair := range [][2]string{
		{"StorageClass csi-cephfs", "CephFilesystem myfs"},
		{"PersistentVolumeClaim wordpress-content", "StorageClass csi-cephfs"},
	} {
		later, earlier := strings.Fields(pair[0]), strings.Fields(pair[1])
		if !slices.Contains(p.registration(later[0], later[1]).DependsOn, p.registration(earlier[0], earlier[1]).URN) {
			t.Errorf("%s does not wait for %s", pair[0], pair[1])
		}
	}
	database := p.registration("PersistentVolumeClaim", "wordpress-mysql-data")
	if len(database.DependsOn) != 0 {
		t.Errorf("the database's claim waits for %q", database.DependsOn)
	}
}

func TestStorageRefusesIncompleteArgs(t *testing.T) {
	for name, row := range map[string]struct {
		spoil func(*storage.Args)
		want  string
	}{
		"no namespace":   {func(a *storage.Args) { a.Namespace = nil }, "namespace and instance are required"},
		"no instance":    {func(a *storage.Args) { a.Instance = "" }, "namespace and instance are required"},
		"no content":     {func(a *storage.Args) { a.Content = nil }, "content and its access mode are required"},
		"no access mode": {func(a *storage.Args) { a.ContentAccessMode = "" }, "content and its access mode are required"},
		"file system for a claim that exists": {
			func(a *storage.Args) { withCephFS(a); a.Content.Existing = "files" },
			"not for one that exists",
		},
		"no class": {
			func(a *storage.Args) { withCephFS(a); a.Content.StorageClass = "" },
			"needs the name of the content's storage class",
		},
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, storageProgram(volumes(row.spoil)), `storage "disks"`, row.want)
		})
	}
}
