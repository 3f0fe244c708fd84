package revisions

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
)

const selector = "app=site"

func meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: "site", UID: types.UID("uid of " + name), Labels: map[string]string{"app": "site"}}
}

func file(name string, owners ...string) *corev1.ConfigMap {
	object := &corev1.ConfigMap{ObjectMeta: meta(name)}
	for _, owner := range owners {
		object.OwnerReferences = append(object.OwnerReferences, metav1.OwnerReference{
			APIVersion: "apps/v1", Kind: "ReplicaSet", Name: owner, UID: meta(owner).UID,
		})
	}
	return object
}

func set(name, file string) *appsv1.ReplicaSet {
	volume := corev1.Volume{VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: file},
	}}}
	template := corev1.PodTemplateSpec{Spec: corev1.PodSpec{Volumes: []corev1.Volume{volume}}}
	return &appsv1.ReplicaSet{ObjectMeta: meta(name), Spec: appsv1.ReplicaSetSpec{Template: template}}
}

func job(name, file string) *batchv1.Job {
	return &batchv1.Job{ObjectMeta: meta(name), Spec: batchv1.JobSpec{Template: set(name, file).Spec.Template}}
}

func state(name, file string) *appsv1.ControllerRevision {
	text := `{"spec":{"template":{"spec":{"volumes":[{"configMap":{"name":"` + file + `"}}]}}}}`
	return &appsv1.ControllerRevision{ObjectMeta: meta(name), Data: runtime.RawExtension{Raw: []byte(text)}}
}

// owners of each file that is left.
func owners(t *testing.T, api *fake.Clientset) map[string][]string {
	t.Helper()
	list, err := api.CoreV1().ConfigMaps("site").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, file := range list.Items {
		found[file.Name] = []string{}
		for _, owner := range file.OwnerReferences {
			if version := map[string]string{"Job": "batch/v1"}[owner.Kind]; owner.APIVersion != cmp.Or(version, "apps/v1") || owner.UID != meta(owner.Name).UID {
				t.Errorf("%s is owned by %v", file.Name, owner)
			}
			found[file.Name] = append(found[file.Name], owner.Kind+" "+owner.Name)
		}
		slices.Sort(found[file.Name])
	}
	return found
}

func TestFilesBelongToTheRevisionsThatMountThem(t *testing.T) {
	cases := map[string]struct {
		objects []runtime.Object
		want    map[string][]string
	}{
		"the current one belongs to nobody": {
			objects: []runtime.Object{file("site-0c"), set("new", "site-0c")},
			want:    map[string][]string{"site-0c": {}},
		},
		"an earlier one to all its revisions": {
			objects: []runtime.Object{file("site-0c"), file("site-0a"), set("new", "site-0c"), set("a", "site-0a"), set("b", "site-0a")},
			want:    map[string][]string{"site-0c": {}, "site-0a": {"ReplicaSet a", "ReplicaSet b"}},
		},
		"a Job that an earlier CronJob made counts": {
			objects: []runtime.Object{file("site-0c"), file("site-0a"), job("night", "site-0a")},
			want:    map[string][]string{"site-0c": {}, "site-0a": {"Job night"}},
		},
		"a revision of a StatefulSet counts": {
			objects: []runtime.Object{file("site-0c"), file("site-0a"), state("a", "site-0a")},
			want:    map[string][]string{"site-0c": {}, "site-0a": {"ControllerRevision a"}},
		},
		"one that no revision mounts goes": {
			objects: []runtime.Object{file("site-0c"), file("site-0a"), set("new", "site-0c")},
			want:    map[string][]string{"site-0c": {}},
		},
		"a name that came back belongs to nobody again": {
			objects: []runtime.Object{file("site-0c", "old"), set("old", "site-0c")},
			want:    map[string][]string{"site-0c": {}},
		},
		"other names are others'": {
			objects: []runtime.Object{file("site-0c"), file("site-notes"), file("site-mysql-0a"), file("site"), file("sites-0a")},
			want:    map[string][]string{"site-0c": {}, "site-notes": {}, "site-mysql-0a": {}, "site": {}, "sites-0a": {}},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			api := fake.NewClientset(c.objects...)
			for range 2 { // again changes nothing
				if err := Keep(t.Context(), api, Files{Namespace: "site", Selector: selector, Name: "site", Current: "site-0c"}); err != nil {
					t.Fatal(err)
				}
				got := owners(t, api)
				if len(got) != len(c.want) {
					t.Fatalf("got the files %v, want %v", got, c.want)
				}
				for name, want := range c.want {
					if !slices.Equal(got[name], want) {
						t.Errorf("%s belongs to %q, want %q", name, got[name], want)
					}
				}
			}
		})
	}
}

// The revision that it was handed to would take it along before the pods that run with it are looked after.
func TestNameThatCameBackIsReleasedAtOnce(t *testing.T) {
	api := fake.NewClientset(file("site-0c", "old"))
	if err := Release(t.Context(), api, "site", "site-0c"); err != nil {
		t.Fatal(err)
	}
	if got := owners(t, api)["site-0c"]; len(got) > 0 {
		t.Errorf("it belongs to %q", got)
	}
}

func TestMissingFilesAreTold(t *testing.T) {
	err := Keep(t.Context(), fake.NewClientset(file("site-0a"), set("new", "site-0c")), Files{Namespace: "site", Selector: selector, Name: "site", Current: "site-0c"})
	if err == nil || !strings.Contains(err.Error(), "ConfigMap site-0c, which the pods run with, is gone") {
		t.Errorf("got the error %v", err)
	}
}

// A site that goes to a server of somebody else's has no files of one any more.
func TestFilesOfAServerThatIsNoMoreGo(t *testing.T) {
	api := fake.NewClientset(file("site-0a"))
	if err := Keep(t.Context(), api, Files{Namespace: "site", Selector: selector, Name: "site"}); err != nil {
		t.Fatal(err)
	}
	if left := owners(t, api); len(left) > 0 {
		t.Errorf("there are still %v", left)
	}
}

func TestOneFileIsNoWork(t *testing.T) {
	api := fake.NewClientset(file("site-0c"))
	if err := Keep(t.Context(), api, Files{Namespace: "site", Selector: selector, Name: "site", Current: "site-0c"}); err != nil {
		t.Fatal(err)
	}
	if len(api.Actions()) != 1 {
		t.Errorf("%d questions, want one", len(api.Actions()))
	}
}
