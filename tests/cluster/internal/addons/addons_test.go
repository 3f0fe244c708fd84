package addons

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"wordpress-on-kubernetes/tests/cluster/internal/provisioner"
	"wordpress-on-kubernetes/tests/cluster/internal/spec"
)

// objects returns the manifests of one kind, by name.
func objects(t *testing.T, kind string) map[string]*unstructured.Unstructured {
	t.Helper()
	all, err := Manifests()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*unstructured.Unstructured{}
	for _, object := range all {
		if object.GetKind() == kind {
			found[object.GetName()] = object
		}
	}
	return found
}

// into decodes strictly: a field that the type does not have is an error.
func into(t *testing.T, object *unstructured.Unstructured, typed any) {
	t.Helper()
	if object == nil {
		t.Fatal("no such object")
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, typed, true); err != nil {
		t.Fatalf("%s %s: %v", object.GetKind(), object.GetName(), err)
	}
}

func TestServicesHaveTheAddressesThatTheClusterExpects(t *testing.T) {
	services := objects(t, "Service")
	var dns, edge corev1.Service
	into(t, services["kube-dns"], &dns)
	if dns.Spec.ClusterIP != spec.DNSIP {
		t.Errorf("DNS is at %s, and the kubelets tell pods %s", dns.Spec.ClusterIP, spec.DNSIP)
	}
	into(t, services["traefik"], &edge)
	var names corev1.ConfigMap
	into(t, objects(t, "ConfigMap")["coredns"], &names)
	if answer := "IN A " + spec.EdgeIP + `"`; edge.Spec.ClusterIP != spec.EdgeIP || !strings.Contains(names.Data["Corefile"], answer) {
		t.Errorf("the edge is at %s, which DNS does not tell of: want %s", edge.Spec.ClusterIP, spec.EdgeIP)
	}
	want := map[string]int32{"web": spec.WebNodePort, "websecure": spec.SecureNodePort}
	for _, port := range edge.Spec.Ports {
		if port.NodePort != want[port.Name] {
			t.Errorf("%s is on node port %d, and the host forwards to %d", port.Name, port.NodePort, want[port.Name])
		}
	}
}

// Who is trusted may say that he is anybody, so no pod is.
func TestTheEdgeTrustsTheNodesAlone(t *testing.T) {
	nodes := netip.PrefixFrom(netip.MustParseAddr(spec.FabricIP), spec.FabricPrefix).Masked()
	trusted := []string{nodes.String()}
	for n := 1; n <= spec.MaxNodes; n++ {
		bridge := slices.Clone(spec.NodePods(n).IP.To4())
		bridge[3]++
		trusted = append(trusted, bridge.String())
	}
	var edge appsv1.Deployment
	into(t, objects(t, "Deployment")["traefik"], &edge)
	arguments := edge.Spec.Template.Spec.Containers[0].Args
	for _, port := range []string{"web", "websecure"} {
		want := "--entrypoints." + port + ".proxyprotocol.trustedips=" + strings.Join(trusted, ",")
		if !slices.Contains(arguments, want) {
			t.Errorf("%s is not among %v", want, arguments)
		}
	}
}

func TestEveryDeploymentIsAwaitedAndSmall(t *testing.T) {
	deployments := objects(t, "Deployment")
	for _, d := range Deployments {
		if object := deployments[d.Name]; object == nil || object.GetNamespace() != d.Namespace {
			t.Errorf("awaited, but not installed: %s/%s", d.Namespace, d.Name)
		}
	}
	if len(deployments) != len(Deployments) {
		t.Errorf("%d Deployments are installed and %d awaited", len(deployments), len(Deployments))
	}
	most := resource.MustParse("50m")
	for name, object := range deployments {
		var deployment appsv1.Deployment
		into(t, object, &deployment)
		for _, container := range deployment.Spec.Template.Spec.Containers {
			if cpu := container.Resources.Requests.Cpu(); cpu.IsZero() || cpu.Cmp(most) > 0 {
				t.Errorf("%s requests %s of CPU; the workload under test needs the rest", name, cpu)
			}
			if !strings.HasPrefix(container.Image, "localhost/") {
				t.Errorf("%s has image %s, which cannot be pulled", name, container.Image)
			}
			if container.ReadinessProbe == nil {
				t.Errorf("%s has no readiness probe: its being available means nothing", name)
			}
		}
	}
}

func TestStorageClasses(t *testing.T) {
	binding := map[string]storagev1.VolumeBindingMode{
		"local-block":         storagev1.VolumeBindingWaitForFirstConsumer,
		"local-shared":        storagev1.VolumeBindingImmediate,
		"local-shared-retain": storagev1.VolumeBindingImmediate,
		"local-shared-root":   storagev1.VolumeBindingImmediate,
		"local-shared-owned":  storagev1.VolumeBindingImmediate,
		"local-disk":          storagev1.VolumeBindingImmediate,
	}
	for name, want := range binding {
		var class storagev1.StorageClass
		into(t, objects(t, "StorageClass")[name], &class)
		if class.Provisioner != provisioner.Name {
			t.Errorf("%s has provisioner %q, and ours is %q", name, class.Provisioner, provisioner.Name)
		}
		if *class.VolumeBindingMode != want {
			t.Errorf("%s binds %s, want %s", name, *class.VolumeBindingMode, want)
		}
	}
}
