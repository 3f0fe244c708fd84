package images

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// registry is the host part of the images' references. Nothing listens there: the images are imported into each node.
const registry = "localhost"

func archiveImage(out, repository, tag string) Image {
	full := repository + "-" + tag
	return Image{
		Name:      full,
		Reference: registry + "/" + repository + ":" + tag,
		Path:      filepath.Join(out, "images", full+".tar"),
	}
}

// writeArchive makes a docker-archive file with one layer, the tar file at layerPath.
func writeArchive(path, reference, layerPath string, c config) error {
	layer, err := newFileLayer(layerPath)
	if err != nil {
		return err
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return fmt.Errorf("layer %s: %w", layerPath, err)
	}
	image, err = withConfig(image, c)
	if err != nil {
		return fmt.Errorf("configuration of %s: %w", reference, err)
	}
	tag, err := name.NewTag(reference)
	if err != nil {
		return fmt.Errorf("reference %q: %w", reference, err)
	}
	if err := tarball.WriteToFile(path, tag, image); err != nil {
		_ = os.Remove(path)
		return fmt.Errorf("archive %s: %w", path, err)
	}
	return nil
}

// withConfig adds to the image how its containers start, and the machine that it is for: this one.
func withConfig(image v1.Image, c config) (v1.Image, error) {
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", runtime.GOARCH
	file.Config = v1.Config{
		Env:          c.environment(),
		Entrypoint:   c.Entrypoint,
		Cmd:          c.Cmd,
		WorkingDir:   c.WorkingDir,
		User:         c.User,
		ExposedPorts: set(c.Ports),
		Volumes:      set(c.Volumes),
		StopSignal:   c.StopSignal,
	}
	return mutate.ConfigFile(image, file)
}

func (c config) environment() []string {
	var env []string
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		env = append(env, name+"="+c.Env[name])
	}
	return env
}

func set(items []string) map[string]struct{} {
	if len(items) == 0 {
		return nil
	}
	s := map[string]struct{}{}
	for _, item := range items {
		s[item] = struct{}{}
	}
	return s
}
