package images

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// database is what Debian's package manager keeps of three packages, one of which begins like another.
const database = `Package: wordpress-theme-twentytwentyfive
Status: install ok installed
Version: 6.0.0+dfsg1-1

Package: wordpress
Status: install ok installed
Version: 1:7.1.4+dfsg1-2
Description: weblog manager

Package: tzdata
Version: 2026c-1
`

// debianArchiveImage is an image whose file system holds that database.
func debianArchiveImage(t *testing.T, out string) string {
	t.Helper()
	var layer bytes.Buffer
	files := tar.NewWriter(&layer)
	noError(t, files.WriteHeader(&tar.Header{Name: "./" + packageDatabase, Mode: 0o644, Size: int64(len(database))}))
	_, err := files.Write([]byte(database))
	noError(t, err)
	noError(t, files.Close())
	path, archive := filepath.Join(out, "layer.tar"), filepath.Join(out, "counted")
	noError(t, os.WriteFile(path, layer.Bytes(), 0o600))
	noError(t, writeArchive(archive, "localhost/counted:1", path, config{}))
	return archive
}

func TestReleaseIsReadFromTheImage(t *testing.T) {
	archive := debianArchiveImage(t, t.TempDir())
	for name, want := range map[string]string{"wordpress": "7.1.4", "tzdata": "2026c"} {
		if got, err := releaseIn(archive, name); err != nil || got != want {
			t.Errorf("%s: got %q (%v), want %q", name, got, err, want)
		}
	}
	if _, err := releaseIn(archive, "mysql"); err == nil || !strings.Contains(err.Error(), "mysql") {
		t.Errorf("of a package that is not there: %v", err)
	}
}

// versionedRecipe is an image that holds a package.
type versionedRecipe struct{ countingRecipe }

func (v *versionedRecipe) versionOf() string { return "wordpress" }

func (v *versionedRecipe) image(out string) Image {
	return Image{Name: "wordpress-7.1", Path: filepath.Join(out, "counted")}
}

func TestOnlyRecordingWritesTheVersions(t *testing.T) {
	repo := t.TempDir()
	noError(t, os.MkdirAll(filepath.Join(repo, "tests", "images"), 0o755))
	debianArchiveImage(t, repo)
	file := filepath.Join(repo, versionsFile)
	look := func(record bool) (warnings []string) {
		t.Helper()
		o := Options{Repo: repo, Out: repo, Record: record, Progress: func(line string) { warnings = append(warnings, line) }}
		noError(t, o.lookAtVersions([]recipe{&versionedRecipe{}, &countingRecipe{}}))
		return warnings
	}
	const before = "mysql-9.7: 9.7.4\nwordpress-7.1: 7.1.3\n"
	noError(t, os.WriteFile(file, []byte(before), 0o600))
	if got := look(false); len(got) != 1 || !strings.Contains(got[0], `wordpress 7.1.4, and `+versionsFile+` says "7.1.3"`) {
		t.Errorf("warnings %q, want one about the release", got)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != before {
		t.Errorf("the file is %q (%v), want it as it was", text, err)
	}
	if got := look(true); got != nil {
		t.Errorf("warnings %q while the file is written, want none", got)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != versionsHead+"mysql-9.7: 9.7.4\nwordpress-7.1: 7.1.4\n" {
		t.Errorf("the file is %q (%v), want the release that the image holds", text, err)
	}
	if got := look(false); got != nil {
		t.Errorf("warnings %q, want none", got)
	}
}

func TestAnotherLineIsWarnedOf(t *testing.T) {
	for version, want := range map[string]bool{"7.1": false, "7.1.5": false, "7.10": true, "7.2.0": true} {
		isAboutTag := func(line string) bool { return strings.Contains(line, "change the tag") }
		if got := slices.ContainsFunc(Options{}.warnings("wordpress-7.1", "wordpress", version, version), isAboutTag); got != want {
			t.Errorf("%s: warned %t, want %t", version, got, want)
		}
	}
}

// The committed file tells of every image that holds a release of somebody's, and of no other.
func TestVersionsAreRecorded(t *testing.T) {
	repo := repository(t)
	recorded, err := readVersions(repo)
	noError(t, err)
	recipes, err := allRecipes(repo)
	noError(t, err)
	for _, r := range recipes {
		name := r.image(repo).Name
		if got, want := recorded[name] != "", r.versionOf() != ""; got != want {
			t.Errorf("%s is in %s: %t, want %t", name, versionsFile, got, want)
		}
		delete(recorded, name)
	}
	if len(recorded) > 0 {
		t.Errorf("%s tells of images that are none: %v", versionsFile, recorded)
	}
}
