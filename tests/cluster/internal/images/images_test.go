package images

import (
	"archive/tar"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func TestListNamesEveryImage(t *testing.T) {
	list, err := List(Options{Repo: repository(t), Out: "/out"})
	noError(t, err)
	want := []Image{
		{"browser", "", "/out/browserroot"},
		{"coredns-1.15", "localhost/coredns:1.15", "/out/images/coredns-1.15.tar"},
		{"metrics-server-0.9", "localhost/metrics-server:0.9", "/out/images/metrics-server-0.9.tar"},
		{"mysql-9.7", "localhost/mysql:9.7", "/out/images/mysql-9.7.tar"},
		{"nginx-1.30", "localhost/nginx:1.30", "/out/images/nginx-1.30.tar"},
		{"node", "", "/out/noderoot"},
		{"pause-1", "localhost/pause:1", "/out/images/pause-1.tar"},
		{"pushgateway-1.11", "localhost/pushgateway:1.11", "/out/images/pushgateway-1.11.tar"},
		{"restic-0.19", "localhost/restic:0.19", "/out/images/restic-0.19.tar"},
		{"traefik-3.6", "localhost/traefik:3.6", "/out/images/traefik-3.6.tar"},
		{"wordpress-6.8", "localhost/wordpress:6.8", "/out/images/wordpress-6.8.tar"},
		{"wordpress-7.1", "localhost/wordpress:7.1", "/out/images/wordpress-7.1.tar"},
	}
	if !slices.Equal(list, want) {
		t.Errorf("got  %v\nwant %v", list, want)
	}
}

func TestOnDemandIsMadeOnlyWhereItIsNamed(t *testing.T) {
	for name, names := range map[string][]string{"all": nil, "browser": {"browser"}} {
		recipes, err := wanted(Options{Repo: repository(t), Out: "/out", Names: names})
		noError(t, err)
		isThere := slices.ContainsFunc(recipes, func(r recipe) bool { return r.image("/out").Name == "browser" })
		if isThere != (names != nil) {
			t.Errorf("of %s, the browser's root is made: %t", name, isThere)
		}
	}
}

func TestBuildRefusesUnknownNames(t *testing.T) {
	err := Build(t.Context(), Options{Repo: repository(t), Out: t.TempDir(), Names: []string{"mysql-5.7"}})
	if err == nil || !strings.Contains(err.Error(), `"mysql-5.7" is unknown: the images are browser, mysql-9.7`) {
		t.Errorf("got %v", err)
	}
}

func TestDefinitionReportsEveryProblem(t *testing.T) {
	for name, test := range map[string]struct {
		content string
		want    []string
	}{
		"empty":           {"", []string{"name is missing", "packages are missing", "builds are missing"}},
		"unknown field":   {"name: a\npakages: [b]", []string{`unknown field "pakages"`}},
		"half a build":    {"name: a\npackages: [b]\nbuilds: [{tag: c}]", []string{"builds[0]", "suite"}},
		"image on demand": {"name: a\nonDemand: true\npackages: [b]\nbuilds: [{tag: c, suite: d}]", []string{"onDemand", "root"}},
		"two roots":       {"name: a\nroot: true\npackages: [b]\nbuilds: [{tag: c, suite: d}, {tag: e, suite: f}]", []string{"one build"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "image.yaml")
			noError(t, os.WriteFile(path, []byte(test.content), 0o600))
			_, err := loadDefinition(path)
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range append(test.want, path) {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("no %q in: %v", part, err)
				}
			}
		})
	}
}

func TestDigestSeesWhatMatters(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "file")
	noError(t, os.WriteFile(path, []byte("a"), 0o644))
	first := digestOf(t, folder)

	noError(t, os.Chtimes(path, time.Time{}, time.Unix(1, 0)))
	noError(t, os.Chmod(path, 0o600))
	if digestOf(t, folder) != first {
		t.Error("times or a clone's file modes change the digest")
	}
	for what, change := range map[string]func() error{
		"content":    func() error { return os.WriteFile(path, []byte("b"), 0o600) },
		"executable": func() error { return os.Chmod(path, 0o755) },
		"name":       func() error { return os.Rename(path, path+"2") },
	} {
		before := digestOf(t, folder)
		noError(t, change())
		if digestOf(t, folder) == before {
			t.Errorf("a change of %s is not seen", what)
		}
		noError(t, os.RemoveAll(path+"2"))
		noError(t, os.WriteFile(path, []byte("a"), 0o600))
		noError(t, os.Chmod(path, 0o600))
	}
}

func digestOf(t *testing.T, folder string) string {
	t.Helper()
	h := newHash("builder")
	h.addTree(folder)
	sum, err := h.sum()
	noError(t, err)
	return sum
}

func TestMirrorIsTheDebianArchive(t *testing.T) {
	const uris = "https://packages.example.com/apt\nhttp://mirror.example.com/debian-security/\nhttp://mirror.example.com/debian/\n"
	if got := debianArchive(uris); got != "http://mirror.example.com/debian/" {
		t.Errorf("got %q", got)
	}
	if got := debianArchive("http://archive.example.com/ubuntu"); got != "" {
		t.Errorf("of another distribution: got %q", got)
	}
}

// countingRecipe stands for a build that writes one file and may fail half-way.
type countingRecipe struct {
	version string
	builds  int
	fail    error
}

func (c *countingRecipe) image(out string) Image {
	return Image{Name: "counted", Path: filepath.Join(out, "counted")}
}

func (c *countingRecipe) digest(Options) (string, error) { return c.version, nil }

func (c *countingRecipe) versionOf() string { return "" }

func (c *countingRecipe) onDemand() bool { return false }

func (c *countingRecipe) build(_ context.Context, _ Options, path string) error {
	c.builds++
	if err := os.WriteFile(path, []byte(c.version), 0o600); err != nil {
		return err
	}
	return c.fail
}

func TestEnsureBuildsOnlyWhatChanged(t *testing.T) {
	o := Options{Out: t.TempDir()}.withDefaults()
	r := &countingRecipe{version: "1"}
	image := r.image(o.Out)
	expect := func(when string, builds int, content string) {
		t.Helper()
		got, err := os.ReadFile(image.Path)
		noError(t, err)
		if r.builds != builds || string(got) != content {
			t.Errorf("%s: %d builds and content %q, want %d and %q", when, r.builds, got, builds, content)
		}
	}

	noError(t, ensure(t.Context(), o, r, image))
	noError(t, ensure(t.Context(), o, r, image))
	expect("nothing changed", 1, "1")

	r.version, r.fail = "2", errors.New("half-way")
	if err := ensure(t.Context(), o, r, image); !errors.Is(err, r.fail) {
		t.Errorf("got %v", err)
	}
	expect("a failed build leaves the old image", 2, "1")

	r.fail = nil
	noError(t, ensure(t.Context(), o, r, image))
	expect("the next build", 3, "2")

	noError(t, os.Remove(digestPath(image.Path))) // as a crash between image and digest does
	noError(t, ensure(t.Context(), o, r, image))
	expect("no digest", 4, "2")
}

func TestArchiveHoldsConfigurationAndFiles(t *testing.T) {
	folder := t.TempDir()
	binary, layer, archive := filepath.Join(folder, "server"), filepath.Join(folder, "layer.tar"), filepath.Join(folder, "a.tar")
	noError(t, os.WriteFile(binary, []byte("ELF"), 0o700))
	noError(t, writeBinaryLayer(layer, binary))
	noError(t, writeArchive(archive, "localhost/server:1", layer, config{
		Env:        map[string]string{"B": "2", "A": "1"},
		Entrypoint: []string{"/server"},
		User:       nobody,
		Ports:      []string{"80/tcp"},
		StopSignal: "SIGWINCH",
	}))

	image, err := tarball.ImageFromPath(archive, nil)
	noError(t, err)
	file, err := image.ConfigFile()
	noError(t, err)
	c := file.Config
	_, port := c.ExposedPorts["80/tcp"]
	if file.OS != "linux" || !slices.Equal(c.Env, []string{"A=1", "B=2"}) || c.Entrypoint[0] != "/server" ||
		c.User != nobody || c.StopSignal != "SIGWINCH" || !port {
		t.Errorf("configuration %+v", file)
	}
	layers, err := image.Layers()
	noError(t, err)
	content, err := layers[0].Uncompressed()
	noError(t, err)
	defer func() { _ = content.Close() }()
	modes := map[string]int64{}
	for r := tar.NewReader(content); ; {
		header, err := r.Next()
		if err != nil {
			break
		}
		modes[header.Name] = header.Mode
	}
	if modes["server"] != 0o755 || modes["tmp/"] != 0o1777 {
		t.Errorf("modes of the files (decimal): %v", modes)
	}
}

func TestTailCutsLongOutput(t *testing.T) {
	if got := tail("first\nsecond\nlonger\n", 2, 4); got != "seco\nlong" {
		t.Errorf("got %q", got)
	}
}
