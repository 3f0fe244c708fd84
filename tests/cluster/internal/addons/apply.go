// Package addons installs what a cluster needs besides Kubernetes itself: DNS, metrics, the edge and storage classes.
package addons

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"wordpress-on-kubernetes/tests/cluster/internal/layout"
	"wordpress-on-kubernetes/tests/cluster/internal/process"
)

const fieldManager = "local-cluster"

// manifests are applied in the order of their names.
//
//go:embed *.yaml
var manifests embed.FS

// Apply creates or updates all addons. Objects whose kind is defined by an earlier object wait until the API server
// serves that kind.
func Apply(ctx context.Context, config *rest.Config, state layout.State) error {
	a, err := newApplier(config)
	if err != nil {
		return err
	}
	crds, err := os.ReadFile(state.TraefikCRDs())
	if err != nil {
		return fmt.Errorf("custom resource definitions of Traefik: %w", err)
	}
	objects, err := Decode(crds)
	if err != nil {
		return fmt.Errorf("custom resource definitions of Traefik: %w", err)
	}
	own, err := Manifests()
	if err != nil {
		return err
	}
	for _, object := range append(objects, own...) {
		if err := a.apply(ctx, object); err != nil {
			return fmt.Errorf("addon %s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	edge, err := edgeSecret(state)
	if err != nil {
		return fmt.Errorf("edge certificate: %w", err)
	}
	return a.apply(ctx, edge)
}

// Manifests returns the objects of the package's own files.
func Manifests() ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	err := fs.WalkDir(manifests, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := manifests.ReadFile(path)
		if err != nil {
			return err
		}
		objects, err := Decode(raw)
		if err != nil {
			return fmt.Errorf("manifest %s: %w", path, err)
		}
		all = append(all, objects...)
		return nil
	})
	return all, err
}

// Decode reads a stream of YAML documents.
func Decode(raw []byte) ([]*unstructured.Unstructured, error) {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(raw), 4096)
	var all []*unstructured.Unstructured
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		if len(object.Object) > 0 {
			all = append(all, object)
		}
	}
}

// edgeSecret holds the certificate that Traefik serves wherever no other is named.
func edgeSecret(state layout.State) (*unstructured.Unstructured, error) {
	cert, err := os.ReadFile(state.PKI("edge.crt"))
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(state.PKI("edge.key"))
	if err != nil {
		return nil, err
	}
	secret := &corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Name: "edge-certificate", Namespace: "traefik"},
		Type:       corev1.SecretTypeTLS,
		Data:       map[string][]byte{corev1.TLSCertKey: cert, corev1.TLSPrivateKeyKey: key},
	}
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(secret)
	return &unstructured.Unstructured{Object: object}, err
}

type applier struct {
	client dynamic.Interface
	mapper *restmapper.DeferredDiscoveryRESTMapper
}

func newApplier(config *rest.Config) (*applier, error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	found, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	return &applier{client: client, mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(found))}, nil
}

// apply retries what only time can mend: a kind that is not served yet, a namespace or default that a controller is
// still making. Everything else is an error at once.
func (a *applier) apply(ctx context.Context, object *unstructured.Unstructured) error {
	var fatal error
	err := process.Await(ctx, "the API server to accept it", func(ctx context.Context) error {
		err := a.applyOnce(ctx, object)
		if err != nil && !passing(err) {
			fatal = err
			return nil
		}
		return err
	})
	return errors.Join(fatal, err)
}

func passing(err error) bool {
	return meta.IsNoMatchError(err) || apierrors.IsNotFound(err) || apierrors.IsServerTimeout(err) ||
		apierrors.IsServiceUnavailable(err) || apierrors.IsTooManyRequests(err) || apierrors.IsForbidden(err) ||
		apierrors.IsInternalError(err)
}

func (a *applier) applyOnce(ctx context.Context, object *unstructured.Unstructured) error {
	kind := object.GroupVersionKind()
	mapping, err := a.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		if meta.IsNoMatchError(err) {
			a.mapper.Reset()
		}
		return err
	}
	var resource dynamic.ResourceInterface = a.client.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		resource = a.client.Resource(mapping.Resource).Namespace(object.GetNamespace())
	}
	_, err = resource.Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	return err
}
