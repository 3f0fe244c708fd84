package judges

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"wordpress-on-kubernetes/components/plan"
)

// PodSecurity judges the pod template of every object by the level restricted, with the code of the API server's own
// admission. Templates are known by their shape, so that no kind is forgotten.
func PodSecurity(objects []plan.Object) ([]Finding, error) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks())
	if err != nil {
		return nil, err
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	var findings []Finding
	for _, object := range objects {
		templates, err := podTemplates(object)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", object.Kind(), object.Name(), err)
		}
		for _, template := range templates {
			for _, result := range evaluator.EvaluatePod(level, &template.ObjectMeta, &template.Spec) {
				if !result.Allowed {
					findings = append(findings, newFinding(Restricted, object, result.ForbiddenReason+": "+result.ForbiddenDetail))
				}
			}
		}
	}
	return findings, nil
}

// podTemplates are the parts of an object that look like a pod: a spec with containers.
func podTemplates(object plan.Object) ([]corev1.PodTemplateSpec, error) {
	text, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	var templates []corev1.PodTemplateSpec
	err = forEachMap(tree, func(node map[string]any) error {
		spec, _ := node["spec"].(map[string]any)
		if _, isPod := spec["containers"]; !isPod {
			return nil
		}
		text, err := json.Marshal(node)
		if err != nil {
			return err
		}
		var template corev1.PodTemplateSpec
		templates = append(templates, template)
		return json.Unmarshal(text, &templates[len(templates)-1])
	})
	return templates, err
}

// forEachMap visits a map and all maps below it.
func forEachMap(value any, visit func(map[string]any) error) error {
	switch value := value.(type) {
	case map[string]any:
		if err := visit(value); err != nil {
			return err
		}
		for _, element := range value {
			if err := forEachMap(element, visit); err != nil {
				return err
			}
		}
	case []any:
		for _, element := range value {
			if err := forEachMap(element, visit); err != nil {
				return err
			}
		}
	}
	return nil
}
