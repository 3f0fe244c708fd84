package ingress

import (
	"fmt"
	"strconv"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	networkingv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/networking/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func registerIngress(ctx *pulumi.Context, name string, args *Args, parent pulumi.ResourceOption) error {
	if _, err := networkingv1.NewIngress(ctx, name+"-ingress", ingressArgs(args), parent); err != nil {
		return fmt.Errorf("ingress: %w", err)
	}
	return nil
}

func ingressArgs(args *Args) *networkingv1.IngressArgs {
	spec := &networkingv1.IngressSpecArgs{Rules: networkingv1.IngressRuleArray{ingressRule(args)}}
	if args.ClassName != "" {
		spec.IngressClassName = pulumi.String(args.ClassName)
	}
	if args.TLS != nil {
		spec.Tls = networkingv1.IngressTLSArray{&networkingv1.IngressTLSArgs{
			Hosts: pulumi.ToStringArray([]string{args.Host}), SecretName: pulumi.String(args.TLS.secret()),
		}}
	}
	// Waiting for an address hangs for ten minutes with a controller that publishes none.
	annotations := pulumi.StringMap{"pulumi.com/skipAwait": pulumi.String("true")}
	for key, value := range limits(args) {
		annotations[key] = pulumi.String(value)
	}
	for key, value := range args.Annotations {
		annotations[key] = pulumi.String(value)
	}
	return &networkingv1.IngressArgs{
		Metadata: &metav1.ObjectMetaArgs{
			Name: pulumi.String(Name), Namespace: args.Namespace, Labels: labelSet(args).All(), Annotations: annotations,
		},
		Spec: spec,
	}
}

// limits have ingress-nginx take what the pods take. Its own are 1 MiB and 60 s, so that every larger upload would fail. Other
// controllers pass these annotations over and have means of their own.
func limits(args *Args) map[string]string {
	const prefix = "nginx.ingress.kubernetes.io/"
	seconds := strconv.Itoa(args.MaxRequestSeconds)
	return map[string]string{
		prefix + "proxy-body-size":    strconv.FormatInt(args.MaxBodyBytes, 10),
		prefix + "proxy-read-timeout": seconds,
		prefix + "proxy-send-timeout": seconds,
	}
}

func ingressRule(args *Args) *networkingv1.IngressRuleArgs {
	return &networkingv1.IngressRuleArgs{
		Host: pulumi.String(args.Host),
		Http: &networkingv1.HTTPIngressRuleValueArgs{Paths: networkingv1.HTTPIngressPathArray{
			&networkingv1.HTTPIngressPathArgs{
				Path:     pulumi.String("/"),
				PathType: pulumi.String("Prefix"),
				Backend: &networkingv1.IngressBackendArgs{Service: &networkingv1.IngressServiceBackendArgs{
					Name: args.Service.ToStringOutput(),
					Port: &networkingv1.ServiceBackendPortArgs{Name: pulumi.String(args.ServicePort)},
				}},
			},
		}},
	}
}

// registerCertificate asks cert-manager for a certificate. Its shims serve Ingress objects only, so a
// Certificate of our own works the same for every kind.
func registerCertificate(ctx *pulumi.Context, name string, args *Args, parent pulumi.ResourceOption) error {
	_, err := apiextensions.NewCustomResource(ctx, name+"-certificate", certificateArgs(args), parent)
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	return nil
}

func certificateArgs(args *Args) *apiextensions.CustomResourceArgs {
	return &apiextensions.CustomResourceArgs{
		ApiVersion: pulumi.String("cert-manager.io/v1"),
		Kind:       pulumi.String("Certificate"),
		Metadata: &metav1.ObjectMetaArgs{
			Name: pulumi.String(Name), Namespace: args.Namespace, Labels: labelSet(args).All(),
			Annotations: pulumi.StringMap{"pulumi.com/waitFor": pulumi.String("condition=Ready")},
		},
		OtherFields: kubernetes.UntypedArgs{"spec": pulumi.Map{
			"secretName": pulumi.String(CertificateSecret),
			"dnsNames":   pulumi.ToStringArray([]string{args.Host}),
			"issuerRef": pulumi.Map{
				"kind": pulumi.String("ClusterIssuer"), "name": pulumi.String(args.TLS.ClusterIssuer),
			},
		}},
	}
}
