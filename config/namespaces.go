package config

import (
	"slices"
	"strings"
)

// componentNamespaces are where the documentation or the chart of each puts it.
var componentNamespaces = []string{
	// Kubernetes itself and what installers add.
	"default", "kube-system", "kube-public", "kube-node-lease", "kubernetes-dashboard", "local-path-storage",
	// Networks.
	"kube-flannel", "kube-router", "kube-ovn", "kube-vip", "calico-system", "calico-apiserver", "tigera-operator", "cilium",
	"cilium-secrets", "metallb-system",
	// Edges and meshes.
	"traefik", "ingress-nginx", "nginx-ingress", "nginx-gateway", "haproxy-controller", "envoy-gateway-system", "projectcontour", "kong",
	"istio-system", "istio-ingress", "linkerd", "linkerd-viz", "linkerd-cni", "consul",
	// Certificates, secrets, policies.
	"cert-manager", "external-secrets", "sealed-secrets", "vault", "kyverno", "gatekeeper-system",
	// Storage and backups.
	"rook-ceph", "longhorn-system", "openebs", "velero", "trident", "portworx", "linstor", "piraeus-datastore", "snapshot-controller",
	// Deployment, scaling, names.
	"argocd", "flux-system", "fleet-system", "crossplane-system", "upbound-system", "olm", "operators", "keda", "knative-serving",
	"knative-eventing", "external-dns", "karpenter", "node-feature-discovery", "gpu-operator", "kured",
	// Clouds.
	"config-management-system", "asm-system", "azure-arc", "app-routing-system",
	"amazon-cloudwatch", "amazon-guardduty", "aws-observability",
}

// componentPrefixes begin the names of namespaces that a distribution or a cloud keeps for itself.
var componentPrefixes = []string{"openshift-", "gke-", "gmp-", "cattle-", "rook-ceph-"}

func isComponents(namespace string) bool {
	return namespace == "openshift" || slices.Contains(componentNamespaces, namespace) ||
		slices.ContainsFunc(componentPrefixes, func(prefix string) bool { return strings.HasPrefix(namespace, prefix) })
}
