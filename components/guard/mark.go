package guard

import (
	"reflect"
	"regexp"
	"strings"

	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Annotation that every object carries: which state it belongs to. Stacks of one name from two states tell each other's objects apart
// by it, and a state knows again what an update made that was cut off.
const Annotation = "owner.wordpress/stack"

// Owner is the annotation's value: project and stack for people, seal for the program.
func Owner(project, stack, seal string) string { return project + "/" + stack + "/" + seal }

// ownerForm is what is believed of an annotation that anybody may have written.
var ownerForm = regexp.MustCompile(`^([A-Za-z0-9_.-]{1,100})/([A-Za-z0-9_.-]{1,100})/([A-Za-z0-9]{1,100})$`)

// isSame compares the seals alone: a stack may be renamed.
func isSame(one, other string) bool {
	mine, theirs := ownerForm.FindStringSubmatch(one), ownerForm.FindStringSubmatch(other)
	return mine != nil && theirs != nil && mine[3] == theirs[3]
}

// Mark gives every object that is registered from here on the mark of its owner, and the look before it is created. All of them so
// wait for the owner to be known.
//
// The SDK hands each of several transformations the options that the program gave, not what an earlier one made of them: there must
// be no other one that changes options.
func Mark(ctx *pulumi.Context, owner pulumi.StringInput, watch *Watch) error {
	return ctx.RegisterStackTransformation(func(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
		if !strings.HasPrefix(args.Type, "kubernetes:") {
			return nil
		}
		return &pulumi.ResourceTransformationResult{
			Props: annotated(args.Props, owner),
			Opts:  append(append([]pulumi.ResourceOption{}, args.Opts...), watch.Each()...),
		}
	})
}

// annotated adds the annotation to the arguments of an object: a struct for what the SDK has types for, and a map for all else. The
// arguments of one resource are not shared with another's.
func annotated(props pulumi.Input, owner pulumi.StringInput) pulumi.Input {
	value := reflect.Indirect(reflect.ValueOf(props))
	switch value.Kind() {
	case reflect.Struct:
		if metadata := value.FieldByName("Metadata"); metadata.IsValid() {
			annotate(metadata.Interface(), owner)
		}
	case reflect.Map:
		if metadata := value.MapIndex(reflect.ValueOf("metadata")); metadata.IsValid() {
			annotate(metadata.Interface(), owner)
		}
	}
	return props
}

func annotate(metadata any, owner pulumi.StringInput) {
	args, isArgs := metadata.(*metav1.ObjectMetaArgs)
	if !isArgs || args == nil {
		return
	}
	annotations := pulumi.StringMap{Annotation: owner}
	if own, isMap := args.Annotations.(pulumi.StringMap); isMap {
		for name, value := range own {
			annotations[name] = value
		}
	}
	args.Annotations = annotations
}
