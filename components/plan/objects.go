package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// HiddenSecret stands where an object holds a secret.
const HiddenSecret = "[secret]"

// Secrets says what becomes of secret values in an object.
type Secrets bool

// What becomes of secret values.
const (
	HideSecrets Secrets = false
	ShowSecrets Secrets = true
)

// Object is a Kubernetes object as the API server would get it.
type Object map[string]any

// APIVersion of the object, with its group.
func (o Object) APIVersion() string { return text(o["apiVersion"]) }

// Kind of the object.
func (o Object) Kind() string { return text(o["kind"]) }

// Name of the object.
func (o Object) Name() string { return text(o.metadata()["name"]) }

// Namespace of the object, empty for a cluster-wide one.
func (o Object) Namespace() string { return text(o.metadata()["namespace"]) }

func (o Object) metadata() map[string]any {
	metadata, _ := o["metadata"].(map[string]any)
	return metadata
}

func text(value any) string {
	text, _ := value.(string)
	return text
}

// Objects are the Kubernetes objects among the registrations, in an order in which they can be applied.
func Objects(registrations []Registration, secrets Secrets) []Object {
	var objects []Object
	for _, registration := range registrations {
		if registration.Kubernetes() {
			objects = append(objects, plain(resource.NewObjectProperty(registration.Inputs), secrets).(map[string]any))
		}
	}
	slices.SortFunc(objects, func(a, b Object) int {
		return cmp.Or(
			cmp.Compare(rank(a), rank(b)),
			strings.Compare(a.Kind(), b.Kind()),
			strings.Compare(a.Name(), b.Name()),
		)
	})
	return objects
}

// rank puts what others refer to first.
func rank(object Object) int {
	order := []string{"Namespace", "CephFilesystem", "StorageClass", "PersistentVolumeClaim", "Secret", "ConfigMap", "Service"}
	if i := slices.Index(order, object.Kind()); i >= 0 {
		return i
	}
	return len(order)
}

// plain turns a property into what encoding/json understands.
func plain(value resource.PropertyValue, secrets Secrets) any {
	switch {
	case value.IsSecret():
		if secrets == HideSecrets {
			return HiddenSecret
		}
		return plain(value.SecretValue().Element, secrets)
	case value.IsOutput():
		return plain(value.OutputValue().Element, secrets)
	case value.IsArray():
		list := make([]any, 0, len(value.ArrayValue()))
		for _, element := range value.ArrayValue() {
			list = append(list, plain(element, secrets))
		}
		return list
	case value.IsObject():
		object := make(map[string]any, len(value.ObjectValue()))
		for key, element := range value.ObjectValue() {
			object[string(key)] = plain(element, secrets)
		}
		return object
	default:
		return value.V
	}
}
