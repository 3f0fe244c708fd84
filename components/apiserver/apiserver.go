// Package apiserver asks the cluster that the Kubernetes provider deploys to whether an object is there.
package apiserver

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"

	"wordpress-on-kubernetes/components/guard"
)

// The time after which the cluster counts as one that does not answer. A preview can do without: its patience is enough for a cluster
// that is far away, and short enough for a preview without a network. An update cannot, and an API server under load is slow.
const (
	patience   = 10 * time.Second
	insistence = 30 * time.Second
)

// tries is how often an update asks before it gives up.
const tries = 3

// A stack's objects are looked up within a second; client-go's own limits would make them wait for several. They are the provider's.
const (
	requestsPerSecond = 50
	burst             = 120
)

// claimKind is the one kind of which more is read than who made the object.
const claimKind = "PersistentVolumeClaim"

// What is asked for. Of all kinds but claims, the metadata is enough, so that no secret travels.
const (
	metadataAlone = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
	wholeObject   = "application/json"
)

// Client asks one cluster.
type Client struct {
	connect func() (rest.Interface, error)
	insist  bool

	mu sync.Mutex
	// resources of an API version, by kind.
	resources map[string]map[string]metav1.APIResource
	// silence is why the cluster did not answer. It is not asked again, unless somebody insists.
	silence error
}

// New returns a client of the cluster that the provider's settings lead to. It connects when it is first asked.
func New(settings Settings) *Client {
	return &Client{
		connect: sync.OnceValues(func() (rest.Interface, error) {
			config, err := settings.ClientConfig()
			if err != nil {
				return nil, err
			}
			scheme := runtime.NewScheme()
			metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
			config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
			config.Timeout = patience
			if settings.Insist {
				config.Timeout = insistence
			}
			config.QPS, config.Burst = requestsPerSecond, burst
			return rest.UnversionedRESTClientFor(config)
		}),
		insist:    settings.Insist,
		resources: map[string]map[string]metav1.APIResource{},
	}
}

// persist asks again where somebody insists.
func (c *Client) persist(client rest.Interface, object guard.Object) (*guard.Found, error) {
	found, err := c.find(client, object)
	for try := 1; err != nil && c.insist && try < tries; try++ {
		found, err = c.find(client, object)
	}
	return found, err
}

// silenced keeps the first reason for which the cluster did not answer, and returns it.
func (c *Client) silenced(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.insist {
		return err
	}
	if c.silence == nil && err != nil {
		c.silence = fmt.Errorf("the cluster does not answer: %w", err)
	}
	return c.silence
}

// object is what is read of one.
type object struct {
	metav1.PartialObjectMetadata `json:",inline"`

	Spec struct {
		AccessModes []string `json:"accessModes"`
	} `json:"spec"`
}

func (c *Client) find(client rest.Interface, wanted guard.Object) (*guard.Found, error) {
	resource, err := c.resource(client, wanted)
	if err != nil || resource == nil {
		return nil, err
	}
	path := []string{root(wanted.APIVersion)}
	if resource.Namespaced {
		path = append(path, "namespaces", wanted.Namespace)
	}
	accept := metadataAlone
	if wanted.Kind == claimKind {
		accept = wholeObject
	}
	text, err := client.Get().AbsPath(append(path, resource.Name, wanted.Name)...).SetHeader("Accept", accept).Do(context.Background()).Raw()
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found object
	if err := json.Unmarshal(text, &found); err != nil {
		return nil, fmt.Errorf("answer of the API server: %w", err)
	}
	return &guard.Found{
		Labels: found.Labels, Annotations: found.Annotations, Leaving: found.DeletionTimestamp != nil, AccessModes: found.Spec.AccessModes,
	}, nil
}

// resource is where the API server has the objects of a kind. Nil: it does not know the kind, so that there are none.
func (c *Client) resource(client rest.Interface, wanted guard.Object) (*metav1.APIResource, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, asked := c.resources[wanted.APIVersion]
	if !asked {
		text, err := client.Get().AbsPath(root(wanted.APIVersion)).SetHeader("Accept", wholeObject).Do(context.Background()).Raw()
		if err != nil && !apierrors.IsNotFound(err) {
			return nil, err
		}
		var list metav1.APIResourceList
		if err == nil {
			if err := json.Unmarshal(text, &list); err != nil {
				return nil, fmt.Errorf("answer of the API server: %w", err)
			}
		}
		known = map[string]metav1.APIResource{}
		for _, resource := range list.APIResources {
			if _, isMain := known[resource.Kind]; !isMain && !isSubresource(resource.Name) {
				known[resource.Kind] = resource
			}
		}
		c.resources[wanted.APIVersion] = known
	}
	if resource, isKnown := known[wanted.Kind]; isKnown {
		return &resource, nil
	}
	return nil, nil
}
