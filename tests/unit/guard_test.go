package unit_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/guard"
	"wordpress-on-kubernetes/components/plan"
)

const owner = "wordpress/dev/SEAL"

var (
	space  = guard.Object{APIVersion: "v1", Kind: "Namespace", Name: "site"}
	secret = guard.Object{APIVersion: "v1", Kind: "Secret", Namespace: "site", Name: "wordpress-auth"}
	files  = guard.Object{APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: "site", Name: "wordpress-content"}
	class  = guard.Object{APIVersion: "storage.k8s.io/v1", Kind: "StorageClass", Name: "csi-cephfs"}
)

// world is a cluster by what is in it.
type world struct {
	objects map[guard.Object]*guard.Found
	silence error

	mu    sync.Mutex
	asked []guard.Object
	told  []string
}

func (w *world) lookup(object guard.Object) (*guard.Found, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, object)
	return w.objects[object], w.silence
}

// watch of stack dev of project wordpress, with hooks that nobody calls.
func (w *world) watch(t *testing.T, preview bool, change func(*guard.Args)) *guard.Watch {
	t.Helper()
	args := guard.Args{
		Project: "wordpress", Stack: "dev", Preview: preview, Lookup: w.lookup,
		Planned: []guard.Object{space, secret, files, class}, Tell: func(message string) { w.told = append(w.told, message) },
	}
	if change != nil {
		change(&args)
	}
	watch, err := guard.New(hooks{}, args)
	if err != nil {
		t.Fatal(err)
	}
	return watch
}

// hooks takes the place of the engine's registration.
type hooks struct{}

func (hooks) RegisterResourceHook(
	name string, callback pulumi.ResourceHookFunction, options *pulumi.ResourceHookOptions,
) (*pulumi.ResourceHook, error) {
	if !options.OnDryRun || options.IgnoreErrors {
		return nil, fmt.Errorf("hook %s does not refuse at a preview", name)
	}
	return &pulumi.ResourceHook{Name: name, Callback: callback}, nil
}

func marked(by string) *guard.Found {
	return &guard.Found{Annotations: map[string]string{guard.Annotation: by}}
}

func labelled(pairs ...string) *guard.Found {
	labels := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		labels["app.kubernetes.io/"+pairs[i]] = pairs[i+1]
	}
	return &guard.Found{Labels: labels}
}

// earlier is an object of this program from before there was a mark.
func earlier(stack string) *guard.Found {
	return labelled("managed-by", "pulumi", "part-of", "wordpress", "instance", stack)
}

// creation is what the engine asks with.
func creation(object guard.Object, by resource.PropertyValue) *pulumi.ResourceHookArgs {
	return &pulumi.ResourceHookArgs{NewInputs: resource.PropertyMap{
		"apiVersion": resource.NewProperty(object.APIVersion), "kind": resource.NewProperty(object.Kind),
		"metadata": resource.MakeSecret(resource.NewProperty(resource.PropertyMap{
			"name": resource.NewProperty(object.Name), "namespace": resource.NewProperty(object.Namespace),
			"annotations": resource.NewProperty(resource.PropertyMap{guard.Annotation: by}),
		})),
	}}
}

// wantRefusal passes with no texts where nothing may be refused.
func wantRefusal(t *testing.T, err error, texts ...string) {
	t.Helper()
	if (err != nil) != (len(texts) > 0) {
		t.Errorf("got the error %v, want one with %q", err, texts)
		return
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("got the error %q, want %q in it", err, text)
		}
	}
}

// A state that owns nothing finds everything of others' at once.
func TestFreshStateTakesNothingOver(t *testing.T) {
	for name, row := range map[string]struct {
		there map[guard.Object]*guard.Found
		want  []string
	}{
		"nothing": {},
		"a stranger's namespace": {map[guard.Object]*guard.Found{space: {}},
			[]string{"Namespace site, made by somebody who does not say so", "wordpress:createNamespace: false"}},
		"another stack's": {map[guard.Object]*guard.Found{space: marked("wordpress/prod/OTHER")},
			[]string{"Namespace site, made by stack prod of project wordpress"}},
		"that of a namesake": {map[guard.Object]*guard.Found{space: marked("wordpress/dev/OTHER")},
			[]string{"made by a stack of the same name from another state"}},
		"that of a namesake of before": {map[guard.Object]*guard.Found{space: earlier("dev")},
			[]string{"made by a stack called dev, by an earlier version"}},
		"Helm's": {map[guard.Object]*guard.Found{space: {Annotations: map[string]string{"meta.helm.sh/release-name": "shop"}}},
			[]string{`made by Helm, release "shop"`}},
		"somebody's who says so":        {map[guard.Object]*guard.Found{class: labelled("managed-by", "argocd", "instance", "ceph")}, []string{"StorageClass csi-cephfs, managed by argocd, instance ceph", "wordpress:storage.cephfs.create: false"}},
		"on its way out":                {map[guard.Object]*guard.Found{space: {Leaving: true}}, []string{"and being deleted"}},
		"a mark that is no mark":        {map[guard.Object]*guard.Found{space: marked("a/b\n/c")}, []string{"somebody who does not say so"}},
		"what is in the made namespace": {map[guard.Object]*guard.Found{secret: {}}, nil},
		"both of what lies outside":     {map[guard.Object]*guard.Found{space: {}, class: {}}, []string{"Namespace site", "StorageClass csi-cephfs"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, preview := range []bool{true, false} {
				w := &world{objects: row.there}
				wantRefusal(t, w.watch(t, preview, nil).Begin(), row.want...)
			}
		})
	}
}

// In a namespace that is there already, each object is looked for.
func TestFreshStateLooksInANamespaceOfOthers(t *testing.T) {
	w := &world{objects: map[guard.Object]*guard.Found{secret: {}, files: marked("wordpress/dev/KEPT")}}
	err := w.watch(t, false, func(a *guard.Args) { a.Planned = []guard.Object{secret, files} }).Begin()
	wantRefusal(t, err, "Secret site/wordpress-auth", "PersistentVolumeClaim site/wordpress-content", "storage.content.existingClaim",
		"delete what nobody needs")
}

// ConfigMaps are named after their content: those that a destroy left are what this stack would make.
func TestFilesThatADestroyLeftAreTakenUp(t *testing.T) {
	left := guard.Object{APIVersion: "v1", Kind: "ConfigMap", Namespace: "site", Name: "wordpress-0a1b2c3d4e"}
	for mark, want := range map[string][]string{
		"wordpress/dev/KEPT":  nil,
		"wordpress/prod/KEPT": {"ConfigMap site/wordpress-0a1b2c3d4e, made by stack prod"},
		"shop/dev/KEPT":       {"ConfigMap site/wordpress-0a1b2c3d4e, made by stack dev of project shop"},
		"":                    {"somebody who does not say so"},
	} {
		w := &world{objects: map[guard.Object]*guard.Found{left: marked(mark)}}
		watch := w.watch(t, false, func(a *guard.Args) { a.Planned = []guard.Object{left} })
		wantRefusal(t, watch.Begin(), want...)
		wantRefusal(t, watch.Create(creation(left, resource.NewProperty(owner))), want...)
	}
}

func TestObjectIsNotCreatedOverAnother(t *testing.T) {
	own, unknown := resource.NewProperty(owner), resource.MakeComputed(resource.NewProperty(""))
	for name, row := range map[string]struct {
		there   *guard.Found
		by      resource.PropertyValue
		preview bool
		refused bool
	}{
		"nothing is there":                            {nil, own, false, false},
		"a stranger's":                                {&guard.Found{}, own, false, true},
		"a stranger's, at preview":                    {&guard.Found{}, own, true, true},
		"a namesake's from another state":             {marked("wordpress/dev/OTHER"), own, false, true},
		"a namesake's from another state, at preview": {marked("wordpress/dev/OTHER"), own, true, true},
		"its own, of an update that was cut off":      {marked(owner), own, false, false},
		"its own, of the stack's former name":         {marked("wordpress/test/SEAL"), own, false, false},
		"its own to be replaced, at preview":          {marked(owner), own, true, false},
		"a mark, while its own is not known":          {marked(owner), unknown, true, true},
		"its own or a namesake's of before a mark":    {earlier("dev"), own, true, false},
		"the same, when it would be overwritten":      {earlier("dev"), own, false, true},
		"another stack's of before a mark":            {earlier("prod"), own, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{objects: map[guard.Object]*guard.Found{secret: row.there}}
			err := w.watch(t, row.preview, nil).Create(creation(secret, row.by))
			if row.refused {
				wantRefusal(t, err, "Secret site/wordpress-auth", "docs/operations.md")
			} else {
				wantRefusal(t, err)
			}
		})
	}
}

// A name that is not known yet cannot be looked for; it is so at a preview alone.
func TestUnknownNameIsNotLookedFor(t *testing.T) {
	w := &world{}
	args := creation(secret, resource.NewProperty(owner))
	args.NewInputs["metadata"] = resource.MakeComputed(resource.NewProperty(""))
	wantRefusal(t, w.watch(t, true, nil).Create(args))
	if len(w.asked) > 0 {
		t.Errorf("%v is looked for", w.asked)
	}
}

// A preview needs no cluster; an update does not go on blindly.
func TestClusterThatDoesNotAnswer(t *testing.T) {
	silent := func() *world { return &world{silence: errors.New("connection refused")} }
	claim := func(a *guard.Args) { a.Named = []guard.Named{{Object: files, Setting: "the setting"}} }
	for _, preview := range []bool{true, false} {
		for _, err := range []error{
			silent().watch(t, preview, nil).Begin(),
			silent().watch(t, preview, nil).Create(creation(secret, resource.NewProperty(owner))),
			silent().watch(t, preview, claim).Admit(owner),
		} {
			if preview {
				wantRefusal(t, err)
			} else {
				wantRefusal(t, err, "cannot be looked up", "connection refused")
			}
		}
	}
}

func TestNamedObjectsAreJudged(t *testing.T) {
	shared := &guard.Found{AccessModes: []string{"ReadWriteOnce", "ReadWriteMany"}}
	for name, row := range map[string]struct {
		there *guard.Found
		later bool
		want  []string
		told  string
	}{
		"as wanted":               {there: shared},
		"kept by a stack of old":  {there: &guard.Found{AccessModes: shared.AccessModes, Annotations: map[string]string{guard.Annotation: "wordpress/dev/OLD"}}},
		"not there":               {want: []string{"PersistentVolumeClaim site/wordpress-content, named by the setting, is not there"}},
		"not there yet":           {later: true, told: "is not there yet"},
		"on its way out":          {there: &guard.Found{AccessModes: shared.AccessModes, Leaving: true}, want: []string{"is being deleted"}},
		"for one node alone":      {there: &guard.Found{AccessModes: []string{"ReadWriteOnce"}}, want: []string{"offers ReadWriteOnce and not ReadWriteMany"}},
		"the stack's own":         {there: &guard.Found{AccessModes: shared.AccessModes, Annotations: map[string]string{guard.Annotation: owner}}, want: []string{"is this stack's own, which would delete it"}},
		"its own of another name": {there: marked("wordpress/former/SEAL"), want: []string{"is this stack's own"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{objects: map[guard.Object]*guard.Found{files: row.there}}
			named := guard.Named{Object: files, Setting: "the setting", AccessMode: "ReadWriteMany", Later: row.later}
			wantRefusal(t, w.watch(t, false, func(a *guard.Args) { a.Named = []guard.Named{named} }).Admit(owner), row.want...)
			if told := strings.Join(w.told, "\n"); !strings.Contains(told, row.told) || row.told == "" && told != "" {
				t.Errorf("told %q, want %q", told, row.told)
			}
		})
	}
}

// What a namespace of others lacks is said with the command that its owner may run, and is no reason to stop.
func TestLabelsOfAnExistingNamespaceAreSaid(t *testing.T) {
	w := &world{objects: map[guard.Object]*guard.Found{space: {Labels: map[string]string{"enforce": "baseline", "warn": "restricted"}}}}
	named := guard.Named{Object: space, Setting: "the setting", Labels: map[string]string{"enforce": "restricted", "audit": "restricted", "warn": "restricted"}}
	wantRefusal(t, w.watch(t, true, func(a *guard.Args) { a.Named = []guard.Named{named} }).Admit(owner))
	want := "kubectl label --overwrite namespace site audit=restricted enforce=restricted"
	if len(w.told) != 1 || !strings.HasSuffix(w.told[0], want) {
		t.Errorf("told %q, want one message that ends in %q", w.told, want)
	}
}

// Everything that is registered after the mark carries it, whatever form its arguments have, and asks before it is created; what the
// program itself says in annotations stays.
func TestEverythingIsMarked(t *testing.T) {
	p := run(t, func(ctx *pulumi.Context) error {
		if err := guard.Mark(ctx, pulumi.String(owner), nil); err != nil {
			return err
		}
		_, err := apiextensions.NewCustomResource(ctx, "custom", &apiextensions.CustomResourceArgs{
			ApiVersion: pulumi.String("example.com/v1"), Kind: pulumi.String("Thing"),
			Metadata:    &metav1.ObjectMetaArgs{Name: pulumi.String("thing"), Annotations: pulumi.StringMap{"own": pulumi.String("stays")}},
			OtherFields: kubernetes.UntypedArgs{"spec": map[string]any{}},
		})
		if err != nil {
			return err
		}
		_, err = newConfigMap(ctx, "typed", nil)
		return err
	})
	for _, object := range plan.Objects(p.registrations, plan.ShowSecrets) {
		metadata, _ := object["metadata"].(map[string]any)
		annotations, _ := metadata["annotations"].(map[string]any)
		if annotations[guard.Annotation] != owner || object.Kind() == "Thing" && annotations["own"] != "stays" {
			t.Errorf("%s %s has the annotations %v", object.Kind(), object.Name(), annotations)
		}
	}
	if slices.ContainsFunc(p.registrations, func(r plan.Registration) bool { return r.Protect }) {
		t.Error("the mark changes options")
	}
}
