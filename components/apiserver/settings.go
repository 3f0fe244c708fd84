package apiserver

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	_ "k8s.io/client-go/plugin/pkg/client/auth" // The ways to log in that the provider knows.
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// Settings are those of the Kubernetes provider that say which cluster it deploys to.
type Settings struct {
	// Kubeconfig is a file's path, with or without ~, or its content. Empty: $KUBECONFIG, ~/.kube/config or the pod's own cluster.
	Kubeconfig string
	// Context and Cluster of the kubeconfig. Empty: its current ones.
	Context, Cluster string
	// Insist is for an update, which cannot do without an answer. It is not the provider's.
	Insist bool
}

// SettingsOf are among the values of a stack's configuration, by full key.
func SettingsOf(values map[string]string) Settings {
	return Settings{
		Kubeconfig: values["kubernetes:kubeconfig"],
		Context:    values["kubernetes:context"],
		Cluster:    values["kubernetes:cluster"],
	}
}

// ClientConfig finds the cluster as the provider does (pulumi-kubernetes, provider/pkg/provider/provider.go).
func (s Settings) ClientConfig() (*rest.Config, error) {
	overrides := &clientcmd.ConfigOverrides{Context: api.Context{Cluster: s.Cluster}, CurrentContext: s.Context}
	if s.Kubeconfig == "" {
		rules := clientcmd.NewDefaultClientConfigLoadingRules()
		rules.DefaultClientConfig = &clientcmd.DefaultClientConfig
		return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides).ClientConfig()
	}
	text := s.Kubeconfig
	if content, err := os.ReadFile(expanded(s.Kubeconfig)); err == nil {
		text = string(content)
	}
	loaded, err := clientcmd.Load([]byte(text))
	if err != nil {
		// The parser quotes the text, which may hold a token.
		return nil, errors.New("kubernetes:kubeconfig is neither the path of a file that can be read nor a kubeconfig itself")
	}
	return clientcmd.NewDefaultClientConfig(*loaded, overrides).ClientConfig()
}

// expanded is a path with ~ at its beginning replaced, which no shell has done in a setting.
func expanded(path string) string {
	rest, isHome := strings.CutPrefix(path, "~")
	home, err := os.UserHomeDir()
	if !isHome || err != nil || rest != "" && rest[0] != '/' {
		return path
	}
	return filepath.Join(home, rest)
}

// root is the path of an API version: the oldest group has one of its own.
func root(apiVersion string) string {
	if strings.Contains(apiVersion, "/") {
		return "/apis/" + apiVersion
	}
	return "/api/" + apiVersion
}

func isSubresource(name string) bool { return strings.Contains(name, "/") }
