package images

import (
	"fmt"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// fileLayer is a layer that lies in a tar file and stays uncompressed: its archive is read on the machine it is made
// on, where compression would only cost time, twice.
type fileLayer struct {
	path   string
	digest v1.Hash
	size   int64
}

func newFileLayer(path string) (fileLayer, error) {
	file, err := os.Open(path)
	if err != nil {
		return fileLayer{}, fmt.Errorf("layer: %w", err)
	}
	defer func() { _ = file.Close() }()
	digest, size, err := v1.SHA256(file)
	if err != nil {
		return fileLayer{}, fmt.Errorf("layer %s: %w", path, err)
	}
	return fileLayer{path: path, digest: digest, size: size}, nil
}

func (l fileLayer) Digest() (v1.Hash, error)             { return l.digest, nil }
func (l fileLayer) DiffID() (v1.Hash, error)             { return l.digest, nil }
func (l fileLayer) Compressed() (io.ReadCloser, error)   { return os.Open(l.path) }
func (l fileLayer) Uncompressed() (io.ReadCloser, error) { return os.Open(l.path) }
func (l fileLayer) Size() (int64, error)                 { return l.size, nil }

func (l fileLayer) MediaType() (types.MediaType, error) {
	return types.DockerUncompressedLayer, nil
}
