package apiserver

import (
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"wordpress-on-kubernetes/components/guard"
)

// Lookup is a guard.Lookup.
func (c *Client) Lookup(object guard.Object) (*guard.Found, error) {
	if silence := c.silenced(nil); silence != nil {
		return nil, silence
	}
	client, err := c.connect()
	if err != nil {
		return nil, c.silenced(err)
	}
	found, err := c.persist(client, object)
	var answer apierrors.APIStatus
	if err != nil && !errors.As(err, &answer) {
		return nil, c.silenced(err)
	}
	return found, err
}
