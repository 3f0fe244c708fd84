package e2e

import (
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"wordpress-on-kubernetes/components/plan"
	"wordpress-on-kubernetes/tests/e2e/evidence"
	"wordpress-on-kubernetes/tests/e2e/leaks"
	"wordpress-on-kubernetes/tests/mocks"
)

// What the table says of the promise.
const (
	stayTitle = "secrets stay secret"
	stayTried = "every value of every Secret, whole or half, plain, base64 or escaped, looked for in state, rendering, engine's output, " +
		"all objects and events, environment, process list and log of every container, and files on disk"
)

// TestSecretsStaySecret looks for every secret everywhere but in the Kubernetes Secrets.
func TestSecretsStaySecret(t *testing.T) {
	each(t, func(t *testing.T, s *subject) {
		defer s.holdReplicas(t)()
		search, inSecrets := s.searchForSecrets(t)
		s.searchObjects(t, search)
		s.searchPods(t, search)
		s.searchDisk(t, search)
		if p, ok := s.contender.(*program); ok {
			p.searchEngine(t, search)
		}
		figure := fmt.Sprintf("%d values in %d forms, %d texts of %d MiB searched: ",
			search.Secrets(), search.Forms(), search.Places(), search.Bytes()>>20)
		var problem error
		if found := search.Found(); len(found) > 0 {
			problem = fmt.Errorf("secrets are in %s", kindsOf(found))
			figure += "also in " + kindsOf(found)
			for _, leak := range found {
				t.Logf("%s holds %s", leak.Place, leak.Secret)
			}
		} else {
			figure += fmt.Sprintf("in the %d Kubernetes Secrets alone", inSecrets)
		}
		s.keep(t, proof{promise: 12, title: stayTitle, tried: stayTried, rounds: 1, figure: figure, details: search.Found(), figures: evidence.Figures{
			"secrets": float64(search.Secrets()), "forms": float64(search.Forms()), "texts": float64(search.Places()),
			"searchedBytes": float64(search.Bytes()), "leaks": float64(len(search.Found())),
		}}, problem)
	})
}

// kindsOf counts the places of each kind, which is the text before the colon.
func kindsOf(found []leaks.Leak) string {
	places := map[string]map[string]bool{}
	for _, leak := range found {
		kind, _, _ := strings.Cut(leak.Place, ":")
		if places[kind] == nil {
			places[kind] = map[string]bool{}
		}
		places[kind][leak.Place] = true
	}
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(places)) {
		parts = append(parts, fmt.Sprintf("%s (%d)", kind, len(places[kind])))
	}
	return strings.Join(parts, ", ")
}

// searchForSecrets is a search for what the namespace's Secrets and the stack's configuration hold. That it finds each in
// the Secrets shows that it can find anything.
func (s *subject) searchForSecrets(t *testing.T) (search *leaks.Search, secrets int) {
	t.Helper()
	list, err := s.kubernetes.CoreV1().Secrets(s.namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, secret := range list.Items {
		for key, value := range secret.Data {
			values[secret.Name+"/"+key] = string(value)
		}
	}
	inSecrets := slices.Collect(maps.Keys(values))
	if p, ok := s.contender.(*program); ok {
		configuration, err := p.GetAllConfig(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for key, value := range configuration {
			if value.Secret {
				values[key] = value.Value
			}
		}
		if len(inSecrets) < 10 || len(values) < 13 {
			t.Fatalf("%d values in Secrets and %d in all, want the two passwords, eight keys, and what they are made from",
				len(inSecrets), len(values))
		}
	}
	control, err := leaks.New(values)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	found := control.Look("the Secrets", text)
	for _, name := range inSecrets {
		if !slices.Contains(found, name) {
			t.Fatalf("the search does not even find %s in its Secret", name)
		}
	}
	if search, err = leaks.New(values); err != nil {
		t.Fatal(err)
	}
	return search, len(list.Items)
}

// searchObjects looks into every object of the cluster that is no Secret, events among them.
func (s *subject) searchObjects(t *testing.T, search *leaks.Search) {
	t.Helper()
	settings, err := clientcmd.BuildConfigFromFlags("", s.project.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	settings.QPS = -1                           // no limit of the client's own: dozens of lists come at once
	settings.WarningHandler = rest.NoWarnings{} // old kinds are looked into as well
	client, err := dynamic.NewForConfig(settings)
	if err != nil {
		t.Fatal(err)
	}
	var lists []*metav1.APIResourceList
	await(t, "every API of the cluster answers", func(context.Context) (err error) {
		lists, err = s.kubernetes.Discovery().ServerPreferredResources()
		return err
	})
	for _, list := range lists {
		group, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		for _, resource := range list.APIResources {
			isSecret := group.Group == corev1.GroupName && resource.Name == "secrets"
			if !isSecret && slices.Contains(resource.Verbs, "list") {
				searchList(t, client, group.WithResource(resource.Name), search)
			}
		}
	}
}

func searchList(t *testing.T, client dynamic.Interface, resource schema.GroupVersionResource, search *leaks.Search) {
	t.Helper()
	list := &unstructured.UnstructuredList{}
	await(t, resource.String(), func(ctx context.Context) error {
		found, err := client.Resource(resource).List(ctx, metav1.ListOptions{})
		switch {
		case err == nil:
			list = found
		case apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err):
			return nil
		}
		return err
	})
	for _, object := range list.Items {
		text, err := object.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		search.Look(fmt.Sprintf("%s: %s/%s", resource.Resource, object.GetNamespace(), object.GetName()), text)
	}
}

// searchPods looks into the environment, the process list and the log of every container.
func (s *subject) searchPods(t *testing.T, search *leaks.Search) {
	t.Helper()
	pods, err := s.livePods(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	running := 0
	for _, pod := range pods {
		for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
			place := pod.Name + "/" + status.Name
			if status.State.Waiting == nil {
				search.Look("log: "+place, s.log(t, pod.Name, status.Name, false))
			}
			if status.LastTerminationState.Terminated != nil {
				search.Look("log: "+place+" before its restart", s.log(t, pod.Name, status.Name, true))
			}
			if status.State.Running != nil {
				running++
				search.Look("environment: "+place, s.proc(t, pod.Name, status.Name, "environ"))
				search.Look("process list: "+place, s.proc(t, pod.Name, status.Name, "cmdline"))
			}
		}
	}
	if running < 2 {
		t.Errorf("%d containers run, want those of both tiers", running)
	}
}

// log of a container, which must have one.
func (s *subject) log(t *testing.T, pod, container string, previous bool) []byte {
	t.Helper()
	options := &corev1.PodLogOptions{Container: container, Previous: previous}
	text, err := s.kubernetes.CoreV1().Pods(s.namespace).GetLogs(pod, options).DoRaw(t.Context())
	if err != nil {
		t.Fatalf("log of %s/%s: %v", pod, container, err)
	}
	return text
}

// proc is a file of every process of a container. The first process must be readable: an entrypoint may have put more
// into its environment than the pod's specification did.
func (s *subject) proc(t *testing.T, pod, container, file string) []byte {
	t.Helper()
	first := "cat /proc/1/" + file
	if s.name == tutorial {
		// Its MySQL runs as another user than a command does; what the kubelet gives to both must do.
		first = fmt.Sprintf("{ %s 2>/dev/null || cat /proc/self/%s; }", first, file)
	}
	line := fmt.Sprintf("%s && { cat /proc/[0-9]*/%s 2>/dev/null || true; }", first, file)
	text := kubectl(t, s.project, "", "exec", "-n", s.namespace, pod, "-c", container, "--", "sh", "-c", line)
	if text == "" {
		t.Fatalf("%s of %s/%s is empty", file, pod, container)
	}
	return []byte(text)
}

// searchDisk looks into the site's volumes and into the files that the commands and the cluster leave in .local.
func (s *subject) searchDisk(t *testing.T, search *leaks.Search) {
	t.Helper()
	local := s.project.Local()
	claims, err := s.kubernetes.CoreV1().PersistentVolumeClaims(s.namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, claim := range claims.Items {
		searchFiles(t, search, "volume", filepath.Join(local, "cluster", "volumes", claim.Spec.VolumeName), nil)
	}
	searchFiles(t, search, "file", local, []string{
		"bin", "images", "noderoot", // built from source, before there were any secrets
		"cluster/etcd", "cluster/pki", // where the API server keeps its Secrets, and its own keys
		"cluster/nodes", "cluster/root", // disks of the nodes: images, and Secrets as mounted into the pods
		"cluster/volumes", // those of other sites
	})
}

// searchFiles looks into the files of a folder. Others may write there meanwhile, so a file that is gone is passed over.
func searchFiles(t *testing.T, search *leaks.Search, kind, folder string, except []string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		below, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains(except, below) {
			return fs.SkipDir
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		files++
		search.Look(kind+": "+below, text)
		return err
	})
	if err != nil || files == 0 {
		t.Fatalf("%d files of %s were searched: %v", files, folder, err)
	}
}

// searchEngine looks into what the engine prints and what the program renders. The state's files lie on disk.
func (p *program) searchEngine(t *testing.T, search *leaks.Search) {
	t.Helper()
	search.Look("engine's output: of all operations", p.output())
	for _, args := range [][]string{
		{"stack", "export"},
		{"stack", "output", "--json"},
		{"config", "--json"},
		{"preview", "--json"},
		{"preview", "--diff", "--show-sames", "--show-reads", "--debug"},
	} {
		output, err := p.engine(t, args...)
		if err != nil || output == "" {
			t.Fatalf("pulumi %s: %v", strings.Join(args, " "), err)
		}
		search.Look("engine's output: "+strings.Join(args, " "), []byte(output))
	}
	result, err := p.project.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rendered, err := mocks.YAML(plan.Objects(result.Registrations, plan.HideSecrets))
	if err != nil || !strings.Contains(rendered, "kind: Secret") {
		t.Fatalf("the rendering has no Secret: %v", err)
	}
	search.Look("rendering: of the stack", []byte(rendered))
}

// planted is a pod that lets its password out in three ways.
//
//go:embed testdata/planted.yaml
var planted string

// TestPlantedSecretsAreFound is the deliberate breakage: a secret in each kind of place must be found there.
func TestPlantedSecretsAreFound(t *testing.T) {
	needLong(t)
	s := subjectOf(t, ours)
	s.plant(t)
	search, _ := s.searchForSecrets(t)
	s.searchObjects(t, search)
	s.searchPods(t, search)
	s.searchDisk(t, search)
	s.contender.(*program).searchEngine(t, search)
	for _, leak := range []struct{ breakage, kind, name string }{
		{"a password in a ConfigMap, in base64", "configmaps", s.namespace + "/planted"},
		{"a password in a container's environment", "environment", "planted/environment"},
		{"a password on a process's command line", "process list", "planted/command"},
		{"a password in a container's log", "log", "planted/log"},
		{"a password in the log of a container that is done", "log", "planted/done"},
		{"a password in a file of the site's content, in base64", "volume", "wp-content/" + plantedFile},
		{"a password in a file that a command leaves", "file", plantedFile},
		{"a password among the stack's plain settings", "engine's output", "config --json"},
	} {
		found := slices.Contains(search.Found(), leaks.Leak{Place: leak.kind + ": " + leak.name, Secret: "wordpress-db-pwd/dbpwd"})
		figure := "not found"
		if found {
			figure = "found in the " + strings.TrimSuffix(leak.kind, "s")
		}
		s.caught(t, 12, stayTitle, leak.breakage, figure, found)
	}
}

// plantedFile is what files with a password are called.
const plantedFile = "planted.txt"

// plant puts the database's password where it must not be, until the test has ended.
func (s *subject) plant(t *testing.T) {
	t.Helper()
	ctx, name := t.Context(), "planted"
	core := s.kubernetes.CoreV1()
	secret, err := core.Secrets(s.namespace).Get(ctx, "wordpress-db-pwd", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.uproot(t, name) })
	configMap := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		BinaryData: map[string][]byte{"my.cnf": fmt.Appendf(nil, "[client]\npassword=%s\n", secret.Data["dbpwd"])},
	}
	if _, err := core.ConfigMaps(s.namespace).Create(ctx, configMap, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	kubectl(t, s.project, planted, "create", "-n", s.namespace, "-f", "-")
	s.plantFiles(t, secret.Data["dbpwd"])
	p := s.contender.(*program)
	p.set(t, "planted:note", string(secret.Data["dbpwd"]))
	t.Cleanup(func() {
		if err := p.RemoveConfig(context.Background(), "planted:note"); err != nil {
			t.Error(err)
		}
	})
	await(t, "the planted pod runs", func(ctx context.Context) error {
		pod, err := core.Pods(s.namespace).Get(ctx, name, metav1.GetOptions{})
		if err == nil && !isReady(*pod) {
			err = fmt.Errorf("it is not ready: %s", pod.Status.Phase)
		}
		return err
	})
}

// plantFiles puts the password on the site's volume and among the files of the commands.
func (s *subject) plantFiles(t *testing.T, password []byte) {
	t.Helper()
	pods, err := s.kubernetes.readyPods(t.Context(), s.frontend)
	if err != nil || len(pods) == 0 {
		t.Fatalf("%d pods are ready: %v", len(pods), err)
	}
	pod, path := pods[0].Name, s.content+"/"+plantedFile
	s.exec(t, pod, base64.StdEncoding.EncodeToString(password), "cat > "+path)
	left := filepath.Join(s.project.Local(), plantedFile)
	t.Cleanup(func() {
		_, err := tryKubectl(context.Background(), s.project, "",
			"exec", "-n", s.namespace, pod, "-c", s.container, "--", "rm", "-f", path)
		if err := errors.Join(err, os.Remove(left)); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(left, password, 0o600); err != nil {
		t.Fatal(err)
	}
}

// uproot returns when what was planted is gone, so that it can be planted again.
func (s *subject) uproot(t *testing.T, name string) {
	t.Helper()
	_, err := tryKubectl(context.Background(), s.project, "",
		"delete", "-n", s.namespace, "--ignore-not-found", "pod/"+name, "configmap/"+name)
	if err != nil {
		t.Error(err)
	}
}
