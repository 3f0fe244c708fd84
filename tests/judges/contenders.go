package judges

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/util/yaml"

	"wordpress-on-kubernetes/components/plan"
	"wordpress-on-kubernetes/tests/stack"
)

// Contender is a set of objects to judge.
type Contender struct {
	Name string
	// Ours are the program's: nothing may be found in them.
	Ours    bool
	Objects []plan.Object
}

// variants are deployments beside the committed stacks, so that every kind of object that the program can write is judged.
var variants = []struct {
	name, stack string
	overrides   map[string]string
}{
	{name: "dev", stack: "dev"},
	{name: "prod", stack: "prod"},
	{name: "Ingress", stack: "dev", overrides: merged(certManager, map[string]string{
		"wordpress:ingress.kind": "ingress", "wordpress:ingress.className": "nginx", "wordpress:ingress.redirectToHTTPS": "",
		"wordpress:network.edge.namespace": "ingress-nginx",
	})},
	{name: "required spread", stack: "dev", overrides: merged(certManager, map[string]string{
		"wordpress:frontend.spread": "required", "wordpress:frontend.livenessProbe": "true",
	})},
}

// certManager has a Certificate requested.
var certManager = map[string]string{
	"wordpress:ingress.tls.defaultCertificate": "", "wordpress:ingress.tls.clusterIssuer": "letsencrypt",
}

func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// Contenders are the tutorial's manifests and what the program makes of its stacks, with placeholders for secrets. It
// needs no cluster. The second value is the path of the compiled program.
func Contenders(ctx context.Context) ([]Contender, string, error) {
	project, err := stack.Open("dev", "")
	if err != nil {
		return nil, "", err
	}
	if err := project.Build(ctx); err != nil {
		return nil, "", err
	}
	tutorial, err := Tutorial(project.Repo)
	if err != nil {
		return nil, "", err
	}
	contenders := []Contender{{Name: "tutorial", Objects: tutorial}}
	for _, variant := range variants {
		objects, err := planned(ctx, variant.stack, variant.overrides)
		if err != nil {
			return nil, "", fmt.Errorf("%s: %w", variant.name, err)
		}
		contenders = append(contenders, Contender{Name: variant.name, Ours: true, Objects: objects})
	}
	return contenders, project.Binary(), nil
}

// planned is the objects of a stack, its secrets replaced by placeholders.
func planned(ctx context.Context, name string, overrides map[string]string) ([]plan.Object, error) {
	project, err := stack.Open(name, "")
	if err != nil {
		return nil, err
	}
	project.Placeholders, project.Overrides = true, overrides
	if err := project.Prepare(); err != nil {
		return nil, err
	}
	result, err := project.Plan(ctx)
	if err != nil {
		return nil, err
	}
	objects := plan.Objects(result.Registrations, plan.ShowSecrets)
	if len(objects) == 0 {
		return nil, errors.New("the program registered no object")
	}
	return objects, nil
}

// Tutorial is the objects of the manifests that the program is compared with.
func Tutorial(repo string) ([]plan.Object, error) {
	files, err := filepath.Glob(filepath.Join(repo, "tests", "baseline", "*.yaml"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no manifests in tests/baseline: %w", errors.Join(err, os.ErrNotExist))
	}
	var objects []plan.Object
	for _, file := range files {
		list, err := readObjects(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		objects = append(objects, list...)
	}
	return objects, nil
}

// readObjects reads a stream of YAML documents.
func readObjects(file string) ([]plan.Object, error) {
	stream, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = stream.Close() }()
	decoder := yaml.NewYAMLOrJSONDecoder(stream, 4096)
	var objects []plan.Object
	for {
		var object plan.Object
		err := decoder.Decode(&object)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		if len(object) > 0 {
			objects = append(objects, object)
		}
	}
}
