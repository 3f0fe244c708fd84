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

// Replaced are the settings, by configuration path, that the local cluster has instead of those of the stack file. A stack that goes
// elsewhere has none.
func (p *Project) Replaced() (map[string]string, error) {
	replaced := map[string]string{}
	if p.Placeholders || p.Context != "" {
		return replaced, nil
	}
	if err := yaml.UnmarshalStrict(localOverrides, &replaced); err != nil {
		return nil, fmt.Errorf("local.yaml: %w", err)
	}
	return replaced, nil
}

// target sets what the cluster that the stack goes to needs, and the project's overrides on top.
func (p *Project) target(values config.Map) error {
	overrides, err := p.Replaced()
	if err != nil {
		return err
	}
	switch {
	case p.Placeholders:
	case p.Context != "":
		overrides[contextKey] = p.Context
	default:
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
