package images

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// treeHash is a digest over texts and files. The first error stays and comes out of sum.
type treeHash struct {
	hash hash.Hash
	err  error
}

func newHash(texts ...string) *treeHash {
	h := &treeHash{hash: sha256.New()}
	for _, text := range texts {
		h.addText(text)
	}
	return h
}

func (h *treeHash) addText(text string) {
	_, _ = fmt.Fprintf(h.hash, "text %d %s\n", len(text), text)
}

// addTree adds a file, or a folder's files with their paths in it: contents and whether they are executable. Owners and
// times are left out, as they differ from clone to clone.
func (h *treeHash) addTree(root string) {
	if h.err != nil {
		return
	}
	h.err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		return h.addFile(path, relative)
	})
}

func (h *treeHash) addFile(path, as string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(h.hash, "file %s %t %d\n", as, info.Mode()&0o111 != 0, info.Size())
	_, err = io.Copy(h.hash, file)
	return err
}

func (h *treeHash) sum() (string, error) {
	if h.err != nil {
		return "", fmt.Errorf("digest: %w", h.err)
	}
	return "sha256:" + hex.EncodeToString(h.hash.Sum(nil)), nil
}
