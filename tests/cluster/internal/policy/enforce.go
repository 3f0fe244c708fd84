package policy

import (
	"context"
	"fmt"
	"strconv"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"wordpress-on-kubernetes/tests/cluster/internal/layout"
	"wordpress-on-kubernetes/tests/cluster/internal/spec"
)

// Command is the argument with which this program is started, inside a node, as the node's agent; the node's number
// follows. It is also the agents' name to the API server.
const Command = "network-policies"

// Enforce runs the agent of the node that args name, inside it, until ctx ends.
func Enforce(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%s takes a node's number, not %q", Command, args)
	}
	number, err := strconv.Atoi(args[0])
	if err != nil {
		return fmt.Errorf("%s: node: %w", Command, err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", layout.InsideState.ComponentKubeconfig(Command))
	if err != nil {
		return fmt.Errorf("kubeconfig of %s: %w", Command, err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	return Agent{Node: spec.NodeName(number), Pods: spec.NodePods(number), Client: client}.Run(ctx)
}
