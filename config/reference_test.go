package config

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
)

const referenceFile = "../docs/configuration.md"

// The reference is written from the doc comments of the types and of the rules, and from the defaults, so that
// what it says is what the program does.
func TestReferenceIsUpToDate(t *testing.T) {
	compareGolden(t, referenceFile, newPage(t).render())
}

// The default that a field's comment states is the one that is filled in.
func TestCommentsStateTheDefaults(t *testing.T) {
	p := newPage(t)
	for _, key := range p.keys("", reflect.ValueOf(*Defaults())) {
		if _, stated := splitDefault(key.doc); key.value != "" && !strings.Contains(stated, key.value) {
			t.Errorf("%s: the comment states the default %q, and it is %q", key.path, stated, key.value)
		}
	}
}

// page collects what the reference is written from.
type page struct {
	types  map[string]string // doc comment by type, and by type.Field
	checks map[string]string // doc comment by function
}

func newPage(t *testing.T) *page {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	p := &page{types: map[string]string{}, checks: map[string]string{}}
	for _, file := range files {
		syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(syntax, p.collect)
	}
	return p
}

func (p *page) collect(node ast.Node) bool {
	switch node := node.(type) {
	case *ast.FuncDecl:
		p.checks[node.Name.Name] = oneLine(node.Doc)
	case *ast.GenDecl:
		for _, spec := range node.Specs {
			if typed, ok := spec.(*ast.TypeSpec); ok {
				p.collectType(typed, node.Doc)
			}
		}
	}
	return true
}

func (p *page) collectType(spec *ast.TypeSpec, doc *ast.CommentGroup) {
	p.types[spec.Name.Name] = oneLine(doc)
	structure, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, member := range structure.Fields.List {
		for _, name := range member.Names {
			p.types[spec.Name.Name+"."+name.Name] = oneLine(member.Doc)
		}
	}
}

func oneLine(comment *ast.CommentGroup) string {
	return strings.Join(strings.Fields(comment.Text()), " ")
}

// pageKey is one line of a table.
type pageKey struct {
	path, doc, value string
	kind             reflect.Type
}

// keys lists every key below a section, nested ones by their path.
func (p *page) keys(prefix string, section reflect.Value) []pageKey {
	var found []pageKey
	for i, name := range keys(section.Type()) {
		member := section.Field(i)
		if isObject(member.Type()) {
			found = append(found, p.keys(prefix+name+".", member)...)
			continue
		}
		doc := p.meaning(section.Type().Name(), section.Type().Field(i).Name)
		found = append(found, pageKey{prefix + name, doc, defaultText(member), member.Type()})
		if isListOfObjects(member.Type()) {
			found = append(found, p.keys(prefix+name+"[].", reflect.Zero(member.Type().Elem()))...)
		}
	}
	return found
}

// meaning is a field's comment without the name that Go's comments begin with, where it reads well.
func (p *page) meaning(section, name string) string {
	doc := p.types[section+"."+name]
	if rest, found := strings.CutPrefix(doc, name+" is "); found {
		return strings.ToUpper(rest[:1]) + rest[1:]
	}
	return doc
}

// defaultText is empty for a value that is unset, or derived from others.
func defaultText(value reflect.Value) string {
	if quantity, ok := value.Interface().(resource.Quantity); ok {
		return quantity.String()
	}
	if value.IsZero() || value.Kind() == reflect.Slice || value.Kind() == reflect.Map {
		return ""
	}
	return fmt.Sprint(reflect.Indirect(value))
}

// splitDefault takes the sentence about the default, which is the last one, off a field's comment.
func splitDefault(doc string) (meaning, stated string) {
	meaning, stated, _ = strings.Cut(doc, "Default: ")
	return strings.TrimSpace(meaning), strings.TrimSuffix(stated, ".")
}

func (p *page) render() []byte {
	var out bytes.Buffer
	root := reflect.ValueOf(*Defaults())
	out.WriteString(referenceHead)
	nested := func(key pageKey) bool { return strings.Contains(key.path, ".") }
	p.table(&out, slices.DeleteFunc(p.keys("", root), nested))
	for i, name := range keys(root.Type()) {
		if section := root.Field(i); isObject(section.Type()) {
			fmt.Fprintf(&out, "\n## `wordpress:%s`\n\n%s\n\n", name, p.types[section.Type().Name()])
			p.table(&out, p.keys("", section))
		}
	}
	out.WriteString(rulesHead)
	for _, group := range ruleGroups {
		fmt.Fprintf(&out, "\n### %s\n\n| rule | demands | because |\n|---|---|---|\n", group.title)
		for _, r := range group.rules {
			demand, reason := p.explain(r)
			fmt.Fprintf(&out, "| `%s` | %s | %s |\n", nameOf(r), escape(demand), escape(reason))
		}
	}
	return out.Bytes()
}

// explain is what a rule demands, and why: its comment before and after the first colon.
func (p *page) explain(r rule) (demand, reason string) {
	demand, reason, _ = strings.Cut(p.checks[nameOf(r)], ": ")
	return demand, strings.TrimSuffix(reason, ".")
}

func TestEveryRuleHasAReason(t *testing.T) {
	p := newPage(t)
	for _, r := range allRules() {
		if demand, reason := p.explain(r); demand == "" || reason == "" {
			t.Errorf("the comment of %s does not say what it demands and, after a colon, why: %q", nameOf(r), p.checks[nameOf(r)])
		}
	}
}

func (p *page) table(out *bytes.Buffer, lines []pageKey) {
	out.WriteString("| key | type | default | meaning |\n|---|---|---|---|\n")
	for _, key := range lines {
		meaning, stated := splitDefault(key.doc)
		fmt.Fprintf(out, "| `%s` | %s | %s | %s |\n", key.path, typeText(key), shownDefault(key, stated), escape(meaning))
	}
}

func shownDefault(key pageKey, stated string) string {
	switch {
	case key.value != "":
		return "`" + key.value + "`"
	case stated != "":
		return escape(stated)
	case strings.HasSuffix(key.doc, "Required."):
		return "required"
	}
	return "none"
}

func typeText(key pageKey) string {
	if unit := unitOf(key); unit != "" {
		return typeName(key.kind) + ", " + unit
	}
	return typeName(key.kind)
}

func typeName(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[resource.Quantity]():
		return "quantity"
	case reflect.TypeFor[IntOrPercent]():
		return "count or percentage"
	case reflect.TypeFor[Secret]():
		return "secret text"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeName(t.Elem())
	case reflect.Int:
		return "whole number"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		if element := t.Elem(); element.Kind() != reflect.String {
			return "list of " + strings.TrimPrefix(typeName(element), "whole ") + "s"
		}
		return "list of texts"
	case reflect.Struct:
		return "object"
	case reflect.Map:
		return "texts by name"
	}
	return "text"
}

func unitOf(key pageKey) string {
	switch {
	case strings.HasSuffix(key.path, "Seconds"):
		return "seconds"
	case strings.HasSuffix(strings.ToLower(key.path), "replicas"), key.kind == reflect.TypeFor[IntOrPercent]():
		return "pods"
	case strings.HasSuffix(key.path, "Utilization"):
		return "percent"
	case strings.HasSuffix(key.path, "cpu"), strings.HasSuffix(key.path, "cpuLimit"):
		return "cores"
	case key.kind == reflect.TypeFor[resource.Quantity](), key.kind == reflect.TypeFor[*resource.Quantity]():
		return "bytes"
	}
	return ""
}

// escape keeps a comment's characters from meaning something in a Markdown table.
func escape(text string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`, "_", `\_`, "<", "&lt;").Replace(text)
}

const referenceHead = `<!-- Written by go generate ./config from the comments in config/. Do not edit. -->

# Configuration

Every key of a stack, in the namespace ` + "`wordpress`" + `. A section is an object; override one of its keys with

    pulumi config set --path 'wordpress:frontend.maxUploadSize' 128Mi

A key that is not listed here is an error, as is a value of another type or out of its range. All problems of a
stack are reported together, before anything is changed. A quantity is written as Kubernetes writes it: ` + "`200m`" + ` is
a fifth of a core, ` + "`256Mi`" + ` is 256 × 1024² bytes. To take a default, leave the key out: an empty text or a null is an
error.

## Keys outside of a section

Secrets are set with ` + "`pulumi config set --secret`" + `; in plain text they are refused.

`

const rulesHead = `
## Rules

What the keys demand of each other, beside the range of each. A rule is silent about keys that are wrong by themselves.
`
