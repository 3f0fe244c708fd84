// Package incoming reads what other hosts give of a site: a dump of its database, and the files of its wp-content.
package incoming

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// content is the name of WordPress's folder.
const content = "wp-content"

// leftOut are what is of the old host's own, by its path in wp-content: it takes the place of parts of WordPress, and would look for services that are not
// there, or is made anew.
var leftOut = []string{
	"advanced-cache.php", "cache", "db.php", "object-cache.php", "sunrise.php", "upgrade", "upgrade-temp-backup", "wp-cache-config.php",
}

// Content is the files of a wp-content: a folder, or an archive of one.
type Content struct {
	// Files is how many there are.
	Files int
	// Left are those that are left out, and why.
	Left []string

	path, root string
}

// entry of an archive.
type entry struct {
	name string
	mode fs.FileMode
	size int64
	data io.Reader
}

// ReadContent looks through a folder, or an archive in the form of tar, tar.gz or zip. The folder wp-content may be anywhere in it, or be what it is of.
func ReadContent(from string) (*Content, error) {
	c := &Content{path: from}
	var names []string
	if err := c.walk(func(e entry) error {
		names = append(names, e.name)
		return nil
	}); err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	root, found := rootOf(names)
	if !found {
		return nil, fmt.Errorf("%s holds no wp-content: neither a folder of that name, nor themes, plugins or uploads", from)
	}
	c.root = root
	err := c.walk(func(e entry) error {
		switch name, reason := c.place(e); {
		case reason != "":
			c.Left = append(c.Left, name+": "+reason)
		case name != "":
			c.Files++
		}
		return nil
	})
	if err == nil && c.Files == 0 {
		err = errors.New("its wp-content has no files")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	c.Left = summary(c.Left)
	return c, nil
}

// WriteTar writes the files as an archive whose names begin in wp-content.
func (c *Content) WriteTar(to io.Writer) error {
	archive := tar.NewWriter(to)
	written := 0
	err := c.walk(func(e entry) error {
		name, reason := c.place(e)
		if name == "" || reason != "" {
			return nil
		}
		written++
		header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: e.size}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		_, err := io.Copy(archive, e.data)
		return err
	})
	if err == nil && written != c.Files {
		err = fmt.Errorf("it had %d files, and has %d now", c.Files, written)
	}
	if err = errors.Join(err, archive.Close()); err != nil {
		return fmt.Errorf("%s: %w", c.path, err)
	}
	return nil
}

// place is where a file belongs in wp-content; empty where it is none. The reason is why it is left out.
func (c *Content) place(e entry) (name, reason string) {
	name, inside := strings.CutPrefix(e.name, c.root)
	if !inside || e.mode.IsDir() {
		return "", ""
	}
	first, _, _ := strings.Cut(name, "/")
	switch {
	case !fs.ValidPath(name):
		return name, "it would lie outside"
	case slices.Contains(leftOut, first):
		return first, "it is of the old host's own, or is made anew"
	case !e.mode.IsRegular():
		return name, "it is no file, but a link or a device"
	}
	return name, ""
}

// summary has one line for what is left out for the same reason in the same place.
func summary(all []string) []string {
	slices.Sort(all)
	return slices.Compact(all)
}

// rootOf is what the names of the files of wp-content begin with, of all names in an archive.
func rootOf(names []string) (root string, found bool) {
	for _, name := range names {
		before, _, inside := strings.Cut("/"+name, "/"+content+"/")
		if inside && (!found || len(before)+len(content)+1 < len(root)) {
			root, found = strings.TrimPrefix(before+"/"+content+"/", "/"), true
		}
	}
	if found {
		return root, true
	}
	for _, name := range names {
		parts := strings.SplitN(name, "/", 3)
		for depth := range min(2, len(parts)-1) {
			if slices.Contains([]string{"themes", "plugins", "uploads"}, parts[depth]) {
				return strings.Join(append(slices.Clone(parts[:depth]), ""), "/"), true
			}
		}
	}
	return "", false
}

// walk visits all entries, of whatever form they are.
func (c *Content) walk(visit func(entry) error) error {
	info, err := os.Stat(c.path)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return walkFolder(c.path, visit)
	}
	file, err := os.Open(c.path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	form, err := formOf(file)
	switch {
	case err != nil:
		return err
	case form == formZip:
		return walkZip(file, info.Size(), visit)
	case form == formGzip:
		unpacked, err := gzip.NewReader(bufio.NewReader(file))
		if err != nil {
			return err
		}
		return walkTar(unpacked, visit)
	default:
		return walkTar(bufio.NewReader(file), visit)
	}
}

func walkFolder(folder string, visit func(entry) error) error {
	// What the folder's own name says counts as well.
	parent := filepath.Base(filepath.Clean(folder)) + "/"
	return filepath.WalkDir(folder, func(at string, found fs.DirEntry, err error) error {
		if err != nil || found.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, at)
		if err != nil {
			return err
		}
		info, err := found.Info()
		if err != nil {
			return err
		}
		e := entry{name: parent + filepath.ToSlash(name), mode: info.Mode(), size: info.Size()}
		if !e.mode.IsRegular() {
			return visit(e)
		}
		file, err := os.Open(at)
		if err != nil {
			return err
		}
		e.data = file
		return errors.Join(visit(e), file.Close())
	})
}

func walkZip(file io.ReaderAt, size int64, visit func(entry) error) error {
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return err
	}
	for _, packed := range archive.File {
		data, err := packed.Open()
		if err != nil {
			return err
		}
		e := entry{name: cleaned(packed.Name), mode: packed.Mode(), size: int64(packed.UncompressedSize64), data: data}
		if err := errors.Join(visit(e), data.Close()); err != nil {
			return err
		}
	}
	return nil
}

func walkTar(file io.Reader, visit func(entry) error) error {
	archive := tar.NewReader(file)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("it is no folder and no archive in the form of tar, tar.gz or zip: %w", err)
		}
		mode := header.FileInfo().Mode()
		if header.Typeflag == tar.TypeLink {
			mode |= fs.ModeIrregular // Its bytes stand where it leads to.
		}
		if err := visit(entry{name: cleaned(header.Name), mode: mode, size: header.Size, data: archive}); err != nil {
			return err
		}
	}
}

// cleaned is a name as others write it: not with ./ at its beginning. One that leads outside stays as it is, and is refused.
func cleaned(name string) string {
	return strings.TrimPrefix(name, "./")
}

// Forms of files, which their first bytes tell.
const (
	formPlain = iota
	formGzip
	formZip
)

// formOf leaves the file at its beginning.
func formOf(file io.ReadSeeker) (int, error) {
	head := make([]byte, 4)
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	switch {
	case bytes.HasPrefix(head[:n], []byte{0x1f, 0x8b}):
		return formGzip, nil
	case bytes.HasPrefix(head[:n], []byte("PK\x03\x04")):
		return formZip, nil
	}
	return formPlain, nil
}

// OpenDump opens a dump in the language of SQL: a file as it is, one packed by gzip, or the only one with a name in .sql of a zip.
func OpenDump(from string) (io.ReadCloser, error) {
	file, err := os.Open(from)
	if err != nil {
		return nil, err
	}
	dump, err := unpackDump(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, errors.Join(err, file.Close()))
	}
	return dump, nil
}

// opened is read through its last part, and closed with all of them.
type opened struct {
	io.Reader

	parts []io.Closer
}

// Close closes what was opened, the innermost first.
func (o *opened) Close() error {
	var problem error
	for _, part := range o.parts {
		problem = errors.Join(problem, part.Close())
	}
	return problem
}

func unpackDump(file *os.File) (io.ReadCloser, error) {
	form, err := formOf(file)
	if err != nil {
		return nil, err
	}
	switch form {
	case formGzip:
		unpacked, err := gzip.NewReader(bufio.NewReader(file))
		return &opened{unpacked, []io.Closer{file}}, err
	case formZip:
		return dumpInZip(file)
	default:
		return file, nil
	}
}

func dumpInZip(file *os.File) (io.ReadCloser, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	archive, err := zip.NewReader(file, info.Size())
	if err != nil {
		return nil, err
	}
	var dumps []*zip.File
	for _, packed := range archive.File {
		if path.Ext(packed.Name) == ".sql" {
			dumps = append(dumps, packed)
		}
	}
	if len(dumps) != 1 {
		return nil, fmt.Errorf("it has %d files in .sql, want one", len(dumps))
	}
	data, err := dumps[0].Open()
	if err != nil {
		return nil, err
	}
	return &opened{data, []io.Closer{data, file}}, nil
}
