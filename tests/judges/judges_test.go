package judges

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"wordpress-on-kubernetes/components/plan"
	"wordpress-on-kubernetes/tests/mocks"
)

const repo = "../.."

// builtTools are those that `make judges` builds, with schemas of their own. `go test` by itself does not build them.
func builtTools(t *testing.T) Tools {
	t.Helper()
	root, err := filepath.Abs(repo)
	if err != nil {
		t.Fatal(err)
	}
	tools := NewTools(root)
	if err := tools.Check(); err != nil {
		t.Skip(err)
	}
	local := t.TempDir()
	tools.Schemas, tools.CRDs = filepath.Join(local, "schemas"), filepath.Join(local, "crds")
	if err := tools.Collect(t.Context(), root); err != nil {
		t.Fatal(err)
	}
	return tools
}

func parse(t *testing.T, text string) plan.Object {
	t.Helper()
	var object plan.Object
	if err := yaml.Unmarshal([]byte(text), &object); err != nil {
		t.Fatal(err)
	}
	return object
}

func TestTutorialIsNotRestricted(t *testing.T) {
	objects, err := Tutorial(repo)
	if err != nil {
		t.Fatal(err)
	}
	findings, err := PodSecurity(objects)
	if err != nil {
		t.Fatal(err)
	}
	reasons := []string{
		"allowPrivilegeEscalation != false", "runAsNonRoot != true", "seccompProfile", "unrestricted capabilities",
	}
	for _, name := range []string{"wordpress", "wordpress-mysql"} {
		var got []string
		for _, finding := range findings {
			if finding.Kind == "Deployment" && finding.Name == name {
				reason, _, _ := strings.Cut(finding.Message, ":")
				got = append(got, reason)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, reasons) {
			t.Errorf("Deployment %s: got %q, want %q", name, got, reasons)
		}
	}
}

// podSpec breaks no rule of the level restricted.
const podSpec = `
containers:
- {name: web, image: "web:1", securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}
securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
`

func TestPodsAreFoundInEveryKind(t *testing.T) {
	for kind, path := range map[string][]string{
		"Pod": {}, "DaemonSet": {"template", "spec"}, "CronJob": {"jobTemplate", "spec", "template", "spec"},
	} {
		for _, row := range []struct {
			name     string
			spoil    func(plan.Object)
			findings int
		}{
			{"restricted", func(plan.Object) {}, 0},
			{"on the host's network", func(spec plan.Object) { spec["hostNetwork"] = true }, 1},
			{"without context", func(spec plan.Object) { delete(spec, "securityContext") }, 2},
		} {
			spec := parse(t, podSpec)
			row.spoil(spec)
			object := plan.Object{"kind": kind, "metadata": map[string]any{"name": "web"}}
			node := map[string]any(object)
			for _, key := range append([]string{"spec"}, path...) {
				child := map[string]any{}
				node[key], node = child, child
			}
			maps.Copy(node, spec)
			findings, err := PodSecurity([]plan.Object{object})
			if err != nil {
				t.Fatal(err)
			}
			if len(findings) != row.findings {
				t.Errorf("%s %s: got the findings %v, want %d", kind, row.name, findings, row.findings)
			}
		}
	}
}

func TestSchemasAreStrict(t *testing.T) {
	tools := builtTools(t)
	for name, row := range map[string]struct{ object, want string }{
		"valid Deployment":       {deployment("replicas: 2"), ""},
		"unknown field":          {deployment("replica: 2"), "spec.replica: Invalid value: value provided for unknown field"},
		"wrong type":             {deployment("replicas: two"), "spec.replicas: Invalid value"},
		"no such version":        {"{apiVersion: apps/v1beta1, kind: Deployment, metadata: {name: web}}", "failed to locate OpenAPI spec"},
		"valid route":            {route("priority: 1"), ""},
		"unknown field in route": {route("rule: x"), "spec.routes[0].rule: Invalid value: value provided for unknown field"},
		"certificate without secret": {
			"{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: web, namespace: site}, spec: {issuerRef: {name: ca}}}",
			"spec.secretName: Required value",
		},
	} {
		t.Run(name, func(t *testing.T) {
			findings, err := tools.schemas(t.Context(), row.object)
			if err != nil {
				t.Fatal(err)
			}
			if want := map[bool]int{true: 0, false: 2}[row.want == ""]; len(findings) != want {
				t.Fatalf("got %v, want a finding of each of the %d Kubernetes versions", findings, want)
			}
			for _, finding := range findings {
				if !strings.Contains(finding.Message, row.want) {
					t.Errorf("got %q, want %q in it", finding.Message, row.want)
				}
			}
		})
	}
}

func deployment(field string) string {
	return fmt.Sprintf(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: site}, spec: {%s,
  selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "web:1"}]}}}}`, field)
}

func route(field string) string {
	return fmt.Sprintf("{apiVersion: traefik.io/v1alpha1, kind: IngressRoute, metadata: {name: web, namespace: site}, "+
		"spec: {routes: [{match: Host(`a.example.com`), kind: Rule, %s}]}}", field)
}

func TestAnnotationsSilenceNoCheck(t *testing.T) {
	tools := builtTools(t)
	object := parse(t, deployment("replicas: 2"))
	object["metadata"].(map[string]any)["annotations"] = map[string]any{"kube-score/ignore": "container-resources"}
	annotated, err := mocks.YAML([]plan.Object{object})
	if err != nil {
		t.Fatal(err)
	}
	findings, err := tools.kubeScore(t.Context(), annotated)
	if err != nil {
		t.Fatal(err)
	}
	isOf := func(check string) func(Finding) bool {
		return func(f Finding) bool { return strings.HasPrefix(f.Message, check+":") && f.Name == "web" }
	}
	for _, check := range []string{"container-resources", "container-seccomp-profile"} {
		if !slices.ContainsFunc(findings, isOf(check)) {
			t.Errorf("%s did not fire: %v", check, findings)
		}
	}
}

func TestScoresAreCountedByComment(t *testing.T) {
	findings, err := parseScores([]byte(`[{"type_meta": {"kind": "Deployment"}, "object_meta": {"name": "web", "namespace": "site"}, "checks": [
		{"check": {"id": "a"}, "grade": 1, "comments": [{"path": "c", "summary": "x"}, {"summary": "y"}]},
		{"check": {"id": "b"}, "grade": 5, "comments": [{"summary": "z"}]},
		{"check": {"id": "c"}, "grade": 7, "comments": [{"summary": "almost fine"}]},
		{"check": {"id": "d"}, "grade": 1, "skipped": true, "comments": [{"summary": "not judged"}]}]}]`))
	want := []Finding{
		{KubeScoreCritical, "Deployment", "site", "web", "a: c: x"},
		{KubeScoreCritical, "Deployment", "site", "web", "a: y"},
		{KubeScoreWarning, "Deployment", "site", "web", "b: z"},
	}
	if err != nil || !slices.Equal(findings, want) {
		t.Errorf("got %v and the error %v, want %v", findings, err, want)
	}
}

func TestDocumentsAreNamedByGroupAndVersion(t *testing.T) {
	for name, want := range map[string]string{
		"api__v1_openapi.json":                     "api/v1.json",
		"apis__apps__v1_openapi.json":              "apis/apps/v1.json",
		"apis__networking.k8s.io__v1_openapi.json": "apis/networking.k8s.io/v1.json",
		"apis__apps_openapi.json":                  "",
		"api_openapi.json":                         "",
		"version_openapi.json":                     "",
		"README.md":                                "",
	} {
		got, found := documentPath(name)
		if found != (want != "") || found && got != want {
			t.Errorf("%s becomes %q (%t), want %q", name, got, found, want)
		}
	}
}

func TestKnownVulnerabilityIsFound(t *testing.T) {
	tools := builtTools(t)
	program, database := vulnerableProgram(t), vulnerabilityDatabase(t)
	found, err := tools.Vulnerabilities(t.Context(), program, database)
	if err != nil || len(found) != 1 || !strings.HasPrefix(found[0], "GO-2000-0001 in stdlib ") {
		t.Errorf("got %q and the error %v, want the vulnerability of os.ReadFile and not that of os.Chtimes", found, err)
	}
	if _, err := tools.Vulnerabilities(t.Context(), program, "file://"+t.TempDir()+"/none"); err == nil {
		t.Error("a database that is not there is no error")
	}
}

// vulnerableProgram calls os.ReadFile and not os.Chtimes.
func vulnerableProgram(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example.com/program\n\ngo 1.26.0\n")
	write(t, filepath.Join(dir, "main.go"), "package main\n\nimport \"os\"\n\nfunc main() { _, _ = os.ReadFile(os.Args[0]) }\n")
	command := exec.CommandContext(t.Context(), "go", "build", "-o", "program", ".")
	command.Dir = dir
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return filepath.Join(dir, "program")
}

// vulnerabilityDatabase holds two made-up vulnerabilities of the standard library.
func vulnerabilityDatabase(t *testing.T) string {
	t.Helper()
	const modified = `"modified": "2000-01-01T00:00:00Z"`
	dir := t.TempDir()
	var vulns []string
	for id, symbol := range map[string]string{"GO-2000-0001": "ReadFile", "GO-2000-0002": "Chtimes"} {
		vulns = append(vulns, fmt.Sprintf(`{"id": %q, %s}`, id, modified))
		write(t, filepath.Join(dir, "ID", id+".json"), fmt.Sprintf(`{"schema_version": "1.3.1", "id": %q, %s, "affected": [{
			"package": {"name": "stdlib", "ecosystem": "Go"},
			"ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}],
			"ecosystem_specific": {"imports": [{"path": "os", "symbols": [%q]}]}}]}`, id, modified, symbol))
	}
	write(t, filepath.Join(dir, "index", "db.json"), "{"+modified+"}")
	write(t, filepath.Join(dir, "index", "vulns.json"), "["+strings.Join(vulns, ",")+"]")
	write(t, filepath.Join(dir, "index", "modules.json"), `[{"path": "stdlib", "vulns": [`+strings.Join(vulns, ",")+`]}]`)
	return "file://" + dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestExemptionsAreOursAlone(t *testing.T) {
	finding := Finding{Schema, "Deployment", "site", "web", "replicas: too few"}
	exemptions := []Exemption{
		{Criterion: Schema, Kind: "Deployment", Message: "too few"},
		{Criterion: Schema, Kind: "Service", Name: "web", Message: "unknown"},
	}
	for _, row := range []struct {
		contender    Contender
		finding      Finding
		open, exempt int
	}{
		{Contender{Ours: true}, finding, 0, 1},
		{Contender{Ours: false}, finding, 1, 0},
		{Contender{Ours: true}, Finding{Schema, "StatefulSet", "site", "web", "replicas: too few"}, 1, 0},
		{Contender{Ours: true}, Finding{Restricted, "Deployment", "site", "web", "replicas: too few"}, 1, 0},
		{Contender{Ours: true}, Finding{Schema, "Deployment", "site", "web", "replicas: too many"}, 1, 0},
		{Contender{Ours: true}, Finding{Schema, "Service", "site", "web", "unknown"}, 0, 1},
		{Contender{Ours: true}, Finding{Schema, "Service", "site", "api", "unknown"}, 1, 0},
	} {
		verdict := NewVerdict(row.contender, []Finding{row.finding}, exemptions)
		if len(verdict.Open) != row.open || len(verdict.Exempt) != row.exempt {
			t.Errorf("%+v: got %d open and %d exempt, want %d and %d", row, len(verdict.Open), len(verdict.Exempt), row.open, row.exempt)
		}
	}
	for _, exemption := range Exemptions {
		if exemption.Reason == "" || exemption.Kind == "" || exemption.Message == "" {
			t.Errorf("%+v is not narrow or has no reason", exemption)
		}
	}
}

func TestProblemsFailTheRun(t *testing.T) {
	tutorial := Verdict{Contender: Contender{Name: "tutorial"}}
	for _, criterion := range []string{KubeScoreCritical, KubeScoreWarning, Restricted} {
		tutorial.Open = append(tutorial.Open, Finding{Criterion: criterion})
	}
	ours := Verdict{Contender: Contender{Name: "prod", Ours: true}}
	guilty := Verdict{Contender: ours.Contender, Open: []Finding{{KubeScoreWarning, "Deployment", "site", "web", "x"}}}
	exemption := Exemption{Criterion: Schema, Kind: "Deployment"}
	for name, row := range map[string]struct {
		verdicts   []Verdict
		exemptions []Exemption
		want       []string
	}{
		"clean":            {[]Verdict{tutorial, ours}, nil, nil},
		"finding of ours":  {[]Verdict{tutorial, guilty}, nil, []string{"prod: kube-score, warnings: Deployment site/web: x"}},
		"stale exemption":  {[]Verdict{tutorial, ours}, []Exemption{exemption}, []string{"the exemption of Deployment schemas covers nothing"}},
		"judges at rest":   {[]Verdict{{Contender: tutorial.Contender}, ours}, nil, []string{`"kube-score, critical"`, `"kube-score, warnings"`, `"Pod Security restricted"`}},
		"exemption in use": {[]Verdict{tutorial, {Contender: ours.Contender, Exempt: []Finding{{Schema, "Deployment", "", "", ""}}}}, []Exemption{exemption}, nil},
	} {
		got := Problems(row.verdicts, row.exemptions)
		if !slices.EqualFunc(got, row.want, strings.Contains) {
			t.Errorf("%s: got %q, want %q", name, got, row.want)
		}
	}
}

func TestTableCountsByCriterion(t *testing.T) {
	findings := []Finding{{Criterion: Schema, Kind: "Pod"}, {Criterion: KubeScoreWarning}, {Criterion: KubeScoreWarning}}
	verdicts := []Verdict{
		NewVerdict(Contender{Name: "tutorial"}, findings, Exemptions),
		NewVerdict(Contender{Name: "prod", Ours: true}, findings, []Exemption{{Criterion: Schema, Kind: "Pod"}}),
	}
	var got [][]string
	for line := range strings.Lines(Table(verdicts)) {
		got = append(got, strings.Fields(line))
	}
	want := [][]string{
		{"tutorial", "prod"}, {"kube-score,", "critical", "0", "0"}, {"kube-score,", "warnings", "2", "2"},
		{"schemas", "1", "0"}, {"Pod", "Security", "restricted", "0", "0"}, {"exempt", "0", "1"},
	}
	if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("got the table %q, want %q", got, want)
	}
}

func TestContextEndsAJudge(t *testing.T) {
	tools := builtTools(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tools.Judge(ctx, nil); err == nil {
		t.Error("no error after the end of the context")
	}
}
