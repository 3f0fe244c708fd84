package rules

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"wordpress-on-kubernetes/tests/mocks"
)

// secretReference wants every Secret that is named to be there, with the keys that are read.
func secretReference(p *plan, report report) {
	for _, w := range p.workloads {
		for _, volume := range w.template.Spec.Volumes {
			if volume.Secret != nil {
				p.wantSecret(report, w.object, volume.Secret.SecretName, paths(volume.Secret.Items))
			}
			for _, source := range projections(volume) {
				if source.Secret != nil {
					p.wantSecret(report, w.object, source.Secret.Name, paths(source.Secret.Items))
				}
			}
		}
	}
	for _, ingress := range p.ingresses {
		for _, tls := range ingress.typed.Spec.TLS {
			p.wantSecret(report, ingress.object, tls.SecretName, nil)
		}
	}
	for _, route := range p.routes {
		if name := route.typed.Spec.TLS.SecretName; name != "" {
			p.wantSecret(report, route.object, name, nil)
		}
	}
}

func (p *plan) wantSecret(report report, object mocks.Object, name string, keys []string) {
	if slices.Contains(p.existing, name) || p.issued(object.Namespace(), name) {
		return
	}
	secret, found := find(p.secrets, object.Namespace(), name)
	if !found {
		report(object, "Secret %q is not in the stack", name)
		return
	}
	for _, key := range keys {
		_, inText := secret.StringData[key]
		_, inData := secret.Data[key]
		if !inText && !inData {
			report(object, "Secret %q has no key %q", name, key)
		}
	}
}

// issued reports whether a Certificate fills the Secret.
func (p *plan) issued(namespace, secret string) bool {
	return slices.ContainsFunc(p.certificates, func(c decoded[certificate]) bool {
		return c.object.Namespace() == namespace && c.typed.Spec.SecretName == secret
	})
}

// configReference wants every ConfigMap that is mounted to be there, with the keys that are mounted as files.
func configReference(p *plan, report report) {
	for _, w := range p.workloads {
		for _, volume := range w.template.Spec.Volumes {
			if volume.ConfigMap == nil {
				continue
			}
			name := volume.ConfigMap.Name
			configMap, found := find(p.configMaps, w.object.Namespace(), name)
			if !found {
				report(w.object, "ConfigMap %q is not in the stack", name)
				continue
			}
			for _, key := range slices.Concat(paths(volume.ConfigMap.Items), files(w, volume.Name)) {
				if _, found := configMap.Data[key]; !found {
					report(w.object, "ConfigMap %q has no key %q", name, key)
				}
			}
		}
	}
}

// files are the parts of a volume that are mounted by themselves.
func files(w workload, volume string) []string {
	var names []string
	for _, container := range w.containers() {
		for _, mount := range container.VolumeMounts {
			if mount.Name == volume && mount.SubPath != "" {
				names = append(names, mount.SubPath)
			}
		}
	}
	return names
}

func claimReference(p *plan, report report) {
	for _, w := range p.workloads {
		for _, volume := range w.template.Spec.Volumes {
			if volume.PersistentVolumeClaim == nil {
				continue
			}
			name := volume.PersistentVolumeClaim.ClaimName
			if _, found := find(p.claims, w.object.Namespace(), name); !found {
				report(w.object, "PersistentVolumeClaim %q is not in the stack", name)
			}
		}
	}
}

func volumeMount(p *plan, report report) {
	for _, w := range p.workloads {
		mounted := map[string]bool{}
		for _, container := range w.containers() {
			for _, mount := range container.VolumeMounts {
				mounted[mount.Name] = true
				isIt := func(v corev1.Volume) bool { return v.Name == mount.Name }
				if !slices.ContainsFunc(w.template.Spec.Volumes, isIt) {
					report(w.object, "container %q mounts the volume %q, which the pod lacks", container.Name, mount.Name)
				}
			}
		}
		for _, volume := range w.template.Spec.Volumes {
			if !mounted[volume.Name] {
				report(w.object, "no container mounts the volume %q", volume.Name)
			}
		}
	}
}

// backend wants the edge to lead to a Service of the stack, on a port that it has.
func backend(p *plan, report report) {
	for _, ingress := range p.ingresses {
		for _, rule := range ingress.typed.Spec.Rules {
			for _, path := range rule.HTTP.Paths {
				service := path.Backend.Service
				if service == nil {
					report(ingress.object, "path %q leads to no Service", path.Path)
					continue
				}
				p.wantPort(report, ingress.object, service.Name, service.Port.Name)
			}
		}
	}
	for _, route := range p.routes {
		for _, rule := range route.typed.Spec.Routes {
			for _, service := range rule.Services {
				port, _ := service.Port.(string)
				p.wantPort(report, route.object, service.Name, port)
			}
		}
	}
}

func (p *plan) wantPort(report report, object mocks.Object, name, port string) {
	service, found := find(p.services, object.Namespace(), name)
	isIt := func(sp corev1.ServicePort) bool { return sp.Name == port }
	if !found || !slices.ContainsFunc(service.Spec.Ports, isIt) {
		report(object, "the stack has no Service %q with a port named %q", name, port)
	}
}

func middleware(p *plan, report report) {
	for _, route := range p.routes {
		for _, rule := range route.typed.Spec.Routes {
			for _, m := range rule.Middlewares {
				if _, found := find(p.middlewares, route.object.Namespace(), m.Name); !found {
					report(route.object, "Middleware %q is not in the stack", m.Name)
				}
			}
		}
	}
}

func serversTransport(p *plan, report report) {
	for _, route := range p.routes {
		for _, rule := range route.typed.Spec.Routes {
			for _, service := range rule.Services {
				if service.ServersTransport == "" {
					continue
				}
				if _, found := find(p.transports, route.object.Namespace(), service.ServersTransport); !found {
					report(route.object, "ServersTransport %q is not in the stack", service.ServersTransport)
				}
			}
		}
	}
}

func tlsOption(p *plan, report report) {
	for _, route := range p.routes {
		options := route.typed.Spec.TLS.Options.Name
		if options == "" {
			continue
		}
		if _, found := find(p.tlsOptions, route.object.Namespace(), options); !found {
			report(route.object, "TLSOption %q is not in the stack", options)
		}
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
