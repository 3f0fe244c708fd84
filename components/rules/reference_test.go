package rules

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

const referenceHead = `# Rules over the planned objects

Before a preview or an update registers anything, the program composes the stack in memory and holds every object against
these rules. What breaks one is printed with its object, the place in it and the way out, and nothing is registered. They come
after [the rules of the configuration](configuration.md#rules), which know the keys; these judge the program itself.

| rule | wants | because |
|---|---|---|
`

// The reference is written from the doc comments, so that what it says is what the program does.
func TestReferenceIsUpToDate(t *testing.T) {
	docs := comments(t)
	var page strings.Builder
	page.WriteString(referenceHead)
	for _, rule := range rules {
		path := runtime.FuncForPC(reflect.ValueOf(rule.check).Pointer()).Name()
		function := path[strings.LastIndexByte(path, '.')+1:]
		doc, begins := strings.CutPrefix(docs[function], function+" wants ")
		demand, reason, reasoned := strings.Cut(doc, ": ")
		if !begins || !reasoned {
			t.Errorf("%s: the comment %q is not of the form \"%s wants ...: reason.\"", rule.name, docs[function], function)
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s |\n", rule.name, demand, strings.TrimSuffix(reason, "."))
	}
	compareGolden(t, "../../docs/rules.md", page.String())
}

// comments are the doc comments of functions, on one line each.
func comments(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	docs := map[string]string{}
	for _, file := range files {
		syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range syntax.Decls {
			if function, isFunction := declaration.(*ast.FuncDecl); isFunction {
				docs[function.Name.Name] = strings.Join(strings.Fields(function.Doc.Text()), " ")
			}
		}
	}
	return docs
}
