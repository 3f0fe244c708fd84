// Package mocks runs a component or the whole program, compiled or in this process, without an engine, a provider or a
// cluster, and shows what it registers.
package mocks

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/plan"
)

// Project is the project's name under mocks, the same as in Pulumi.yaml.
const Project = "wordpress"

// What tests look at is what the program itself looks at before it registers anything.
type (
	// Registration is one resource as a program registered it.
	Registration = plan.Registration
	// Object is a Kubernetes object as the API server would get it.
	Object = plan.Object
)

// What becomes of secret values.
const (
	HideSecrets = plan.HideSecrets
	ShowSecrets = plan.ShowSecrets
)

// Objects are the Kubernetes objects among the registrations, in an order in which they can be applied.
func Objects(registrations []Registration, secrets plan.Secrets) []Object {
	return plan.Objects(registrations, secrets)
}

// Run runs a program in this process and returns what it registered.
func Run(stack string, program pulumi.RunFunc) ([]Registration, error) {
	return plan.Record(Project, stack, program)
}
