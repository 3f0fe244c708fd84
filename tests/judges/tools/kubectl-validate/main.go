// Command kubectl-validate judges the objects of a YAML stream by the schemas that it is given, and by no others: the
// command of the same name that it is built from also asks the cluster that the user works with, and GitHub.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/openapi"
	"sigs.k8s.io/kubectl-validate/pkg/openapiclient"
	"sigs.k8s.io/kubectl-validate/pkg/utils"
	"sigs.k8s.io/kubectl-validate/pkg/validator"
	"sigs.k8s.io/yaml"
)

// finding is what is wrong with one object.
type finding struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Message   string `json:"message"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "kubectl-validate:", err)
		os.Exit(1)
	}
}

func run(manifests io.Reader, findings io.Writer) error {
	version := flag.String("version", "", "Kubernetes version whose built-in schemas count")
	schemas := flag.String("schemas", "", "folder of OpenAPI documents, api/<version>.json and apis/<group>/<version>.json, instead of -version")
	crds := flag.String("crds", "", "folder of CustomResourceDefinitions")
	flag.Parse()
	if (*version == "") == (*schemas == "") {
		return errors.New("want either -version or -schemas")
	}
	native := openapiclient.NewHardcodedBuiltins(*version)
	if *schemas != "" {
		native = openapiclient.NewLocalSchemaFiles(os.DirFS(*schemas))
	}
	sources := []openapi.Client{openapiclient.NewOverlay(openapiclient.HardcodedPatchLoader(*version), native)}
	if *crds != "" {
		sources = append(sources, openapiclient.NewLocalCRDFiles(os.DirFS(*crds)))
	}
	judge, err := validator.New(openapiclient.NewComposite(sources...))
	if err != nil {
		return fmt.Errorf("schemas: %w", err)
	}
	found, err := validate(judge, manifests)
	if err != nil {
		return err
	}
	return json.NewEncoder(findings).Encode(found)
}

func validate(judge *validator.Validator, manifests io.Reader) ([]finding, error) {
	text, err := io.ReadAll(manifests)
	if err != nil {
		return nil, err
	}
	documents, err := utils.SplitYamlDocuments(text)
	if err != nil {
		return nil, err
	}
	found := []finding{}
	for _, document := range documents {
		if len(bytes.TrimSpace(document)) == 0 {
			continue
		}
		var object unstructured.Unstructured
		if err := yaml.Unmarshal(document, &object.Object); err != nil {
			return nil, err
		}
		_, parsed, err := judge.Parse(document)
		if err == nil {
			err = judge.Validate(parsed)
		}
		if err != nil {
			found = append(found, finding{object.GetKind(), object.GetNamespace(), object.GetName(), err.Error()})
		}
	}
	return found, nil
}
