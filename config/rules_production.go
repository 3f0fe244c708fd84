package config

import (
	"github.com/distribution/reference"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

var productionRules = []rule{
	{pinnedFrontendImage, []string{"profile", "frontend.image"}},
	{pinnedDatabaseImage, []string{"profile", "database.mode", "database.image"}},
	{noNodePort, []string{"profile", "frontend.service.type"}},
	{protectedStorage, []string{"profile", "storage.protect"}},
	{severalReplicas, []string{"profile", "autoscaling", "frontend.replicas"}},
	{encryptedSite, []string{"profile", "ingress"}},
}

// In production frontend.image has a tag other than latest, or a digest: a pod that restarts must not bring
// another WordPress than its neighbours.
func pinnedFrontendImage(d *draft) field.ErrorList {
	return d.checkPinned("frontend.image", d.stack.Frontend.Image)
}

// In production database.image has a tag other than latest, or a digest: MySQL upgrades its data directory and
// does not go back.
func pinnedDatabaseImage(d *draft) field.ErrorList {
	if d.stack.Database.Mode != Standalone {
		return nil
	}
	return d.checkPinned("database.image", d.stack.Database.Image)
}

func (d *draft) checkPinned(key, image string) field.ErrorList {
	if d.stack.Profile != Production || isPinned(image) {
		return nil
	}
	return invalid(key, image, "must have a tag other than latest, or a digest, in production")
}

func isPinned(image string) bool {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return false
	}
	if _, digested := named.(reference.Digested); digested {
		return true
	}
	tagged, ok := named.(reference.Tagged)
	return ok && tagged.Tag() != "latest"
}

// In production frontend.service.type is ClusterIP: a NodePort goes round the ingress and its TLS.
func noNodePort(d *draft) field.ErrorList {
	service := d.stack.Frontend.Service
	if d.stack.Profile != Production || service.Type != NodePort {
		return nil
	}
	return invalid("frontend.service.type", service.Type, "must be ClusterIP in production: visitors come through the ingress")
}

// In production storage.protect is on.
func protectedStorage(d *draft) field.ErrorList {
	if d.stack.Profile != Production || *d.stack.Storage.Protect {
		return nil
	}
	return invalid("storage.protect", false, "must be true in production: the data would go with the stack")
}

// In production there are at least two pods, so that the site outlives one.
func severalReplicas(d *draft) field.ErrorList {
	least, _ := d.stack.ReplicaRange()
	if d.stack.Profile != Production || least > 1 {
		return nil
	}
	key := "frontend.replicas"
	if *d.stack.Autoscaling.Enabled {
		key = "autoscaling.minReplicas"
	}
	return invalid(key, least, "must be at least 2 in production")
}

// In production ingress.tls has a source of the certificate, unless ingress.kind is none.
func encryptedSite(d *draft) field.ErrorList {
	i := d.stack.Ingress
	if d.stack.Profile != Production || i.Kind == IngressNone || i.TLS.Enabled() {
		return nil
	}
	return field.ErrorList{field.Required(at("ingress.tls"),
		"production is served over HTTPS: set one of certResolver, existingSecret, clusterIssuer or defaultCertificate")}
}
