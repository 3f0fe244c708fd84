// Package images makes the container images of the local cluster, none of which comes from a registry: WordPress and
// MySQL from Debian's packages, the cluster's own components from the binaries built for it, and the file systems in
// which the nodes and the tests' browser run.
package images

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// parallelBuilds is how many images are built at a time. A build waits for the network about as long as it computes,
// so two keep a small machine busy.
const parallelBuilds = 2

// Options says what Build makes and where.
type Options struct {
	// Repo is the root folder of the repository. Required.
	Repo string
	// Out is the folder for what is built; binaries are read from its folder bin. Default: Repo/.local.
	Out string
	// Names are the images wanted, as in Image.Name. Default: all but those that are made on demand.
	Names []string
	// Mirror is the URI of the Debian archive. Default: the one this machine's own apt uses, or mmdebstrap's default
	// on a machine that uses none.
	Mirror string
	// Record writes what the images hold into the committed file. Default: only a warning is given where it differs.
	Record bool
	// Progress is called with one line of text as a step begins or ends, by several goroutines. Default: nobody is told.
	Progress func(line string)
}

// Image is one thing that Build makes.
type Image struct {
	// Name tells the image from all others, for instance wordpress-7.1.
	Name string
	// Reference is what a pod's image field says, for instance localhost/wordpress:7.1. It is empty for a root, which is no
	// container image.
	Reference string
	// Path is where the image lies: a docker-archive file, or a folder for a root.
	Path string
}

// recipe is one image and the way to make it.
type recipe interface {
	image(out string) Image
	// digest is over everything that the result depends on.
	digest(o Options) (string, error)
	// versionOf is the Debian package whose version is that of the image; empty where nobody asks.
	versionOf() string
	// onDemand says that it is made only where it is named.
	onDemand() bool
	// build makes the image at path, which does not exist yet.
	build(ctx context.Context, o Options, path string) error
}

// List returns every image in the order of their names, built or not.
func List(o Options) ([]Image, error) {
	o = o.withDefaults()
	recipes, err := allRecipes(o.Repo)
	if err != nil {
		return nil, err
	}
	var list []Image
	for _, r := range recipes {
		list = append(list, r.image(o.Out))
	}
	slices.SortFunc(list, func(a, b Image) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// Build makes the wanted images that are missing or whose definition has changed. An image appears at its path
// complete or not at all, however the build ends. A root must not be in use while it is made anew.
func Build(ctx context.Context, o Options) error {
	o = o.withDefaults()
	recipes, err := wanted(o)
	if err != nil {
		return err
	}
	unlock, err := lock(filepath.Join(o.Out, "images"))
	if err != nil {
		return err
	}
	defer unlock()

	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelBuilds)
	for _, r := range recipes {
		group.Go(func() error {
			image := r.image(o.Out)
			if err := ensure(ctx, o, r, image); err != nil {
				return fmt.Errorf("image %s: %w", image.Name, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return o.lookAtVersions(recipes)
}

func (o Options) withDefaults() Options {
	if o.Out == "" {
		o.Out = filepath.Join(o.Repo, ".local")
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	return o
}

func allRecipes(repo string) ([]recipe, error) {
	recipes, err := loadDefinitions(filepath.Join(repo, "tests", "images"))
	if err != nil {
		return nil, err
	}
	for _, b := range binaryImages {
		recipes = append(recipes, b)
	}
	return recipes, nil
}

// wanted returns the recipes that o.Names names.
func wanted(o Options) ([]recipe, error) {
	all, err := allRecipes(o.Repo)
	if err != nil {
		return nil, err
	}
	if len(o.Names) == 0 {
		return slices.DeleteFunc(all, recipe.onDemand), nil
	}
	byName := map[string]recipe{}
	var known []string
	for _, r := range all {
		name := r.image(o.Out).Name
		byName[name] = r
		known = append(known, name)
	}
	var chosen []recipe
	for _, name := range o.Names {
		r, ok := byName[name]
		if !ok {
			return nil, fmt.Errorf("image %q is unknown: the images are %s", name, strings.Join(known, ", "))
		}
		chosen = append(chosen, r)
	}
	return chosen, nil
}

// lock keeps a second Build off the folder until unlock is called or this process ends.
func lock(folder string) (unlock func(), err error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("folder for images: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(folder, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock of the images: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lock %s: %w", file.Name(), err)
	}
	return func() { _ = file.Close() }, nil
}

// ensure builds one image unless the one that is there was made from the same things.
func ensure(ctx context.Context, o Options, r recipe, image Image) error {
	digest, err := r.digest(o)
	if err != nil {
		return err
	}
	if upToDate(image.Path, digest) {
		o.Progress(fmt.Sprintf("image %s: up to date", image.Name))
		return nil
	}
	started := time.Now()
	o.Progress(fmt.Sprintf("image %s: building", image.Name))
	partial := image.Path + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return fmt.Errorf("remains of an earlier build: %w", err)
	}
	if err := r.build(ctx, o, partial); err != nil {
		return err
	}
	if err := publish(partial, image.Path, digest); err != nil {
		return err
	}
	o.Progress(fmt.Sprintf("image %s: built in %s", image.Name, time.Since(started).Round(time.Second)))
	return nil
}

func digestPath(path string) string { return path + ".digest" }

func upToDate(path, digest string) bool {
	if _, err := os.Stat(path); err != nil {
		return false
	}
	stored, err := os.ReadFile(digestPath(path))
	return err == nil && strings.TrimSpace(string(stored)) == digest
}

// publish moves a finished image to its path. The digest goes first and comes back last, so that a crash in between
// leads to another build and never to an old image under a new digest.
func publish(partial, path, digest string) error {
	if err := os.RemoveAll(digestPath(path)); err != nil {
		return fmt.Errorf("old digest: %w", err)
	}
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("old image: %w", err)
	}
	if err := os.Rename(partial, path); err != nil {
		return fmt.Errorf("new image: %w", err)
	}
	if err := os.WriteFile(digestPath(path), []byte(digest+"\n"), 0o644); err != nil {
		return fmt.Errorf("new digest: %w", err)
	}
	return nil
}
