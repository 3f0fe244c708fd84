package rules

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"wordpress-on-kubernetes/components/plan"
)

// secretReference wants every Secret that is named to be there, with the keys that are read: without it the pods do not start, and
// the edge serves another certificate.
func secretReference(s *stack, report report) {
	for _, w := range s.workloads {
		for _, volume := range w.template.Spec.Volumes {
			path := volumesPath.Key(volume.Name)
			if volume.Secret != nil {
				s.wantSecret(report, w.object, path.Child("secret"), volume.Secret.SecretName, paths(volume.Secret.Items))
			}
			for i, source := range projections(volume) {
				if source.Secret != nil {
					s.wantSecret(report, w.object, path.Child("projected", "sources").Index(i).Child("secret"),
						source.Secret.Name, paths(source.Secret.Items))
				}
			}
		}
		for i, pull := range w.template.Spec.ImagePullSecrets {
			s.wantSecret(report, w.object, podPath.Child("imagePullSecrets").Index(i), pull.Name, nil)
		}
	}
	for _, ingress := range s.ingresses {
		for i, tls := range ingress.typed.Spec.TLS {
			s.wantSecret(report, ingress.object, field.NewPath("spec", "tls").Index(i), tls.SecretName, nil)
		}
	}
	for _, route := range s.routes {
		if name := route.typed.Spec.TLS.SecretName; name != "" {
			s.wantSecret(report, route.object, field.NewPath("spec", "tls"), name, nil)
		}
	}
}

func (s *stack) wantSecret(report report, object plan.Object, path *field.Path, name string, keys []string) {
	if name != "" && slices.Contains(s.terms.ExistingSecrets, name) || s.issued(object.Namespace(), name) {
		return
	}
	secret, found := find(s.secrets, object.Namespace(), name)
	if !found {
		report(object, notFound(path, name, "name a Secret of the stack, or one that exists already in an existingSecret of the configuration"))
		return
	}
	for _, key := range keys {
		_, inText := secret.StringData[key]
		_, inData := secret.Data[key]
		if !inText && !inData {
			report(object, notFound(path.Child("items"), key, "add the key to the Secret %s, or name one that it has", name))
		}
	}
}

// issued reports whether a Certificate fills the Secret.
func (s *stack) issued(namespace, secret string) bool {
	return slices.ContainsFunc(s.certificates, func(c decoded[certificate]) bool {
		return c.object.Namespace() == namespace && c.typed.Spec.SecretName == secret
	})
}

// configReference wants every ConfigMap that is named to be there, with the keys that are read: without it the pods do not start.
func configReference(s *stack, report report) {
	for _, w := range s.workloads {
		for _, volume := range w.template.Spec.Volumes {
			path := volumesPath.Key(volume.Name)
			if volume.ConfigMap != nil {
				keys := slices.Concat(paths(volume.ConfigMap.Items), files(w, volume.Name))
				s.wantConfig(report, w.object, path.Child("configMap"), volume.ConfigMap.Name, keys)
			}
			for i, source := range projections(volume) {
				if source.ConfigMap != nil {
					s.wantConfig(report, w.object, path.Child("projected", "sources").Index(i).Child("configMap"),
						source.ConfigMap.Name, paths(source.ConfigMap.Items))
				}
			}
		}
	}
	s.forEachContainer(func(w workload, c container) {
		for _, variable := range c.Env {
			if variable.ValueFrom != nil && variable.ValueFrom.ConfigMapKeyRef != nil {
				reference := variable.ValueFrom.ConfigMapKeyRef
				s.wantConfig(report, w.object, c.path.Child("env").Key(variable.Name), reference.Name, []string{reference.Key})
			}
		}
		for i, source := range c.EnvFrom {
			if source.ConfigMapRef != nil {
				s.wantConfig(report, w.object, c.path.Child("envFrom").Index(i), source.ConfigMapRef.Name, nil)
			}
		}
	})
}

func (s *stack) wantConfig(report report, object plan.Object, path *field.Path, name string, keys []string) {
	configMap, found := find(s.configMaps, object.Namespace(), name)
	if !found {
		report(object, notFound(path.Child("name"), name, "name a ConfigMap of the stack"))
		return
	}
	for _, key := range keys {
		_, inText := configMap.Data[key]
		_, inBinary := configMap.BinaryData[key]
		if !inText && !inBinary {
			report(object, notFound(path, key, "add the key to the ConfigMap %s, or mount one that it has", name))
		}
	}
}

// files are the parts of a volume that are mounted by themselves.
func files(w workload, volume string) []string {
	var names []string
	for _, c := range w.containers() {
		for _, mount := range c.VolumeMounts {
			if mount.Name == volume && mount.SubPath != "" {
				names = append(names, mount.SubPath)
			}
		}
	}
	return names
}

// claimReference wants every claim that is mounted to be there: without it the pods stay pending.
func claimReference(s *stack, report report) {
	for _, w := range s.workloads {
		for _, volume := range w.template.Spec.Volumes {
			if volume.PersistentVolumeClaim == nil {
				continue
			}
			name := volume.PersistentVolumeClaim.ClaimName
			if name != "" && slices.Contains(s.terms.ExistingClaims, name) {
				continue
			}
			if _, found := find(s.claims, w.object.Namespace(), name); !found {
				report(w.object, notFound(volumesPath.Key(volume.Name).Child("persistentVolumeClaim", "claimName"), name,
					"name a PersistentVolumeClaim of the stack, or one that exists already in an existingClaim of the configuration"))
			}
		}
	}
}

// volumeMount wants mounts and volumes to match: what nobody mounts was forgotten.
func volumeMount(s *stack, report report) {
	for _, w := range s.workloads {
		mounted := map[string]bool{}
		for _, c := range w.containers() {
			for _, mount := range c.VolumeMounts {
				mounted[mount.Name] = true
				isIt := func(v corev1.Volume) bool { return v.Name == mount.Name }
				if !slices.ContainsFunc(w.template.Spec.Volumes, isIt) {
					report(w.object, notFound(c.path.Child("volumeMounts").Key(mount.MountPath), mount.Name, "name a volume of the pod"))
				}
			}
		}
		for _, volume := range w.template.Spec.Volumes {
			if !mounted[volume.Name] {
				report(w.object, field.Forbidden(volumesPath.Key(volume.Name), "no container mounts it: mount it, or remove it"))
			}
		}
	}
}

// databaseVariable is where the official WordPress image reads the address of its database.
const databaseVariable = "WORDPRESS_DB_HOST"

// databaseHost wants the database that WordPress is told to be a Service of the stack, or the external one: no pod becomes ready
// without it.
func databaseHost(s *stack, report report) {
	s.forEachContainer(func(w workload, c container) {
		for _, variable := range c.Env {
			if variable.Name != databaseVariable {
				continue
			}
			host, port := splitAddress(variable.Value)
			if external := s.terms.ExternalDatabase; external != "" && host == external {
				continue
			}
			service, found := find(s.services, w.object.Namespace(), host)
			hasPort := func(p corev1.ServicePort) bool { return strconv.Itoa(int(p.Port)) == port }
			if !found || !slices.ContainsFunc(service.Spec.Ports, hasPort) {
				report(w.object, notFound(c.path.Child("env").Key(variable.Name), variable.Value,
					"give a Service of the stack and one of its ports, as name:port"))
			}
		}
	})
}

// splitAddress cuts host:port at the last colon: an IPv6 address has more of them.
func splitAddress(address string) (host, port string) {
	i := strings.LastIndexByte(address, ':')
	if i < 0 {
		return address, ""
	}
	return address[:i], address[i+1:]
}

// backend wants the edge to lead to a Service of the stack, on a port that it has: visitors get an error otherwise.
func backend(s *stack, report report) {
	for _, ingress := range s.ingresses {
		for _, place := range backends(ingress.typed.Spec) {
			if place.Service == nil {
				report(ingress.object, field.Required(place.path.Child("service"), "name a Service of the stack"))
				continue
			}
			s.wantPort(report, ingress.object, place.path.Child("service"), place.Service.Name, place.Service.Port.Name)
		}
	}
	for _, route := range s.routes {
		for i, rule := range route.typed.Spec.Routes {
			for j, service := range rule.Services {
				port, _ := service.Port.(string)
				s.wantPort(report, route.object, servicePath(i, j), service.Name, port)
			}
		}
	}
}

// placedBackend is a backend of an Ingress and its place there.
type placedBackend struct {
	*networkingv1.IngressBackend
	path *field.Path
}

// backends are all of an Ingress, the default one included.
func backends(spec networkingv1.IngressSpec) []placedBackend {
	var list []placedBackend
	if spec.DefaultBackend != nil {
		list = append(list, placedBackend{spec.DefaultBackend, field.NewPath("spec", "defaultBackend")})
	}
	for i, rule := range spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		path := field.NewPath("spec", "rules").Index(i).Child("http", "paths")
		for j := range rule.HTTP.Paths {
			list = append(list, placedBackend{&rule.HTTP.Paths[j].Backend, path.Index(j).Child("backend")})
		}
	}
	return list
}

// servicePath is the place of a service in an IngressRoute.
func servicePath(route, service int) *field.Path {
	return field.NewPath("spec", "routes").Index(route).Child("services").Index(service)
}

func (s *stack) wantPort(report report, object plan.Object, path *field.Path, name, port string) {
	service, found := find(s.services, object.Namespace(), name)
	if !found {
		report(object, notFound(path.Child("name"), name, "name a Service of the stack"))
		return
	}
	names := make([]string, 0, len(service.Spec.Ports))
	for _, p := range service.Spec.Ports {
		names = append(names, p.Name)
	}
	if !slices.Contains(names, port) {
		report(object, notFound(path.Child("port"), port, "name one of the ports of the Service %s: %q", name, names))
	}
}

// middleware wants every Middleware that a route names to be there: the route is broken otherwise.
func middleware(s *stack, report report) {
	for _, route := range s.routes {
		for i, rule := range route.typed.Spec.Routes {
			for j, m := range rule.Middlewares {
				path := field.NewPath("spec", "routes").Index(i).Child("middlewares").Index(j)
				wantNamed(report, route.object, path.Child("name"), s.middlewares, "Middleware", m.Name)
			}
		}
	}
}

// serversTransport wants every ServersTransport that a route names to be there: the route is broken otherwise.
func serversTransport(s *stack, report report) {
	for _, route := range s.routes {
		for i, rule := range route.typed.Spec.Routes {
			for j, service := range rule.Services {
				wantNamed(report, route.object, servicePath(i, j).Child("serversTransport"), s.transports, "ServersTransport", service.ServersTransport)
			}
		}
	}
}

// tlsOption wants the TLSOption that a route names to be there: the route does not have the versions of TLS that it asks for
// otherwise.
func tlsOption(s *stack, report report) {
	for _, route := range s.routes {
		wantNamed(report, route.object, field.NewPath("spec", "tls", "options", "name"), s.tlsOptions, "TLSOption",
			route.typed.Spec.TLS.Options.Name)
	}
}

// wantNamed reports a name, unless it is empty, that no object of the namespace has.
func wantNamed[T any](report report, object plan.Object, path *field.Path, list []decoded[T], kind, name string) {
	if name == "" {
		return
	}
	if _, found := find(list, object.Namespace(), name); !found {
		report(object, notFound(path, name, "name a %s of the stack", kind))
	}
}

func projections(volume corev1.Volume) []corev1.VolumeProjection {
	if volume.Projected == nil {
		return nil
	}
	return volume.Projected.Sources
}

func paths(items []corev1.KeyToPath) []string {
	keys := make([]string, 0, len(items))
	for _, item := range items {
		keys = append(keys, item.Key)
	}
	return keys
}
