// Package labels holds the labels and selectors that all objects of the program share.
package labels

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// The recommended label keys, https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/.
const (
	keyName      = "app.kubernetes.io/name"
	keyInstance  = "app.kubernetes.io/instance"
	keyComponent = "app.kubernetes.io/component"
	keyPartOf    = "app.kubernetes.io/part-of"
	keyManagedBy = "app.kubernetes.io/managed-by"

	partOf    = "wordpress"
	managedBy = "pulumi"
)

// Set identifies the objects of one component.
type Set struct {
	// Name of the application, such as wordpress or mysql.
	Name string
	// Component that the object plays in the whole, such as frontend.
	Component string
	// Instance tells installations apart: the stack's name.
	Instance string
}

// All are the labels that every object of the component carries.
func (s Set) All() pulumi.StringMap {
	return pulumi.StringMap{
		keyName:      pulumi.String(s.Name),
		keyInstance:  pulumi.String(s.Instance),
		keyComponent: pulumi.String(s.Component),
		keyPartOf:    pulumi.String(partOf),
		keyManagedBy: pulumi.String(managedBy),
	}
}

// Selector is the fixed subset that selects the component's pods. A selector cannot be changed on a live
// object, so the instance, which a renamed stack changes, is left out; the namespace tells instances apart.
func (s Set) Selector() pulumi.StringMap {
	return pulumi.StringMap{
		keyName:      pulumi.String(s.Name),
		keyComponent: pulumi.String(s.Component),
	}
}

// Site selects every pod of the site, whatever its component.
func Site() pulumi.StringMap {
	return pulumi.StringMap{keyPartOf: pulumi.String(partOf), keyManagedBy: pulumi.String(managedBy)}
}
