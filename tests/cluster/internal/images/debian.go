package images

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// debianBuilder is part of the digest of every image made from packages: raise it when a change of this package
// changes what is in them.
const debianBuilder = "debian 1"

// leftOut is what no container reads: it would only make the images larger.
var leftOut = []string{
	"/usr/share/bash-completion/*",
	"/usr/share/doc/*",
	"/usr/share/doc-base/*",
	"/usr/share/info/*",
	"/usr/share/lintian/*",
	"/usr/share/locale/*",
	"/usr/share/man/*",
}

// debianImage is one build of a definition.
type debianImage struct {
	folder     string // where the definition lies
	definition definition
	suiteBuild suiteBuild
}

func (d debianImage) image(out string) Image {
	if d.definition.Root {
		return Image{Name: d.definition.Name, Path: filepath.Join(out, d.definition.Name+"root")}
	}
	return archiveImage(out, d.definition.Name, d.suiteBuild.Tag)
}

func (d debianImage) versionOf() string { return d.suiteBuild.VersionOf }

func (d debianImage) onDemand() bool { return d.definition.OnDemand }

func (d debianImage) digest(Options) (string, error) {
	h := newHash(debianBuilder, d.suiteBuild.Tag, strings.Join(leftOut, " "))
	h.addTree(d.folder)
	h.addTree(d.finishScript())
	return h.sum()
}

// finishScript is the hook that completes each root, shared by all definitions.
func (d debianImage) finishScript() string {
	return filepath.Join(filepath.Dir(d.folder), "finish.sh")
}

func (d debianImage) build(ctx context.Context, o Options, path string) error {
	if d.definition.Root {
		return d.debootstrap(ctx, o, path)
	}
	layer := path + ".tar"
	defer func() { _ = os.Remove(layer) }()
	if err := d.debootstrap(ctx, o, layer); err != nil {
		return err
	}
	reference := d.image(o.Out).Reference
	return writeArchive(path, reference, layer, d.definition.Config)
}

// debootstrap installs the packages: into a tar file where target ends in .tar, into a folder otherwise.
func (d debianImage) debootstrap(ctx context.Context, o Options, target string) error {
	work := target + ".work"
	if err := os.RemoveAll(work); err != nil {
		return fmt.Errorf("remains of an earlier build: %w", err)
	}
	if err := os.MkdirAll(work, 0o755); err != nil {
		return fmt.Errorf("folder for the build: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }()

	cmd := exec.CommandContext(ctx, "mmdebstrap", d.arguments(target, o.mirror(ctx))...)
	cmd.Env = append(os.Environ(),
		"TMPDIR="+work,
		"FINISH_SCRIPT="+d.finishScript(),
		"IMAGE_DIR="+d.folder,
	)
	// In namespaces of its own: when the build ends, however it ends, so does everything that it started or mounted.
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:   syscall.CLONE_NEWPID,
		Unshareflags: syscall.CLONE_NEWNS,
		Pdeathsig:    syscall.SIGKILL,
	}
	return run(cmd)
}

// arguments are mmdebstrap's. An expired Release file is accepted, because an archive may be a snapshot; its signature
// is checked all the same.
func (d debianImage) arguments(target, mirror string) []string {
	args := []string{
		"--mode=root",
		"--variant=minbase",
		"--include=" + strings.Join(d.definition.Packages, ","),
		`--aptopt=Acquire::Check-Valid-Until "false"`,
		`--aptopt=APT::Install-Recommends "false"`,
		// What the packages and setup.sh made in /run belongs to the image.
		"--skip=cleanup/run",
		`--customize-hook=sh "$FINISH_SCRIPT" "$1"`,
	}
	if !d.definition.Root {
		args = append(args, "--skip=output/dev")
	}
	for _, path := range append(leftOut, d.definition.Exclude...) {
		args = append(args, "--dpkgopt=path-exclude="+path)
	}
	args = append(args, d.suiteBuild.Suite, target)
	if mirror != "" {
		args = append(args, mirror)
	}
	return args
}

// mirror is the archive to install from, or "" for mmdebstrap's default.
func (o Options) mirror(ctx context.Context) string {
	if o.Mirror != "" {
		return o.Mirror
	}
	// A machine without apt, or with another distribution's, has no Debian archive to name.
	targets, err := exec.CommandContext(ctx, "apt-get", "indextargets", "--format", "$(REPO_URI)").Output()
	if err != nil {
		return ""
	}
	return debianArchive(string(targets))
}

// debianArchive finds the first URI whose path ends in debian, as that of every mirror of the archive does.
func debianArchive(uris string) string {
	for uri := range strings.FieldsSeq(uris) {
		if strings.HasSuffix(strings.TrimSuffix(uri, "/"), "/debian") {
			return uri
		}
	}
	return ""
}

// run runs a command and gives the end of what it printed with the error.
func run(cmd *exec.Cmd) error {
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%w: install it with apt-get install %s", err, filepath.Base(cmd.Path))
	}
	if err != nil {
		return fmt.Errorf("%s: %w:\n%s", filepath.Base(cmd.Path), err, tail(output.String(), 20, 200))
	}
	return nil
}

// tail returns the last lines of a text, each cut to at most width bytes.
func tail(text string, lines, width int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	last := all[max(0, len(all)-lines):]
	for i, line := range last {
		last[i] = line[:min(len(line), width)]
	}
	return strings.Join(last, "\n")
}
