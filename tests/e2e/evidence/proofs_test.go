package evidence_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

// sources are the functions of the end-to-end tests by name.
type sources map[string]*function

// function is what one of them calls or hands on, and the promises that it keeps results of.
type function struct {
	refers map[string]bool
	// keeps says that it stores a result; promises are the numbers that it states.
	keeps    bool
	promises map[int]bool
}

// readSources parses the tests beside this package.
func readSources(t *testing.T) sources {
	t.Helper()
	paths, err := filepath.Glob("../*_test.go")
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d files with end-to-end tests: %v", len(paths), err)
	}
	found := sources{}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			if body, ok := declaration.(*ast.FuncDecl); ok {
				found.read(body)
			}
		}
	}
	return found
}

// method begins the names of methods, which are told from functions but not by their receiver.
const method = "."

func (s sources) read(body *ast.FuncDecl) {
	name := body.Name.Name
	if body.Recv != nil {
		name = method + name
	}
	if s[name] == nil {
		s[name] = &function{refers: map[string]bool{}, promises: map[int]bool{}}
	}
	into := s[name]
	ast.Inspect(body, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.Ident:
			into.refers[node.Name] = true
		case *ast.SelectorExpr:
			into.refers[method+node.Sel.Name] = true
		case *ast.CallExpr:
			into.readCall(node)
		case *ast.CompositeLit:
			into.readProof(node)
		}
		return true
	})
}

// readCall looks for s.keep(t, …) and s.caught(t, promise, …).
func (f *function) readCall(call *ast.CallExpr) {
	callee, isMethod := call.Fun.(*ast.SelectorExpr)
	if !isMethod || callee.Sel.Name != "keep" && callee.Sel.Name != "caught" {
		return
	}
	f.keeps = true
	if callee.Sel.Name == "caught" && len(call.Args) > 1 {
		f.states(call.Args[1])
	}
}

// readProof looks for proof{promise: …}.
func (f *function) readProof(literal *ast.CompositeLit) {
	if name, ok := literal.Type.(*ast.Ident); !ok || name.Name != "proof" {
		return
	}
	for _, element := range literal.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if key, ok := pair.Key.(*ast.Ident); ok && key.Name == "promise" {
			f.states(pair.Value)
		}
	}
}

// states notes a number; one that is handed in is stated by the caller's own literal.
func (f *function) states(value ast.Expr) {
	if literal, ok := value.(*ast.BasicLit); ok && literal.Kind == token.INT {
		if number, err := strconv.Atoi(literal.Value); err == nil {
			f.promises[number] = true
		}
	}
}

// tests are the names of all tests.
func (s sources) tests() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s)), func(name string) bool {
		return !strings.HasPrefix(name, "Test") || name == "TestMain"
	})
}

// kept tells whether a test stores results, and of which promises.
func (s sources) kept(test string) (keeps bool, promises map[int]bool) {
	promises = map[int]bool{}
	seen := map[string]bool{}
	next := []string{test}
	for len(next) > 0 {
		name := next[0]
		next = next[1:]
		body, known := s[name]
		if !known || seen[name] {
			continue
		}
		seen[name] = true
		keeps = keeps || body.keeps
		maps.Copy(promises, body.promises)
		next = slices.AppendSeq(next, maps.Keys(body.refers))
	}
	return keeps, promises
}

func TestEveryTestThatKeepsAResultIsListed(t *testing.T) {
	found := readSources(t)
	listed := map[string]map[int]bool{}
	for _, one := range evidence.Proofs {
		if listed[one.Test] == nil {
			listed[one.Test] = map[int]bool{}
		}
		listed[one.Test][one.Promise] = true
	}
	proofs := 0
	for _, test := range found.tests() {
		keeps, promises := found.kept(test)
		if keeps {
			proofs++
		}
		for _, problem := range compare(test, keeps, promises, listed[test]) {
			t.Error(problem)
		}
		delete(listed, test)
	}
	for test := range listed {
		t.Errorf("proofs.go lists %s, which is not in tests/e2e: take its rows out, or put its new name there", test)
	}
	if proofs < 20 {
		t.Errorf("only %d tests were found to keep results: this check reads the sources wrongly", proofs)
	}
}

// compare says what proofs.go lacks of a test's promises, or has too many.
func compare(test string, keeps bool, promises, listed map[int]bool) (problems []string) {
	for _, promise := range slices.Sorted(maps.Keys(promises)) {
		if keeps && !listed[promise] {
			problems = append(problems, fmt.Sprintf("%s keeps a result of promise %d, and `make verify PROMISES=%d` would not run it: add "+
				"{Test: %q, Promise: %d, Title: …, Part: …} to tests/e2e/evidence/proofs.go below // %d",
				test, promise, promise, test, promise, promise))
		}
	}
	for _, promise := range slices.Sorted(maps.Keys(listed)) {
		if !keeps || len(promises) > 0 && !promises[promise] {
			problems = append(problems, fmt.Sprintf("proofs.go lists %s with promise %d, of which it keeps no result", test, promise))
		}
	}
	if keeps && len(promises) == 0 && len(listed) == 0 {
		problems = append(problems, fmt.Sprintf("%s keeps results: add its rows to tests/e2e/evidence/proofs.go", test))
	}
	return problems
}

func TestTheCheckOfTheSourcesCanFail(t *testing.T) {
	for name, row := range map[string]struct {
		keeps            bool
		promises, listed map[int]bool
		want             string
	}{
		"not listed":           {true, map[int]bool{18: true}, nil, "below // 18"},
		"another promise":      {true, map[int]bool{18: true}, map[int]bool{18: true, 19: true}, "promise 19, of which it keeps no result"},
		"keeps nothing":        {false, nil, map[int]bool{18: true}, "of which it keeps no result"},
		"numbers from others":  {true, nil, nil, "add its rows"},
		"as it should be":      {true, map[int]bool{18: true}, map[int]bool{18: true}, ""},
		"no proof, not listed": {false, nil, nil, ""},
	} {
		got := strings.Join(compare("TestX", row.keeps, row.promises, row.listed), "\n")
		if (row.want == "") != (got == "") || !strings.Contains(got, row.want) {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
}

func TestRowsAreListedOnceAndInOrder(t *testing.T) {
	seen := map[evidence.Proof]bool{}
	last := 0
	for _, one := range evidence.Proofs {
		if seen[one] {
			t.Errorf("%+v is listed twice", one)
		}
		seen[one] = true
		if one.Promise < last {
			t.Errorf("%s of promise %d comes after promise %d", one.Test, one.Promise, last)
		}
		last = one.Promise
		if one.Test == "" || one.Title == "" {
			t.Errorf("%+v has no test or no title", one)
		}
	}
}

func TestSelect(t *testing.T) {
	for text, want := range map[string]string{
		"13":                              "^(TestThroughputAndLatency)$",
		"2 13":                            "^(TestRollingUpdateFailsNoRequest|TestThroughputAndLatency)$",
		" 2,  2 ":                         "^(TestRollingUpdateFailsNoRequest)$",
		"Scaling in":                      "^(TestScalingInFailsNoRequest)$",
		"scaling in fails no request":     "^(TestScalingInFailsNoRequest)$",
		"6":                               "^(TestNoAcknowledgedWriteIsLost|TestUnflushedWritesAreNoticed)$",
		"no acknowledged write is lost":   "^(TestNoAcknowledgedWriteIsLost|TestUnflushedWritesAreNoticed)$",
		"hardening, kind traefik":         "^(TestEdgeIsHard)$",
		"rotation 17 scaling in, renewal": "^(TestCertificatesAreRenewed|TestRotatedKeysLogEverybodyOut|TestScalingInFailsNoRequest|TestScheduledTasksRun)$",
		"required spread (required)":      "^(TestRequiredSpreadLeavesTheFourthPending)$",
	} {
		chosen, err := evidence.Select(text)
		if err != nil || evidence.Pattern(chosen) != want {
			t.Errorf("%q: %s, %v, want %s", text, evidence.Pattern(chosen), err, want)
		}
	}
	for text, want := range map[string]string{
		"": "no promise is asked for", " , ": "no promise is asked for", "4711 2 sweeep": `"4711", "sweeep"`, "breakage": `"breakage"`,
		"0": "  17  scheduled tasks run", "-run": "replicas spread over nodes", "TestHTTPS": "there are",
	} {
		if _, err := evidence.Select(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", text, err, want)
		}
	}
}

func TestListed(t *testing.T) {
	result := evidence.Result{Promise: 8, Title: "a login holds on every pod"}
	if err := evidence.Listed("TestLoginHoldsOnEveryPod", result); err != nil {
		t.Error(err)
	}
	result.Part = "another"
	if err := evidence.Listed("TestLoginHoldsOnEveryPod", result); err == nil || !strings.Contains(err.Error(), `Part: "another"} below // 8`) {
		t.Errorf("error %v, want the row that is to be added", err)
	}
	result.Part, result.Breakage = evidence.Breakage, "something"
	if err := evidence.Listed("TestLoginHoldsOnEveryPod", result); err != nil {
		t.Error(err)
	}
}
