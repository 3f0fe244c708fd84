package e2e

import (
	"bytes"
	"encoding/json"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"

	"wordpress-on-kubernetes/components/plan"
	"wordpress-on-kubernetes/tests/stack"
)

// TestRenderShowsWhatTheEnginePlans compares `make render` with the engine's own plan, for both committed stacks.
func TestRenderShowsWhatTheEnginePlans(t *testing.T) {
	for _, name := range []string{"dev", "prod"} {
		t.Run(name, func(t *testing.T) {
			project, err := stack.Open(name, "")
			if err != nil {
				t.Fatal(err)
			}
			project.Placeholders = true
			if err := project.Build(t.Context()); err != nil {
				t.Fatal(err)
			}
			planned := plannedObjects(t, project)
			result, err := project.Plan(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			rendered := byIdentity(t, plan.Objects(result.Registrations, plan.HideSecrets))
			compare(t, rendered, planned)
		})
	}
}

// plannedObjects are the inputs of every Kubernetes object in the engine's plan.
func plannedObjects(t *testing.T, project *stack.Project) map[string]plan.Object {
	t.Helper()
	if _, err := deploymentOf(t.Context(), project); err != nil {
		t.Fatal(err)
	}
	var preview struct {
		Steps []struct {
			NewState struct {
				Type   string      `json:"type"`
				Inputs plan.Object `json:"inputs"`
			} `json:"newState"`
		} `json:"steps"`
	}
	if err := json.Unmarshal(previewJSON(t, project), &preview); err != nil {
		t.Fatal(err)
	}
	var objects []plan.Object
	for _, step := range preview.Steps {
		if strings.HasPrefix(step.NewState.Type, "kubernetes:") {
			objects = append(objects, step.NewState.Inputs)
		}
	}
	return byIdentity(t, objects)
}

// previewJSON is the engine's plan in full, which the Automation API does not return.
func previewJSON(t *testing.T, project *stack.Project) []byte {
	t.Helper()
	engine, err := project.FindEngine()
	if err != nil {
		t.Fatal(err)
	}
	command := project.Command(t.Context(), engine, "preview", "--json")
	var messages bytes.Buffer
	command.Stderr = &messages
	output, err := command.Output()
	if err != nil {
		t.Fatalf("preview: %v\n%s%s", err, output, &messages)
	}
	return output
}

func byIdentity(t *testing.T, objects []plan.Object) map[string]plan.Object {
	t.Helper()
	byName := make(map[string]plan.Object, len(objects))
	for _, object := range objects {
		byName[object.Kind()+" "+object.Namespace()+"/"+object.Name()] = comparableObject(t, object)
	}
	if len(byName) != len(objects) {
		t.Fatalf("%d objects have %d identities", len(objects), len(byName))
	}
	return byName
}

// ownerMark is the annotation that says which state an object belongs to.
const ownerMark = "owner.wordpress/stack"

// comparableObject gives an object the number types of JSON, and leaves out the values of a Secret: both sides hide them,
// the provider as a whole and in the encoding of the API. It also leaves out the seal of the owner's mark, which is random text in each
// state.
func comparableObject(t *testing.T, object plan.Object) plan.Object {
	t.Helper()
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	var copied plan.Object
	if err := json.Unmarshal(text, &copied); err != nil {
		t.Fatal(err)
	}
	if copied.Kind() == "Secret" {
		delete(copied, "data")
		delete(copied, "stringData")
	}
	if metadata, ok := copied["metadata"].(map[string]any); ok {
		if annotations, ok := metadata["annotations"].(map[string]any); ok {
			mark, _ := annotations[ownerMark].(string)
			annotations[ownerMark] = path.Dir(mark)
		}
	}
	return copied
}

func compare(t *testing.T, rendered, planned map[string]plan.Object) {
	t.Helper()
	if got, want := slices.Sorted(maps.Keys(rendered)), slices.Sorted(maps.Keys(planned)); !slices.Equal(got, want) {
		t.Fatalf("rendered objects\n%q\nplanned objects\n%q", got, want)
	}
	for identity, object := range rendered {
		if !reflect.DeepEqual(object, planned[identity]) {
			got, _ := json.MarshalIndent(object, "", " ")
			want, _ := json.MarshalIndent(planned[identity], "", " ")
			t.Errorf("%s: rendered\n%s\nplanned\n%s", identity, got, want)
		}
	}
}
