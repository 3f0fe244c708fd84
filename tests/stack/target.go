package stack

import (
	_ "embed"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"wordpress-on-kubernetes/components/cluster"
	stackconfig "wordpress-on-kubernetes/config"
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

// localHost is a host for which the local cluster has a certificate, as it has for names of one label below it.
const localHost = "wordpress.localhost"

// NeedsConsent reports whether the stack, as its file says now or as it was deployed last, is a production one on a cluster of the user's:
// nobody's slip should change or take down that.
func (p *Project) NeedsConsent() (bool, error) {
	if p.Placeholders || p.Context == "" {
		return false, nil
	}
	project, err := workspace.LoadProject(filepath.Join(p.Repo, "Pulumi.yaml"))
	if err != nil {
		return false, fmt.Errorf("project file: %w", err)
	}
	now, err := workspace.LoadProjectStack(nil, project, p.committed())
	if err != nil {
		return false, fmt.Errorf("%s: %w", p.file(), err)
	}
	before, err := workspace.LoadProjectStack(nil, project, p.derived())
	if err != nil {
		return false, fmt.Errorf("%s: %w", p.derived(), err)
	}
	// A profile that cannot be read is not taken for a harmless one.
	return read(now.Config, "profile") != string(stackconfig.Development) ||
		read(before.Config, "profile") == string(stackconfig.Production), nil
}

// checkTarget refuses a production stack on the local cluster, which has neither its storage nor its certificates, and a site whose
// host it has no certificate for.
func (p *Project) checkTarget(values config.Map) error {
	if p.Placeholders || p.Context != "" {
		return nil
	}
	if read(values, "profile") == string(stackconfig.Production) {
		return fmt.Errorf("stack %q has profile production, which the local cluster cannot be: name a cluster with CONTEXT=<context of your kubeconfig>, "+
			"or look at it with `make preview STACK=%s`", p.Stack, p.Stack)
	}
	host := read(values, "site.host")
	if _, parent, _ := strings.Cut(host, "."); host != "" && host != localHost && parent != localHost {
		return fmt.Errorf("%s: wordpress:site.host: %q: the local cluster has a certificate for %s and names such as blog.%s alone",
			p.file(), host, localHost, localHost)
	}
	return nil
}

// checkContext refuses a context that the user's kubeconfig, read as kubectl and the provider read it, does not have.
func (p *Project) checkContext() error {
	if p.Context == "" {
		return nil
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	files := strings.Join(rules.GetLoadingPrecedence(), ", ")
	found, err := rules.Load()
	if err != nil {
		return fmt.Errorf("kubeconfig %s: %w", files, err)
	}
	if _, known := found.Contexts[p.Context]; known {
		return nil
	}
	if len(found.Contexts) == 0 {
		return fmt.Errorf("CONTEXT %q: there are no contexts in %s: set KUBECONFIG to your kubeconfig", p.Context, files)
	}
	return fmt.Errorf("CONTEXT %q is not in %s: use one of %s", p.Context, files,
		strings.Join(slices.Sorted(maps.Keys(found.Contexts)), ", "))
}

// Cluster is a client of the cluster that the stack goes to.
func (p *Project) Cluster() (*cluster.Client, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	overrides := &clientcmd.ConfigOverrides{CurrentContext: p.Context}
	if p.Context == "" {
		rules, overrides.CurrentContext = &clientcmd.ClientConfigLoadingRules{ExplicitPath: p.Kubeconfig()}, LocalContext
	}
	settings, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("the cluster cannot be reached: %w", err)
	}
	return cluster.New(settings)
}
