// Package hooks binds what the program itself does to the moments at which the engine changes a resource.
package hooks

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// AfterCreate runs a hook when a resource was made. Nil: none.
func AfterCreate(hook *pulumi.ResourceHook) pulumi.ResourceOption {
	binding := &pulumi.ResourceHookBinding{}
	if hook != nil {
		binding.AfterCreate = []*pulumi.ResourceHook{hook}
	}
	return pulumi.ResourceHooks(binding)
}

// AroundUpdate runs hooks before and after a resource is changed. Nil: none.
func AroundUpdate(before, after *pulumi.ResourceHook) pulumi.ResourceOption {
	binding := &pulumi.ResourceHookBinding{}
	if before != nil {
		binding.BeforeUpdate = []*pulumi.ResourceHook{before}
	}
	if after != nil {
		binding.AfterUpdate = []*pulumi.ResourceHook{after}
	}
	return pulumi.ResourceHooks(binding)
}
