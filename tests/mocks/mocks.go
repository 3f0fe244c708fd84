// Package mocks runs a component or the whole program, compiled or in this process, without an engine, a provider or a
// cluster, and shows what it registers.
package mocks

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/plan"
)

// Project is the project's name under mocks, the same as in Pulumi.yaml.
const Project = "wordpress"

// Run runs a program in this process and returns what it registered.
func Run(stack string, program pulumi.RunFunc) ([]plan.Registration, error) {
	return plan.Record(Project, stack, program)
}
