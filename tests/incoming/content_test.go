package incoming

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// hosted is what a host's archive holds, by name.
type hosted map[string]string

func (h hosted) tar(t *testing.T, links ...string) []byte {
	t.Helper()
	var packed bytes.Buffer
	archive := tar.NewWriter(&packed)
	for _, name := range slices.Sorted(maps.Keys(h)) {
		header := &tar.Header{Name: name, Mode: 0o600, Size: int64(len(h[name])), Typeflag: tar.TypeReg}
		if err := errors.Join(archive.WriteHeader(header), write(archive, h[name])); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range links {
		if err := archive.WriteHeader(&tar.Header{Name: name, Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink}); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func (h hosted) zip(t *testing.T) []byte {
	t.Helper()
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	for _, name := range slices.Sorted(maps.Keys(h)) {
		file, err := archive.Create(name)
		if err == nil {
			err = write(file, h[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func (h hosted) folder(t *testing.T, name string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), name)
	for name, text := range h {
		path := filepath.Join(folder, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func write(to io.Writer, text string) error {
	_, err := io.WriteString(to, text)
	return err
}

func packed(t *testing.T, data []byte) []byte {
	t.Helper()
	var small bytes.Buffer
	writer := gzip.NewWriter(&small)
	if _, err := writer.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return small.Bytes()
}

func file(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// unpacked is what is handed on.
func unpacked(t *testing.T, c *Content) hosted {
	t.Helper()
	var written bytes.Buffer
	if err := c.WriteTar(&written); err != nil {
		t.Fatal(err)
	}
	found := hosted{}
	for archive := tar.NewReader(&written); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		found[header.Name] = string(text)
	}
}

func TestContentIsFoundInAnyForm(t *testing.T) {
	want := hosted{"themes/one/style.css": "css", "uploads/2026/zwölf.png": "png", "index.php": "<?php"}
	inFolder := func(folder string) hosted {
		moved := hosted{folder + "cache/page": "of the old host", folder + "object-cache.php": "of a server that is not there"}
		for name, text := range want {
			moved[folder+name] = text
		}
		return moved
	}
	below := inFolder("home/user/public_html/wp-content/")
	maps.Copy(below, hosted{"home/user/public_html/wp-config.php": "secret", "home/user/public_html/wp-content/plugins/x/wp-content/y.php": "inner"})
	for name, path := range map[string]string{
		"tar":                      file(t, inFolder("./wp-content/").tar(t)),
		"tar.gz":                   file(t, packed(t, inFolder("wp-content/").tar(t))),
		"zip":                      file(t, inFolder("wp-content/").zip(t)),
		"without its own name":     file(t, inFolder("").zip(t)),
		"below another name":       file(t, inFolder("backup/").tar(t)),
		"folder":                   inFolder("").folder(t, "wp-content"),
		"folder of another name":   inFolder("").folder(t, "content"),
		"folder of the whole site": inFolder("wp-content/").folder(t, "site"),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := ReadContent(path)
			if err != nil {
				t.Fatal(err)
			}
			if got := unpacked(t, c); !maps.Equal(got, want) || c.Files != len(want) {
				t.Errorf("got %d: %v", c.Files, got)
			}
			if got := strings.Join(c.Left, "; "); !strings.Contains(got, "cache: it is of the old host's own") || !strings.Contains(got, "object-cache.php: it is") || len(c.Left) != 2 {
				t.Errorf("left out: %q", got)
			}
		})
	}
	c, err := ReadContent(file(t, below.tar(t)))
	if err != nil {
		t.Fatal(err)
	}
	if got := unpacked(t, c); len(got) != len(want)+1 || got["plugins/x/wp-content/y.php"] != "inner" {
		t.Errorf("of a whole site: %v", got)
	}
}

// Whoever has the archive is not who runs this.
func TestContentThatLeadsOutsideIsLeftOut(t *testing.T) {
	archive := hosted{"wp-content/index.php": "<?php", "wp-content/../../outside": "x", "wp-content//etc/passwd": "x"}.tar(t, "wp-content/uploads/link")
	c, err := ReadContent(file(t, archive))
	if err != nil {
		t.Fatal(err)
	}
	if got := unpacked(t, c); !maps.Equal(got, hosted{"index.php": "<?php"}) {
		t.Errorf("got %v", got)
	}
	if len(c.Left) != 3 {
		t.Errorf("left out: %q", c.Left)
	}
}

func TestWhatIsNoContentIsRefused(t *testing.T) {
	for want, path := range map[string]string{
		"holds no wp-content":         file(t, hosted{"readme.txt": "x"}.zip(t)),
		"tar, tar.gz or zip":          file(t, []byte("neither this nor that, and long enough to be no empty archive"+strings.Repeat(" ", 600))),
		"its wp-content has no files": file(t, hosted{"wp-content/cache/x": "x"}.tar(t)),
		"no such file or directory":   filepath.Join(t.TempDir(), "missing"),
		"unexpected EOF":              file(t, packed(t, hosted{"wp-content/index.php": strings.Repeat("x", 5000)}.tar(t))[:60]),
	} {
		if _, err := ReadContent(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestDumpIsReadInAnyForm(t *testing.T) {
	const dump = "CREATE TABLE a (id INT);"
	for name, path := range map[string]string{
		"plain": file(t, []byte(dump)), "gzip": file(t, packed(t, []byte(dump))), "zip": file(t, hosted{"a/site.sql": dump, "readme.txt": "x"}.zip(t)),
	} {
		opened, err := OpenDump(path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(opened)
		if err = errors.Join(err, opened.Close()); err != nil || string(text) != dump {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	if _, err := OpenDump(file(t, hosted{"a.sql": dump, "b.sql": dump}.zip(t))); err == nil || !strings.Contains(err.Error(), "2 files in .sql") {
		t.Errorf("got %v", err)
	}
}
