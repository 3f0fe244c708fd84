// Package cluster reaches the cluster that the Kubernetes provider deploys to, for the little that no resource can express.
package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
)

// Manager is the field manager of what the program writes by itself. The provider leaves the fields of other managers alone.
const Manager = "wordpress-on-kubernetes"

// Client is the API server of the cluster.
type Client struct {
	kubernetes.Interface

	settings *rest.Config
}

// New is a client of the cluster that the settings lead to. It sends nothing.
func New(settings *rest.Config) (*Client, error) {
	quiet := rest.CopyConfig(settings)
	// Warnings of the API server would go to standard error, past the engine.
	quiet.WarningHandler = rest.NoWarnings{}
	client, err := kubernetes.NewForConfig(quiet)
	if err != nil {
		return nil, fmt.Errorf("the cluster's API server: %w", err)
	}
	return &Client{Interface: client, settings: quiet}, nil
}

// Container of a pod, in which a command can be run.
type Container struct {
	// Namespace, Pod and Name of the container.
	Namespace, Pod, Name string
}

// CommandError is that a command ran and did not succeed.
type CommandError struct {
	// Output is what the command printed to its standard error.
	Output string
	cause  error
}

// Error says what the command said.
func (e *CommandError) Error() string {
	return fmt.Sprintf("%v: %s", e.cause, strings.TrimSpace(e.Output))
}

// Unwrap is the error of the command's end.
func (e *CommandError) Unwrap() error { return e.cause }

// Exec runs a command in a container, gives it the input and returns what it printed. Commands are seen by everybody who can see
// processes: what is secret goes by the input. A command that ran and failed is a CommandError.
func (c *Client) Exec(ctx context.Context, where Container, input io.Reader, command []string) (string, error) {
	request := c.CoreV1().RESTClient().Post().Resource("pods").Namespace(where.Namespace).Name(where.Pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{
			Container: where.Name, Command: command, Stdin: input != nil, Stdout: true, Stderr: true,
		}, scheme.ParameterCodec)
	executor, err := executor(c.settings, request)
	if err != nil {
		return "", err
	}
	var output, problems bytes.Buffer
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: input, Stdout: &output, Stderr: &problems})
	var ended interface{ ExitStatus() int }
	switch {
	case errors.As(err, &ended):
		return output.String(), &CommandError{Output: problems.String(), cause: err}
	case err != nil:
		return "", fmt.Errorf("run a command in pod %s: %w", where.Pod, err)
	}
	return output.String(), nil
}

// executor speaks WebSocket, and SPDY with an API server or a proxy that does not know that.
func executor(settings *rest.Config, request *rest.Request) (remotecommand.Executor, error) {
	modern, err := remotecommand.NewWebSocketExecutor(settings, "GET", request.URL().String())
	if err != nil {
		return nil, fmt.Errorf("run a command in a pod: %w", err)
	}
	old, err := remotecommand.NewSPDYExecutor(settings, "POST", request.URL())
	if err != nil {
		return nil, fmt.Errorf("run a command in a pod: %w", err)
	}
	return remotecommand.NewFallbackExecutor(modern, old, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
}
