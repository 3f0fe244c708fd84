package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"wordpress-on-kubernetes/tests/stack"
)

// endpoints are where the local cluster is reached from this machine.
type endpoints struct {
	// HTTPS and HTTP are the addresses of the edge.
	HTTPS string `json:"https"`
	HTTP  string `json:"http"`
	// Proxy is the URL of an HTTP proxy into the cluster's network.
	Proxy string `json:"proxy"`
	// Nodes is the number of nodes.
	Nodes int `json:"nodes"`
}

func readEndpoints(project *stack.Project) (endpoints, error) {
	var found endpoints
	text, err := os.ReadFile(filepath.Join(project.Local(), "cluster", "endpoints.json"))
	if err != nil {
		return found, errors.Join(errors.New("the local cluster is not up: run `make e2e`, which starts it"), err)
	}
	if err := json.Unmarshal(text, &found); err != nil {
		return found, fmt.Errorf("endpoints.json: %w", err)
	}
	return found, nil
}
