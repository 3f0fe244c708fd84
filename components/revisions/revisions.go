// Package revisions keeps the files of earlier revisions for as long as there is a revision that needs them.
//
// A ConfigMap that is named after its content is retained when the program no longer has it, because the revision that mounts it can be
// rolled back to, and its pods may be started again at any time. Kubernetes keeps the revisions of a workload as objects, and deletes
// those beyond the workload's limit. Made owners of the files, they take them along: nothing here has to decide what is old.
package revisions

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"

	"wordpress-on-kubernetes/components/cluster"
)

// Files are the ConfigMaps of one workload that are named after their content.
type Files struct {
	// Namespace that they are in, and the label selector of the workload's objects.
	Namespace, Selector string
	// Name that they begin with, and Current, the one that the program has now: empty where it has none any more.
	Name, Current string
}

// revision of a workload, and the text of its pods' template.
type revision struct {
	owner    metav1.OwnerReference
	template string
}

func (r revision) mounts(file string) bool {
	return file != "" && strings.Contains(r.template, `"`+file+`"`)
}

// Keep gives each earlier file to the revisions that mount it, and removes those that no revision mounts. The current one belongs to
// nobody but the program, also after a name has come back.
func Keep(ctx context.Context, api kubernetes.Interface, files Files) error {
	list, err := api.CoreV1().ConfigMaps(files.Namespace).List(ctx, metav1.ListOptions{LabelSelector: files.Selector})
	if err != nil {
		return fmt.Errorf("files of earlier revisions: %w", err)
	}
	found := slices.DeleteFunc(list.Items, func(file corev1.ConfigMap) bool { return !files.named(file.Name) })
	if len(found) == 1 && found[0].Name == files.Current && len(found[0].OwnerReferences) == 0 {
		return nil
	}
	revisions, err := files.revisions(ctx, api)
	if err != nil {
		return fmt.Errorf("revisions that may be rolled back to: %w", err)
	}
	isThere := slices.ContainsFunc(found, func(file corev1.ConfigMap) bool { return file.Name == files.Current })
	if !isThere && slices.ContainsFunc(revisions, func(revision revision) bool { return revision.mounts(files.Current) }) {
		return fmt.Errorf("ConfigMap %s, which the pods run with, is gone, and new pods hang: `pulumi refresh` and `pulumi up` make it anew", files.Current)
	}
	for _, file := range found {
		if err := files.hand(ctx, api, file, revisions); err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("files of an earlier revision, ConfigMap %s: %w", file.Name, err)
		}
	}
	return nil
}

// Release takes a file from the revisions that it was handed to. One whose name has come back belongs to the program again: they would
// take it along when they go, while pods run with it.
func Release(ctx context.Context, api kubernetes.Interface, namespace, name string) error {
	err := retry.OnError(retry.DefaultBackoff, func(err error) bool { return !apierrors.IsForbidden(err) }, func() error {
		_, err := api.CoreV1().ConfigMaps(namespace).Patch(ctx, name, types.MergePatchType, []byte(`{"metadata":{"ownerReferences":null}}`),
			metav1.PatchOptions{FieldManager: cluster.Manager})
		return err
	})
	if err != nil {
		return fmt.Errorf("ConfigMap %s, which an earlier revision may have: %w", name, err)
	}
	return nil
}

// named reports whether a name is that of the files with some content.
func (f Files) named(name string) bool {
	digits, is := strings.CutPrefix(name, f.Name+"-")
	return is && digits != "" && strings.Trim(digits, "0123456789abcdef") == ""
}

// hand gives a file to its revisions.
func (f Files) hand(ctx context.Context, api kubernetes.Interface, file corev1.ConfigMap, revisions []revision) error {
	owners := []metav1.OwnerReference{}
	if file.Name != f.Current {
		for _, revision := range revisions {
			if revision.mounts(file.Name) {
				owners = append(owners, revision.owner)
			}
		}
		if len(owners) == 0 {
			unchanged := metav1.Preconditions{UID: &file.UID, ResourceVersion: &file.ResourceVersion}
			return api.CoreV1().ConfigMaps(f.Namespace).Delete(ctx, file.Name, metav1.DeleteOptions{Preconditions: &unchanged})
		}
	}
	if slices.EqualFunc(owners, file.OwnerReferences, func(a, b metav1.OwnerReference) bool { return a.UID == b.UID }) {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"ownerReferences": owners, "resourceVersion": file.ResourceVersion,
	}})
	if err != nil {
		return err
	}
	_, err = api.CoreV1().ConfigMaps(f.Namespace).Patch(ctx, file.Name, types.MergePatchType, patch,
		metav1.PatchOptions{FieldManager: cluster.Manager})
	return err
}

// revisions are those that Kubernetes keeps of Deployments and StatefulSets, and Jobs, which a CronJob made when it was another one.
func (f Files) revisions(ctx context.Context, api kubernetes.Interface) ([]revision, error) {
	options := metav1.ListOptions{LabelSelector: f.Selector}
	sets, err := api.AppsV1().ReplicaSets(f.Namespace).List(ctx, options)
	if err != nil {
		return nil, err
	}
	kept, err := api.AppsV1().ControllerRevisions(f.Namespace).List(ctx, options)
	if err != nil {
		return nil, err
	}
	jobs, err := api.BatchV1().Jobs(f.Namespace).List(ctx, options)
	if err != nil {
		return nil, err
	}
	var found []revision
	for _, set := range sets.Items {
		template, err := json.Marshal(set.Spec.Template)
		if err != nil {
			return nil, err
		}
		found = append(found, revision{ownerOf("apps/v1", "ReplicaSet", set.ObjectMeta), string(template)})
	}
	for _, state := range kept.Items {
		found = append(found, revision{ownerOf("apps/v1", "ControllerRevision", state.ObjectMeta), string(state.Data.Raw)})
	}
	for _, job := range jobs.Items {
		template, err := json.Marshal(job.Spec.Template)
		if err != nil {
			return nil, err
		}
		found = append(found, revision{ownerOf("batch/v1", "Job", job.ObjectMeta), string(template)})
	}
	return found, nil
}

func ownerOf(version, kind string, object metav1.ObjectMeta) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: version, Kind: kind, Name: object.Name, UID: object.UID}
}
