package mocks

import (
	"strings"

	"sigs.k8s.io/yaml"

	"wordpress-on-kubernetes/components/plan"
)

// YAML is the objects as one stream of documents.
func YAML(objects []plan.Object) (string, error) {
	var stream strings.Builder
	for _, object := range objects {
		document, err := yaml.Marshal(object)
		if err != nil {
			return "", err
		}
		stream.WriteString("---\n")
		stream.Write(document)
	}
	return stream.String(), nil
}
