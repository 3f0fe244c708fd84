package images

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

// definition is the content of an image.yaml: one image from Debian's packages in one or more versions. Beside the
// file may lie rootfs, a folder that is laid over the packages' files, and setup.sh, which then runs in the root.
type definition struct {
	// Name is the image's name without a tag.
	Name string `json:"name"`
	// Root says that the result is a folder in which processes run, and no container image.
	Root bool `json:"root,omitempty"`
	// OnDemand says that it is made only for those who name it. A container image never is: the cluster imports every one.
	OnDemand bool `json:"onDemand,omitempty"`
	// Builds are the versions to make.
	Builds []suiteBuild `json:"builds"`
	// Packages are installed with what they depend on, but not with what they merely recommend.
	Packages []string `json:"packages"`
	// Exclude are paths, with wildcards, that are left out of every package.
	Exclude []string `json:"exclude,omitempty"`
	// Config is how a container of the image starts.
	Config config `json:"config,omitempty"`
}

// suiteBuild is one version of an image.
type suiteBuild struct {
	// Tag is the version in the image's reference.
	Tag string `json:"tag"`
	// Suite is the Debian release that the packages come from.
	Suite string `json:"suite"`
	// VersionOf is the package whose version is that of the image. It should begin with Tag; a suite moves on, and building then warns.
	// Default: none is looked at.
	VersionOf string `json:"versionOf,omitempty"`
}

// config is the part of an image's configuration that the definitions here use. Unset fields stay unset in the image.
type config struct {
	Env        map[string]string `json:"env,omitempty"`
	Entrypoint []string          `json:"entrypoint,omitempty"`
	Cmd        []string          `json:"cmd,omitempty"`
	WorkingDir string            `json:"workingDir,omitempty"`
	User       string            `json:"user,omitempty"`
	Ports      []string          `json:"ports,omitempty"`
	Volumes    []string          `json:"volumes,omitempty"`
	StopSignal string            `json:"stopSignal,omitempty"`
}

// loadDefinitions reads the image.yaml of every folder in the given one.
func loadDefinitions(folder string) ([]recipe, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*", "image.yaml"))
	if err != nil {
		return nil, fmt.Errorf("image definitions: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("image definitions: no */image.yaml in %s", folder)
	}
	var recipes []recipe
	for _, file := range files {
		d, err := loadDefinition(file)
		if err != nil {
			return nil, err
		}
		for _, b := range d.Builds {
			recipes = append(recipes, debianImage{folder: filepath.Dir(file), definition: d, suiteBuild: b})
		}
	}
	return recipes, nil
}

// loadDefinition reads one file. An unknown field is an error.
func loadDefinition(file string) (definition, error) {
	var d definition
	content, err := os.ReadFile(file)
	if err != nil {
		return d, fmt.Errorf("image definition: %w", err)
	}
	if err := yaml.UnmarshalStrict(content, &d); err != nil {
		return d, fmt.Errorf("%s: %w", file, err)
	}
	if err := d.validate(); err != nil {
		return d, fmt.Errorf("%s: %w", file, err)
	}
	return d, nil
}

// validate reports all that is missing at once.
func (d definition) validate() error {
	var problems []error
	if d.Name == "" {
		problems = append(problems, errors.New("name is missing"))
	}
	if len(d.Packages) == 0 {
		problems = append(problems, errors.New("packages are missing"))
	}
	if len(d.Builds) == 0 {
		problems = append(problems, errors.New("builds are missing"))
	}
	for i, b := range d.Builds {
		if b.Tag == "" || b.Suite == "" {
			problems = append(problems, fmt.Errorf("builds[%d] %+v: tag and suite are both required", i, b))
		}
	}
	if d.Root && len(d.Builds) > 1 {
		problems = append(problems, errors.New("builds: a root has one build only"))
	}
	if d.OnDemand && !d.Root {
		problems = append(problems, errors.New("onDemand: only a root can wait until it is asked for"))
	}
	return errors.Join(problems...)
}
