// Package guard keeps a stack's hands off what is there already: an object of a planned name that the stack did not make is never
// taken over. It decides; how an object is looked up is its caller's business.
package guard

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Object is a Kubernetes object by what the API server finds it by.
type Object struct {
	// APIVersion with the group, such as apps/v1, and Kind.
	APIVersion, Kind string
	// Namespace of the object, empty for a cluster-wide one.
	Namespace string
	Name      string
}

// String is how messages call the object.
func (o Object) String() string {
	if o.Namespace == "" {
		return o.Kind + " " + o.Name
	}
	return o.Kind + " " + o.Namespace + "/" + o.Name
}

// Found is what is known of an object that is there.
type Found struct {
	Labels, Annotations map[string]string
	// Leaving is set while the object is being deleted.
	Leaving bool
	// AccessModes of a claim. Empty for every other kind.
	AccessModes []string
}

// Lookup asks the cluster for an object. Nil without an error: there is none, or not even its kind.
type Lookup func(Object) (*Found, error)

// Named is an object of others that the configuration names: it is used as it is, and not owned.
type Named struct {
	Object
	// Setting that names it, for messages, such as wordpress:createNamespace: false.
	Setting string
	// Labels that it ought to carry. What it lacks is said, and changes nothing.
	Labels map[string]string
	// AccessMode that a claim must offer. Empty: any.
	AccessMode string
	// Later accepts that it is not there yet, for what can only be brought when the stack has made the namespace.
	Later bool
}

// Args are the inputs of New. All but Planned and Named are required.
type Args struct {
	// Project and Stack are the names of the stack that is deployed.
	Project, Stack string
	// Preview passes what cannot be looked up: a preview needs no cluster.
	Preview bool
	Lookup  Lookup
	// Planned are all objects that the program will register.
	Planned []Object
	// Named are those that it uses and does not register.
	Named []Named
	// Tell shows a message to whoever deploys.
	Tell func(message string)
}

// Watch looks before something is created. A nil one looks at nothing, as in a rehearsal.
type Watch struct {
	args       Args
	first, one *pulumi.ResourceHook
}

// The names of the hooks are in the stack's state, and in the engine's messages before those of this package.
const (
	firstHook = "what is there already"
	oneHook   = "is it there already"
)

// Registrar registers hooks with the engine, as a *pulumi.Context does.
type Registrar interface {
	RegisterResourceHook(string, pulumi.ResourceHookFunction, *pulumi.ResourceHookOptions) (*pulumi.ResourceHook, error)
}

// New registers the hooks by which the engine asks. It calls them before it creates what its state does not know, at preview too, and
// never for what the state knows. They are not asked at a destroy.
func New(ctx Registrar, args Args) (*Watch, error) {
	watch := &Watch{args: args}
	options := &pulumi.ResourceHookOptions{OnDryRun: true}
	var err error
	watch.first, err = ctx.RegisterResourceHook(firstHook, func(*pulumi.ResourceHookArgs) error { return watch.Begin() }, options)
	if err != nil {
		return nil, fmt.Errorf("guard: %w", err)
	}
	watch.one, err = ctx.RegisterResourceHook(oneHook, watch.Create, options)
	if err != nil {
		return nil, fmt.Errorf("guard: %w", err)
	}
	return watch, nil
}

// First are the options of the component that every state has had from the beginning and that all objects wait for: a state without
// it owns nothing, so that all planned objects can be judged before anything is created.
func (w *Watch) First() []pulumi.ResourceOption {
	if w == nil {
		return nil
	}
	return before(w.first)
}

// Each are the options of every object.
func (w *Watch) Each() []pulumi.ResourceOption {
	if w == nil {
		return nil
	}
	return before(w.one)
}

func before(hook *pulumi.ResourceHook) []pulumi.ResourceOption {
	return []pulumi.ResourceOption{pulumi.ResourceHooks(&pulumi.ResourceHookBinding{BeforeCreate: []*pulumi.ResourceHook{hook}})}
}

// parallel is how many objects are looked up at a time: a burst that no API server minds.
const parallel = 8

// Begin refuses every planned object that is there, for a state that owns nothing. What lies in a namespace that is still to be made
// need not be looked for.
func (w *Watch) Begin() error {
	made := ""
	for _, object := range w.args.Planned {
		if object.Kind == namespaceKind {
			made = object.Name
		}
	}
	outside := slices.DeleteFunc(slices.Clone(w.args.Planned), func(object Object) bool {
		return object.Namespace != "" && object.Namespace == made
	})
	verdicts := make([]verdict, len(outside))
	var group sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for i, object := range outside {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			verdicts[i] = w.judge(object, "")
		})
	}
	group.Wait()
	return w.refuse(verdicts)
}

// Create refuses one object that is there, before it would be created over what is there. What carries the mark of this very state is
// what an update made that was cut off before it could write that down, or what is about to be replaced.
func (w *Watch) Create(args *pulumi.ResourceHookArgs) error {
	object, owner := read(args.NewInputs)
	if object.Name == "" {
		return nil // Not known yet, which is so at a preview alone.
	}
	found := w.judge(object, owner)
	if w.args.Preview && found.there != nil && w.isNamesakes(found.there) {
		// A preview does not tell what is created from what is created anew after its deletion, and objects from before there was a
		// mark cannot show whose they are. At the update itself, what is to be replaced is gone by now.
		return nil
	}
	return w.refuse([]verdict{found})
}

// verdict on one object. There is nil where nothing stands in the way.
type verdict struct {
	object Object
	there  *Found
	err    error
}

func (w *Watch) judge(object Object, owner string) verdict {
	found, err := w.args.Lookup(object)
	switch {
	case err != nil && w.args.Preview:
		return verdict{object: object}
	case err != nil:
		return verdict{object: object, err: err}
	case found == nil || isSame(owner, found.Annotations[Annotation]) || object.Kind == configMapKind && w.isNamed(found):
		return verdict{object: object}
	}
	return verdict{object: object, there: found}
}

// isNamed reports whether an object says that a stack of this name made it. For a ConfigMap that is enough: this program names each after
// its content, so that one of the same name is the same, and a destroy leaves the last ones there.
func (w *Watch) isNamed(found *Found) bool {
	owner := ownerForm.FindStringSubmatch(found.Annotations[Annotation])
	return owner != nil && !found.Leaving && owner[1] == w.args.Project && owner[2] == w.args.Stack
}

// isNamesakes reports whether an object may have been made by this stack before it knew marks.
func (w *Watch) isNamesakes(found *Found) bool {
	_, marked := found.Annotations[Annotation]
	return !marked && isOfThisProgram(found) && found.Labels[labelInstance] == w.args.Stack
}

// ObjectOf is the object that the inputs of a resource describe. What is not known yet is empty.
func ObjectOf(inputs resource.PropertyMap) Object {
	object, _ := read(inputs)
	return object
}

// read takes an object and its mark from the inputs of its resource, which at a preview may be unknown in part.
func read(inputs resource.PropertyMap) (object Object, owner string) {
	metadata := fields(inputs["metadata"])
	object = Object{
		APIVersion: text(inputs["apiVersion"]),
		Kind:       text(inputs["kind"]),
		Namespace:  text(metadata["namespace"]),
		Name:       text(metadata["name"]),
	}
	return object, text(fields(metadata["annotations"])[Annotation])
}

func fields(value resource.PropertyValue) resource.PropertyMap {
	if value = known(value); value.IsObject() {
		return value.ObjectValue()
	}
	return nil
}

func text(value resource.PropertyValue) string {
	if value = known(value); value.IsString() {
		return value.StringValue()
	}
	return ""
}

// known is a value without what the engine wraps it in.
func known(value resource.PropertyValue) resource.PropertyValue {
	for {
		switch {
		case value.IsSecret():
			value = value.SecretValue().Element
		case value.IsOutput() && value.OutputValue().Known:
			value = value.OutputValue().Element
		default:
			return value
		}
	}
}

// Admit judges what the configuration names, for a state with a mark.
func (w *Watch) Admit(owner string) error {
	if w == nil {
		return nil
	}
	var problems []string
	for _, named := range w.args.Named {
		found, err := w.args.Lookup(named.Object)
		if err != nil && w.args.Preview {
			continue
		}
		if err != nil {
			return unanswered(named.Object, err)
		}
		if problem := w.admit(named, found, owner); problem != "" {
			problems = append(problems, problem)
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("what the configuration names cannot be used, and nothing was changed:\n  %s", strings.Join(problems, "\n  "))
}

// admit returns what keeps a named object from being used, and tells what it lacks.
func (w *Watch) admit(named Named, found *Found, owner string) string {
	subject := fmt.Sprintf("%s, named by %s, ", named.Object, named.Setting)
	switch {
	case found == nil && named.Later:
		w.args.Tell(subject + "is not there yet: pods wait until somebody brings it")
		return ""
	case found == nil:
		return subject + "is not there: make it, or leave the setting out for one of the program's own"
	case found.Leaving:
		return subject + "is being deleted: wait until it is gone, and name another one"
	case isSame(owner, found.Annotations[Annotation]):
		return subject + "is this stack's own, which would delete it now as something that is no longer wanted: leave the setting out"
	case named.AccessMode != "" && !slices.Contains(found.AccessModes, named.AccessMode):
		return fmt.Sprintf("%soffers %s and not %s: name another claim, or see storage.content.accessMode",
			subject, strings.Join(found.AccessModes, ", "), named.AccessMode)
	}
	if lacks := lacking(named.Labels, found.Labels); len(lacks) > 0 {
		w.args.Tell(fmt.Sprintf("%scarries other labels than the program would give it, and is left as it is. Whoever owns it may say:\n"+
			"  kubectl label --overwrite %s %s %s", subject, strings.ToLower(named.Kind), named.Name, strings.Join(lacks, " ")))
	}
	return ""
}

// lacking are the labels that are not as wanted, in the form that kubectl takes.
func lacking(want, have map[string]string) []string {
	var lacks []string
	for name, value := range want {
		if have[name] != value {
			lacks = append(lacks, name+"="+value)
		}
	}
	slices.Sort(lacks)
	return lacks
}
