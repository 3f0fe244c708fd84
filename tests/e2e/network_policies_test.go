package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

const (
	// outsideNamespace is that of pods which no policy concerns.
	outsideNamespace = "wordpress-e2e-outside"

	// metadataAddress is where clouds keep the credentials of a machine.
	metadataAddress = "169.254.169.254:80"
	kubeletPort     = 10250

	// knock tells of every address whether anybody answered, with yes or no alike, or the packets got lost, as those do that
	// a policy drops. bash connects by itself, so no image needs a client. Its first arguments are how many addresses are tried at a
	// time, of which a dozen fit into the pod's memory, and how many seconds each is waited for.
	knock = `export together=$1 patience=$2; shift 2; printf '%s\n' "$@" | xargs -P "$together" -n 1 bash -c '
	timeout "$patience" bash -c "exec 3<>/dev/tcp/${1%:*}/${1##*:}" 2>/dev/null
	if [ $? -eq 124 ]; then echo "$1 lost"; else echo "$1 answered"; fi' -`
)

// usualPorts are tried at every pod, beside those that any pod declares.
var usualPorts = []int{22, 53, 80, 443, 3306, 8080, 8443, 33060}

// cronLabels are those of the pods that ask WordPress for its scheduled tasks.
var cronLabels = map[string]string{"app.kubernetes.io/name": "wordpress", "app.kubernetes.io/component": "cron"}

// party is a pod that takes part.
type party struct {
	// role is web, database, dns or edge for what is there anyway. A stranger is inside or outside the site's namespace, beside
	// the edge in its namespace, like the edge in its namespace and with its labels, or an impostor with its labels elsewhere. A task
	// has the labels of the CronJob's pods.
	role      string
	pod       corev1.Pod
	container string
}

func (p party) String() string { return p.role + " " + p.pod.Name }

// TestNetworkPolicies tries every pair of pods and ports both ways, the API server, the nodes and the metadata address.
func TestNetworkPolicies(t *testing.T) {
	s := subjectOf(t, ours)
	defer s.holdReplicas(t)()
	parties := s.parties(t)
	targets := s.targets(t, parties)
	var found findings
	var all sync.WaitGroup
	for _, from := range parties {
		if from.container == "" {
			continue // an image without a shell
		}
		all.Go(func() { s.knockAtAll(t.Context(), from, targets, &found) })
		all.Go(func() { s.lookUpName(t.Context(), from, &found) })
	}
	all.Wait()
	// The one way in that is left: the edge's.
	if err := s.visitor.reads(t.Context(), s.article); err != nil {
		found.add(1, fmt.Errorf("through the edge: %w", err))
	}
	s.keep(t, proof{promise: 16, title: "the network is closed", rounds: found.tried,
		tried: "every pod of the site, strangers beside them, outside and beside the edge, and pods with the edge's labels in its " +
			"namespace and in another try each other, the edge and DNS on every port, the API server, the kubelets and the metadata " +
			"address",
		figure: fmt.Sprintf("%d connections tried: %s", found.tried, outcome(found.problem,
			"the edge and the scheduled tasks' pods reach WordPress, WordPress reaches MySQL, both look up names, and nothing else passes")),
		figures: evidence.Figures{"connections": float64(found.tried)}}, found.problem)
}

// findings are what many tries at a time find.
type findings struct {
	mutex   sync.Mutex
	tried   int
	problem error
}

func (f *findings) add(tried int, problem error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.tried += tried
	f.problem = errors.Join(f.problem, problem)
}

// target is an address, whose it is, and who may reach it.
type target struct {
	address, owner string
	allowed        func(party) bool
}

func (s *subject) knockAtAll(ctx context.Context, from party, targets []target, found *findings) {
	// No packet to the pod itself leaves it.
	targets = slices.DeleteFunc(slices.Clone(targets), func(to target) bool {
		host, _, _ := net.SplitHostPort(to.address)
		return host == from.pod.Status.PodIP
	})
	answered, err := s.knock(ctx, from, 12, 3, targets)
	if err != nil {
		found.add(0, err)
		return
	}
	// Who answers late on a busy machine answers all the same; and then so may those who should not.
	silent := slices.DeleteFunc(slices.Clone(targets), func(to target) bool { return answered[to.address] })
	if slices.ContainsFunc(silent, func(to target) bool { return to.allowed(from) }) {
		again, err := s.knock(ctx, from, 12, 10, silent)
		if err != nil {
			found.add(0, err)
			return
		}
		maps.Copy(answered, again)
	}
	for _, to := range targets {
		var problem error
		got, tried := answered[to.address]
		if want := to.allowed(from); !tried || got != want {
			problem = fmt.Errorf("%s to %s of %s: tried %t, answered %t, want %t", from, to.address, to.owner, tried, got, want)
		}
		found.add(1, problem)
	}
}

// knock tells which addresses answered, and which did not.
func (s *subject) knock(ctx context.Context, from party, together, seconds int, targets []target) (map[string]bool, error) {
	args := []string{"exec", "-n", from.pod.Namespace, from.pod.Name, "-c", from.container, "--", "bash", "-c", knock, "-",
		strconv.Itoa(together), strconv.Itoa(seconds)}
	for _, to := range targets {
		args = append(args, to.address)
	}
	output, err := tryKubectl(ctx, s.project, "", args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	answered := map[string]bool{}
	for line := range strings.Lines(output) {
		address, what, _ := strings.Cut(strings.TrimSpace(line), " ")
		answered[address] = what == "answered"
	}
	return answered, nil
}

// parties are all pods of the site, the cluster's DNS and its edge, and strangers.
func (s *subject) parties(t *testing.T) []party {
	t.Helper()
	s.createNamespace(t, outsideNamespace)
	edgeLabels, err := labels.ConvertSelectorToLabelsMap(edgeSelector)
	if err != nil {
		t.Fatal(err)
	}
	parties := []party{
		s.stranger(t, "inside", s.namespace, nil),
		s.stranger(t, "task", s.namespace, cronLabels),
		s.stranger(t, "outside", outsideNamespace, nil),
		s.stranger(t, "impostor", outsideNamespace, edgeLabels),
		s.stranger(t, "beside", edgeNamespace, nil),
		s.stranger(t, "like", edgeNamespace, edgeLabels),
	}
	for _, tier := range []struct{ role, namespace, selector, container string }{
		{"web", s.namespace, s.frontend, s.container},
		{"database", s.namespace, s.database, "mysql"},
		{"dns", "kube-system", "k8s-app=kube-dns", ""},
		{"edge", edgeNamespace, edgeSelector, ""},
	} {
		pods, err := (&cluster{Interface: s.kubernetes, namespace: tier.namespace}).readyPods(t.Context(), tier.selector)
		if err != nil || len(pods) == 0 {
			t.Fatalf("%s: %d pods are ready: %v", tier.role, len(pods), err)
		}
		for _, pod := range pods {
			parties = append(parties, party{role: tier.role, pod: pod, container: tier.container})
		}
	}
	return parties
}

func (s *subject) createNamespace(t *testing.T, name string) {
	t.Helper()
	other := &cluster{Interface: s.kubernetes, namespace: name}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := s.kubernetes.CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := other.removeNamespace(context.Background()); err != nil {
			t.Error(err)
		}
	})
	await(t, "pods can be created in "+name, func(ctx context.Context) error {
		_, err := s.kubernetes.CoreV1().ServiceAccounts(name).Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

// stranger starts a pod that the program does not know, within Pod Security's level "restricted". It never becomes ready: no
// Service whose selector its labels match sends visitors to it.
func (s *subject) stranger(t *testing.T, role, namespace string, podLabels map[string]string) party {
	t.Helper()
	name := "stranger-" + role
	yes, no, nobody, none := true, false, int64(65534), int64(0)
	pods := s.kubernetes.CoreV1().Pods(namespace)
	created, err := pods.Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, Labels: podLabels},
		Spec: corev1.PodSpec{
			ReadinessGates:               []corev1.PodReadinessGate{{ConditionType: "wordpress-e2e/never"}},
			AutomountServiceAccountToken: &no,
			SecurityContext: &corev1.PodSecurityContext{RunAsNonRoot: &yes, RunAsUser: &nobody,
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
			Containers: []corev1.Container{{
				Name: name, Image: newImage, Command: []string{"sleep", "infinity"},
				SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes,
					Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}},
			}},
			TerminationGracePeriodSeconds: &none,
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pods.Delete(context.Background(), created.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
	})
	found := party{role: role, container: name}
	await(t, name, func(ctx context.Context) error {
		pod, err := pods.Get(ctx, created.Name, metav1.GetOptions{})
		if err == nil && pod.Status.Phase != corev1.PodRunning {
			err = errors.New(string(pod.Status.Phase))
		}
		if err == nil {
			found.pod = *pod
		}
		return err
	})
	return found
}

// targets are all ports of all parties, and what a pod that was broken into would try next.
func (s *subject) targets(t *testing.T, parties []party) []target {
	t.Helper()
	ports := map[int]bool{}
	for _, port := range append(usualPorts, s.port) {
		ports[port] = true
	}
	for _, p := range parties {
		for _, container := range p.pod.Spec.Containers {
			for _, port := range container.Ports {
				ports[int(port.ContainerPort)] = true
			}
		}
	}
	var all []target
	for _, to := range parties {
		for _, port := range slices.Sorted(maps.Keys(ports)) {
			all = append(all, target{address: net.JoinHostPort(to.pod.Status.PodIP, strconv.Itoa(port)), owner: to.String(),
				allowed: func(from party) bool { return mayReach(from, to, port) }})
		}
	}
	for _, address := range append(s.machines(t), metadataAddress) {
		all = append(all, target{address: address, owner: "the cluster", allowed: party.isFree})
	}
	return all
}

// isFree tells of a pod that no policy concerns.
func (p party) isFree() bool {
	return !slices.Contains([]string{"web", "database", "inside", "task"}, p.role)
}

// mayReach is what the site needs, and what is none of its business.
func mayReach(from, to party, port int) bool {
	switch {
	case from.isFree() && to.isFree():
		return true
	case from.role == "like":
		return to.role == "web" && port == ourPlace.port
	case from.role == "task":
		return to.role == "web" && port == ourPlace.port || to.role == "dns" && servesDNS(to.pod, port)
	case from.role == "web":
		return to.role == "database" && port == 3306 || to.role == "dns" && servesDNS(to.pod, port)
	}
	return false
}

func servesDNS(pod corev1.Pod, port int) bool {
	for _, container := range pod.Spec.Containers {
		for _, declared := range container.Ports {
			if int(declared.ContainerPort) == port && strings.HasPrefix(declared.Name, "dns") {
				return true
			}
		}
	}
	return false
}

// machines are the API server, by its Service and by itself, and every node's kubelet.
func (s *subject) machines(t *testing.T) []string {
	t.Helper()
	service, err := s.kubernetes.CoreV1().Services("default").Get(t.Context(), "kubernetes", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	published, err := s.kubernetes.DiscoveryV1().EndpointSlices("default").List(t.Context(),
		metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=kubernetes"})
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := s.kubernetes.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	all := []string{net.JoinHostPort(service.Spec.ClusterIP, "443")}
	for _, slice := range published.Items {
		for _, endpoint := range slice.Endpoints {
			for _, port := range slice.Ports {
				all = append(all, net.JoinHostPort(endpoint.Addresses[0], strconv.Itoa(int(*port.Port))))
			}
		}
	}
	for _, node := range nodes.Items {
		for _, address := range node.Status.Addresses {
			if address.Type == corev1.NodeInternalIP {
				all = append(all, net.JoinHostPort(address.Address, strconv.Itoa(kubeletPort)))
			}
		}
	}
	return all
}

// lookUpName asks for a name by UDP: WordPress may, and so may whoever no policy concerns.
func (s *subject) lookUpName(ctx context.Context, from party, found *findings) {
	_, err := tryKubectl(ctx, s.project, "", "exec", "-n", from.pod.Namespace, from.pod.Name, "-c", from.container,
		"--", "timeout", "8", "getent", "hosts", "kubernetes.default.svc.cluster.local")
	var problem error
	if got, want := err == nil, from.role == "web" || from.role == "task" || from.isFree(); got != want {
		problem = fmt.Errorf("%s looks up a name: %t, want %t: %s", from, got, want, outcome(err, "an answer"))
	}
	found.add(1, problem)
}
