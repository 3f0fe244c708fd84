package images

import (
	"archive/tar"
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"sigs.k8s.io/yaml"
)

// versionsFile is committed: it says which releases the images were built from with which the proofs were tried. A test of the program
// fails when a default or a stack file is older.
const versionsFile = "tests/images/versions.yaml"

const versionsHead = "# The releases that the local images hold, and so those that the proofs were tried with. `make versions` builds the\n" +
	"# images and writes this; `make test` fails where a default, a stack file or a document names an older one.\n"

// packageDatabase is where Debian's package manager says what is installed.
const packageDatabase = "var/lib/dpkg/status"

// lookAtVersions warns where a suite has moved on since the committed file was written, or writes it anew where that is wanted.
func (o Options) lookAtVersions(recipes []recipe) error {
	recorded, err := readVersions(o.Repo)
	if err != nil {
		return err
	}
	found := maps.Clone(recorded)
	for _, r := range recipes {
		image, name := r.image(o.Out), r.versionOf()
		if name == "" {
			continue
		}
		version, err := releaseIn(image.Path, name)
		if err != nil {
			return fmt.Errorf("image %s: %w", image.Name, err)
		}
		found[image.Name] = version
		for _, warning := range o.warnings(image.Name, name, version, recorded[image.Name]) {
			o.Progress(warning)
		}
	}
	if !o.Record {
		return nil
	}
	return writeVersions(o.Repo, found)
}

// warnings say what to change where an image holds another release than its name or the committed file tell.
func (o Options) warnings(image, name, version, recorded string) []string {
	var lines []string
	tag := image[strings.LastIndex(image, "-")+1:]
	if version != tag && !strings.HasPrefix(version, tag+".") {
		lines = append(lines, fmt.Sprintf("WARNING: image %s holds %s %s: its suite has moved on to another line; change the tag in its image.yaml "+
			"below tests/images, and what names it", image, name, version))
	}
	if version != recorded && !o.Record {
		lines = append(lines, fmt.Sprintf("WARNING: image %s holds %s %s, and %s says %q: its suite has moved on; run `make versions`, then "+
			"`make test`, which names what is to be bumped", image, name, version, versionsFile, recorded))
	}
	return lines
}

// readVersions are the releases in the committed file by the name of the image. A checkout without the file has none.
func readVersions(repo string) (map[string]string, error) {
	versions := map[string]string{}
	text, err := os.ReadFile(filepath.Join(repo, versionsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return versions, nil
	}
	if err != nil {
		return nil, err
	}
	if err := yaml.UnmarshalStrict(text, &versions); err != nil {
		return nil, fmt.Errorf("%s: %w", versionsFile, err)
	}
	return versions, nil
}

func writeVersions(repo string, versions map[string]string) error {
	text := versionsHead
	for _, image := range slices.Sorted(maps.Keys(versions)) {
		text += fmt.Sprintf("%s: %s\n", image, versions[image])
	}
	return os.WriteFile(filepath.Join(repo, versionsFile), []byte(text), 0o644)
}

// releaseIn reads from an image's own package database which release of a package's upstream it holds.
func releaseIn(archive, name string) (string, error) {
	image, err := tarball.ImageFromPath(archive, nil)
	if err != nil {
		return "", err
	}
	layers, err := image.Layers()
	if err != nil {
		return "", err
	}
	for _, layer := range layers {
		content, err := layer.Uncompressed()
		if err != nil {
			return "", err
		}
		version, err := installed(content, name)
		_ = content.Close()
		if version != "" || err != nil {
			return upstream(version), err
		}
	}
	return "", fmt.Errorf("%s does not tell the version of %s", packageDatabase, name)
}

// installed is a package's version in a layer's package database, or nothing where the layer has neither.
func installed(layer io.Reader, name string) (string, error) {
	for files := tar.NewReader(layer); ; {
		header, err := files.Next()
		switch {
		case errors.Is(err, io.EOF):
			return "", nil
		case err != nil:
			return "", err
		case strings.TrimPrefix(header.Name, "./") == packageDatabase:
			return versionInDatabase(files, name)
		}
	}
}

// versionInDatabase finds the paragraph of the package, whose first line names it.
func versionInDatabase(database io.Reader, name string) (string, error) {
	lines := bufio.NewScanner(database)
	lines.Buffer(nil, 1<<20)
	isIt := false
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case key == "Package":
			isIt = value == name
		case key == "Version" && isIt:
			return value, nil
		}
	}
	return "", lines.Err()
}

// upstream is a Debian version without what Debian puts before and behind the release that it packages: 7.1.4 of 1:7.1.4+dfsg1-2.
func upstream(version string) string {
	if _, rest, found := strings.Cut(version, ":"); found {
		version = rest
	}
	if end := strings.IndexAny(version, "+~-"); end >= 0 {
		return version[:end]
	}
	return version
}
