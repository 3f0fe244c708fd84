package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"wordpress-on-kubernetes/config"
)

// namedRelease is an image of the program's with a full version; what has fewer numbers is a line, of which documents may speak.
var namedRelease = regexp.MustCompile(`\b(wordpress|mysql|nginx):([0-9]+(?:\.[0-9]+){2,})`)

// TestStacksNameNoOlderRelease: what is proven is what ships. Building the local images writes which releases they hold; a default, a stack
// file or a document that names an older one is behind on fixes, of which some are of security.
func TestStacksNameNoOlderRelease(t *testing.T) {
	newest := newestProven(t)
	texts := map[string]string{"config: the defaults": config.DefaultFrontendImage + "\n" + config.DefaultDatabaseImage + "\n" + config.DefaultCacheImage}
	for _, pattern := range []string{"Pulumi.*.yaml", "README.md", "docs/*.md", "docs/examples/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			texts[file] = string(text)
		}
	}
	named := 0
	for place, text := range texts {
		named += len(namedRelease.FindAllString(text, -1))
		for _, problem := range outdated(text, newest) {
			t.Errorf("%s names %s", place, problem)
		}
	}
	// The defaults, two images of two stack files, and that of the example, at least.
	if named < 7 {
		t.Errorf("%d releases were found in %d texts: the pattern is wrong", named, len(texts))
	}
}

func TestOlderReleasesAreFound(t *testing.T) {
	newest := map[string]string{"wordpress": "7.1.10", "mysql": "9.7.4"}
	for text, want := range map[string]int{
		"image: wordpress:7.1.9-php8.3-apache":                              1,
		"`registry.example.com/wordpress:6.8.12`, mysql:9.7.3":              2,
		"wordpress:7.1.10-php8.3-apache mysql:10.0.0 mysql:8.4 mysql:9.7.4": 0,
		"wordpress:frontend.image other-mysql:5.7.1":                        1,
	} {
		if got := outdated(text, newest); len(got) != want {
			t.Errorf("%s: found %q, want %d", text, got, want)
		}
	}
}

// newestProven is the newest release of each image that the committed file of the local images tells.
func newestProven(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("tests/images/versions.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var versions map[string]string
	if err := yaml.UnmarshalStrict(text, &versions); err != nil {
		t.Fatal(err)
	}
	newest := map[string]string{}
	for image, version := range versions {
		name, _, _ := strings.Cut(image, "-")
		if slices.Compare(numbers(newest[name]), numbers(version)) < 0 {
			newest[name] = version
		}
	}
	for _, name := range []string{"wordpress", "mysql", "nginx"} {
		if newest[name] == "" {
			t.Fatalf("tests/images/versions.yaml tells no release of %s", name)
		}
	}
	return newest
}

// outdated are the releases that a text names and that are older than the newest proven ones.
func outdated(text string, newest map[string]string) []string {
	var problems []string
	for _, match := range namedRelease.FindAllStringSubmatch(text, -1) {
		name, version := match[1], match[2]
		if slices.Compare(numbers(version), numbers(newest[name])) < 0 {
			problems = append(problems, fmt.Sprintf("%s, and the local images were built from %s: name that, and try it", match[0], newest[name]))
		}
	}
	return problems
}

func numbers(version string) []int {
	var parsed []int
	for part := range strings.SplitSeq(version, ".") {
		number, _ := strconv.Atoi(part)
		parsed = append(parsed, number)
	}
	return parsed
}
