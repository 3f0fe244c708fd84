package images

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// binaryBuilder is part of the digest of every image made from a binary: raise it when a change of this package
// changes what is in them.
const binaryBuilder = "binary 1"

// nobody is the user of the cluster's own components: one without rights or files.
const nobody = "65532:65532"

// binaryImage is an image that holds one static binary and nothing that it does not need.
type binaryImage struct {
	repository string
	tag        string
	// source is the folder of the binary's source below tests/cluster. Default: the binary is built by somebody else
	// and lies in the folder bin.
	source string
}

// binaryImages are the cluster's own components. Their tags tell the versions that tests/cluster/tools pins.
var binaryImages = []binaryImage{
	{repository: "coredns", tag: "1.15"},
	{repository: "metrics-server", tag: "0.9"},
	{repository: "pause", tag: "1", source: "cmd/pause"},
	{repository: "traefik", tag: "3.6"},
}

func (b binaryImage) image(out string) Image {
	return archiveImage(out, b.repository, b.tag)
}

// versionOf is empty: the tools' own modules tell their versions.
func (b binaryImage) versionOf() string { return "" }

func (b binaryImage) onDemand() bool { return false }

func (b binaryImage) binary(out string) string {
	return filepath.Join(out, "bin", b.repository)
}

func (b binaryImage) digest(o Options) (string, error) {
	h := newHash(binaryBuilder, b.repository, b.tag, nobody)
	if b.source != "" {
		h.addTree(b.sourceFolder(o))
		h.addText(runtime.Version())
		return h.sum()
	}
	h.addTree(b.binary(o.Out))
	sum, err := h.sum()
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: build the tools first", err)
	}
	return sum, err
}

func (b binaryImage) sourceFolder(o Options) string {
	return filepath.Join(o.Repo, "tests", "cluster", b.source)
}

func (b binaryImage) build(ctx context.Context, o Options, path string) error {
	if b.source != "" {
		if err := b.compile(ctx, o); err != nil {
			return err
		}
	}
	layer := path + ".tar"
	defer func() { _ = os.Remove(layer) }()
	if err := writeBinaryLayer(layer, b.binary(o.Out)); err != nil {
		return fmt.Errorf("layer of %s: %w", b.repository, err)
	}
	return writeArchive(path, b.image(o.Out).Reference, layer, config{
		Entrypoint: []string{"/" + b.repository},
		User:       nobody,
		WorkingDir: "/",
	})
}

// compile builds the binary without links to the machine's libraries: the image has none.
func (b binaryImage) compile(ctx context.Context, o Options) error {
	if err := os.MkdirAll(filepath.Join(o.Out, "bin"), 0o755); err != nil {
		return fmt.Errorf("folder for binaries: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", b.binary(o.Out), ".")
	cmd.Dir = b.sourceFolder(o)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	return run(cmd)
}

// writeBinaryLayer makes a root with the binary, a place for temporary files and a name for the user. It holds no
// times, so that the same binary makes the same layer.
func writeBinaryLayer(path, binary string) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()

	w := tar.NewWriter(file)
	for _, folder := range []tar.Header{{Name: "etc/", Mode: 0o755}, {Name: "tmp/", Mode: 0o1777}} {
		folder.Typeflag = tar.TypeDir
		if err := w.WriteHeader(&folder); err != nil {
			return err
		}
	}
	const passwd = "nobody:x:65532:65532::/:/sbin/nologin\n"
	if err := w.WriteHeader(&tar.Header{Name: "etc/passwd", Mode: 0o644, Size: int64(len(passwd))}); err != nil {
		return err
	}
	if _, err := io.WriteString(w, passwd); err != nil {
		return err
	}
	if err := addBinary(w, binary); err != nil {
		return err
	}
	return w.Close()
}

func addBinary(w *tar.Writer, binary string) error {
	file, err := os.Open(binary)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	header := &tar.Header{Name: filepath.Base(binary), Mode: 0o755, Size: info.Size()}
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(w, file)
	return err
}
