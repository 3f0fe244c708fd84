package stack

import (
	_ "embed"
	"fmt"
	"maps"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"sigs.k8s.io/yaml"
)

// localOverrides are what a stack needs to run on the local cluster, which has no image registry.
//
//go:embed local.yaml
var localOverrides []byte

// target sets what the cluster that the stack goes to needs, and the project's overrides on top.
func (p *Project) target(values config.Map) error {
	overrides := map[string]string{}
	switch {
	case p.Placeholders:
	case p.Context != "":
		overrides[contextKey] = p.Context
	default:
		if err := yaml.UnmarshalStrict(localOverrides, &overrides); err != nil {
			return fmt.Errorf("local.yaml: %w", err)
		}
		overrides[contextKey] = LocalContext
	}
	maps.Copy(overrides, p.Overrides)
	for path, value := range p.Overrides {
		if value == "" { // of what is removed, nothing is set
			maps.DeleteFunc(overrides, func(other, _ string) bool { return strings.HasPrefix(other, path+".") })
		}
	}
	for path, value := range overrides {
		key, err := config.ParseKey(path)
		if err != nil {
			return fmt.Errorf("override %q: %w", path, err)
		}
		if err := override(values, key, value); err != nil {
			return fmt.Errorf("override %q: %w", path, err)
		}
	}
	return nil
}

func override(values config.Map, key config.Key, value string) error {
	if value == "" {
		return values.Remove(key, true)
	}
	return values.Set(key, config.NewValue(value), true)
}

// contextKey is the provider's setting of the kubeconfig context.
const contextKey = "kubernetes:context"
