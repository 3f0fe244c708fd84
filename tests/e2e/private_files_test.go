package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

// keptPrivate is what the files of this proof hold.
const keptPrivate = "kept by a plugin"

// keptFiles are what plugins keep under wp-content, with the .htaccess files that they protect it by, and the status that each has for
// visitors. The test of Apache with the same files tries the rules of ten plugins.
var keptFiles = map[string]struct {
	content string
	status  int
}{
	"uploads/woocommerce_uploads/.htaccess":           {"deny from all", http.StatusForbidden},
	"uploads/woocommerce_uploads/2026/book.pdf":       {keptPrivate, http.StatusForbidden},
	"uploads/wpcf7_uploads/.htaccess":                 {"<IfModule authz_core_module>\nRequire all denied\n</IfModule>\n", http.StatusForbidden},
	"uploads/wpcf7_uploads/passport.jpg":              {keptPrivate, http.StatusForbidden},
	"uploads/edd/.htaccess":                           {"Options -Indexes\ndeny from all\n<FilesMatch '\\.jpg$'>\nAllow from all\n</FilesMatch>\n", http.StatusForbidden},
	"uploads/edd/plan.pdf":                            {keptPrivate, http.StatusForbidden},
	"uploads/edd/cover.jpg":                           {keptPrivate, http.StatusOK},
	"uploads/bp-attachments/.htaccess":                {"RewriteEngine On\nRewriteRule \\.pdf$ - [F]\n", http.StatusForbidden},
	"uploads/bp-attachments/minutes.pdf":              {keptPrivate, http.StatusForbidden},
	"debug.log":                                       {keptPrivate, http.StatusForbidden},
	"updraft/backup_2026-11-28-0915_proof_abc-db.gz":  {keptPrivate, http.StatusForbidden},
	"uploads/wc-logs/fatal-errors-2026-11-28-abc.log": {keptPrivate, http.StatusForbidden},
	"uploads/proof-public/picture.jpg":                {keptPrivate, http.StatusOK},
	"uploads/proof-public/archive.zip":                {keptPrivate, http.StatusOK},
	"uploads/proof-public/.htaccess":                  {"Header set X-Odd 1\nphp_flag engine on\n", http.StatusForbidden},
}

// TestPrivateFilesStayPrivate has plugins' files on the shared volume, and then takes away that Apache reads their .htaccess.
func TestPrivateFilesStayPrivate(t *testing.T) {
	needLong(t)
	const title = "private files are private"
	s := subjectOf(t, ours)
	defer s.holdReplicas(t)()
	defer s.keepFiles(t)()
	problem := s.filesArePrivate(t.Context())
	s.keep(t, proof{promise: 25, title: title, rounds: len(keptFiles),
		tried: "files and .htaccess of plugins on the shared volume, logs and dumps at their usual places, and files that are meant to be " +
			"public, asked for through the edge",
		figure:  outcome(problem, fmt.Sprintf("%d of %d files have the status that they should", len(keptFiles), len(keptFiles))),
		figures: evidence.Figures{"files": float64(len(keptFiles))}}, problem)

	defer s.withFile(t, "site.conf", func(text string) string {
		return strings.Replace(strings.Replace(text, "AllowOverride Nonfatal=All", "AllowOverride None", 1), "AllowOverrideList", "AllowOverrideList None\n#", 1)
	})()
	broken := s.filesArePrivate(t.Context())
	s.caught(t, 25, title, "Apache looks for no .htaccess", outcome(broken, "every file has the status that it should"), broken != nil)
}

// keepFiles writes all files, and returns what takes them away.
func (s *subject) keepFiles(t *testing.T) (remove func()) {
	t.Helper()
	var folders []string
	pod := s.somePod(t)
	for _, name := range slices.Sorted(maps.Keys(keptFiles)) {
		file := path.Join(s.content, name)
		s.exec(t, pod, keptFiles[name].content, fmt.Sprintf("mkdir -p %s && cat >%s", path.Dir(file), file))
		if folder := path.Dir(name); folder != "." {
			folders = append(folders, path.Join(s.content, folder))
		}
	}
	return func() {
		s.exec(t, s.somePod(t), "", "rm -rf "+path.Join(s.content, "debug.log")+" "+strings.Join(slices.Compact(folders), " "))
	}
}

func (s *subject) filesArePrivate(ctx context.Context) (problem error) {
	for _, name := range slices.Sorted(maps.Keys(keptFiles)) {
		file := keptFiles[name]
		response, err := s.visitor.get(ctx, "/wp-content/"+name)
		if err == nil && (response.status != file.status || strings.Contains(string(response.body), keptPrivate) != (file.status == http.StatusOK)) {
			err = fmt.Errorf("status %d, want %d", response.status, file.status)
		}
		if err != nil {
			problem = errors.Join(problem, fmt.Errorf("%s: %w", name, err))
		}
	}
	return problem
}

// withFile has the frontend's pods run with another text of one of the files that the program mounts, and returns what takes that back.
func (s *subject) withFile(t *testing.T, key string, alter func(string) string) (restore func()) {
	t.Helper()
	return s.withFiles(t, deploymentName, s.frontend, func(name, text string) string {
		if name != key {
			return text
		}
		return alter(text)
	})
}

// withFiles has the pods of a Deployment run with other texts of the files that the program mounts, and returns what takes that back.
func (s *subject) withFiles(t *testing.T, deployment, selector string, alter func(name, text string) string) (restore func()) {
	t.Helper()
	altered := "altered-by-a-proof-for-" + deployment
	now, err := s.kubernetes.AppsV1().Deployments(s.namespace).Get(t.Context(), deployment, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	index := slices.IndexFunc(now.Spec.Template.Spec.Volumes, func(volume corev1.Volume) bool { return volume.Name == "config" })
	if index < 0 {
		t.Fatal("the pods have no volume of their configuration")
	}
	own := now.Spec.Template.Spec.Volumes[index].ConfigMap.Name
	configMaps := s.kubernetes.CoreV1().ConfigMaps(s.namespace)
	planned, err := configMaps.Get(t.Context(), own, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	copied := planned.DeepCopy()
	copied.ObjectMeta = metav1.ObjectMeta{Name: altered}
	for name, text := range planned.Data {
		copied.Data[name] = alter(name, text)
	}
	if maps.Equal(copied.Data, planned.Data) {
		t.Fatalf("the files of %s are as they were", deployment)
	}
	if _, err := configMaps.Create(t.Context(), copied, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	set := func(name string) {
		text, err := json.Marshal([]any{map[string]any{
			"op": "replace", "path": fmt.Sprintf("/spec/template/spec/volumes/%d/configMap/name", index), "value": name,
		}})
		if err != nil {
			t.Fatal(err)
		}
		kubectl(t, s.project, "", "patch", "-n", s.namespace, "deployment", deployment, "--type=json", "-p", string(text))
		await(t, "the rollout of "+deployment, func(ctx context.Context) error {
			now, err := s.kubernetes.AppsV1().Deployments(s.namespace).Get(ctx, deployment, metav1.GetOptions{})
			if err != nil {
				return err
			}
			return rolledOut(now)
		})
		s.awaitGoneOf(t, selector)
	}
	set(altered)
	return func() {
		set(own)
		// The revision goes with its files: nobody could roll back to it.
		if err := errors.Join(s.forgetRevision(altered, selector), configMaps.Delete(context.Background(), altered, metav1.DeleteOptions{})); err != nil {
			t.Error(err)
		}
	}
}

// forgetRevision takes away the revisions that ran with the files.
func (s *subject) forgetRevision(files, selector string) error {
	sets := s.kubernetes.AppsV1().ReplicaSets(s.namespace)
	list, err := sets.List(context.Background(), metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return err
	}
	for _, set := range list.Items {
		if filesOf(set.Spec.Template) == files {
			err = errors.Join(err, sets.Delete(context.Background(), set.Name, metav1.DeleteOptions{}))
		}
	}
	return err
}
