package stack

import (
	_ "embed"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"sigs.k8s.io/yaml"
)

// localOverrides are what a stack needs to run on the local cluster, which has no image registry.
//
//go:embed local.yaml
var localOverrides []byte

// target sets what the cluster that the stack goes to needs.
func (p *Project) target(values config.Map) error {
	kubernetes := func(name, value string) error {
		return values.Set(config.MustMakeKey("kubernetes", name), config.NewValue(value), false)
	}
	switch {
	case p.Placeholders:
		return nil
	case p.Context != "":
		return kubernetes("context", p.Context)
	}
	if err := kubernetes("context", LocalContext); err != nil {
		return err
	}
	var overrides map[string]string
	if err := yaml.UnmarshalStrict(localOverrides, &overrides); err != nil {
		return fmt.Errorf("local.yaml: %w", err)
	}
	for path, value := range overrides {
		if err := values.Set(config.MustParseKey(path), config.NewValue(value), true); err != nil {
			return fmt.Errorf("local.yaml: %s: %w", path, err)
		}
	}
	return nil
}
