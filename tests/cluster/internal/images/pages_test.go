package images

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// costing is a site with pages.php and one without it, of the same database.
type costing struct {
	m                *mysql
	planned, without *site
	administrator    http.Header
}

// TestPagesCostNoMoreThanTheyMust compares pages of two pods.
func TestPagesCostNoMoreThanTheyMust(t *testing.T) {
	root := unpack(t, "wordpress-7.1")
	c := newCosting(t, root)
	t.Run("statements", c.statements)
	t.Run("fonts", c.fonts)
}

func newCosting(t *testing.T, root string) *costing {
	t.Helper()
	c := &costing{m: newMySQL(t)}
	c.m.awaitReady(t, c.m.start(t))
	c.planned, c.without = newSite(t, c.m), newSite(t, c.m)
	for _, s := range []*site{c.planned, c.without} {
		noError(t, os.CopyFS(s.content, os.DirFS(filepath.Join(root, "usr/src/wordpress/wp-content"))))
	}
	c.planned.installPlanned(t, root)
	c.planned.startPlanned(t, root)
	files := plannedFiles(t)
	files["pages.php"] = "<?php\n"
	c.without.startFiles(t, root, files)

	c.administrator = c.planned.logInPlanned(t)
	return c
}

// page asks a pod for a page, twice so that what the first visitor sets up is there, and counts the statements of the second.
func (c *costing) page(t *testing.T, s *site, path string, header http.Header) (answer, int) {
	t.Helper()
	var got answer
	var before int
	for range 2 {
		before = c.selects(t)
		if got = s.visit(t, http.MethodGet, path, "", header); got.status != http.StatusOK {
			t.Fatalf("%s: status %d:\n%s", path, got.status, tail(got.body, 5, 200))
		}
	}
	return got, c.selects(t) - before
}

func (c *costing) selects(t *testing.T) int {
	t.Helper()
	_, count, _ := strings.Cut(c.m.query(t, "root", rootPassword, "SHOW GLOBAL STATUS LIKE 'Com_select'"), "\t")
	number, err := strconv.Atoi(count)
	noError(t, err)
	return number
}

func (c *costing) statements(t *testing.T) {
	for _, row := range []struct {
		path   string
		header http.Header
		fewer  int // at least
	}{
		{"/", nil, 4}, {"/hello-world/", nil, 3}, {"/", c.administrator, 4}, {"/wp-admin/", c.administrator, 8},
	} {
		with, planned := c.page(t, c.planned, row.path, row.header)
		without, all := c.page(t, c.without, row.path, row.header)
		t.Logf("%s: %d statements of %d", row.path, planned, all)
		if planned > all-row.fewer {
			t.Errorf("%s takes %d statements, and %d without pages.php: want %d fewer", row.path, planned, all, row.fewer)
		}
		if row.header == nil && with.body != without.body {
			t.Errorf("%s is another page", row.path)
		}
	}
}

func (c *costing) fonts(t *testing.T) {
	const style = "wp-fonts-local"
	for path, has := range map[string]bool{
		"/wp-admin/": false, "/wp-admin/edit.php": false, "/wp-admin/options-general.php": false,
		"/wp-admin/post-new.php": true, "/wp-admin/site-editor.php": true, "/wp-admin/post.php?post=1&action=edit": true,
	} {
		if got, _ := c.page(t, c.planned, path, c.administrator); strings.Contains(got.body, style) != has {
			t.Errorf("%s has the theme's fonts: %v, want %v", path, !has, has)
		}
		if got, _ := c.page(t, c.without, path, c.administrator); !strings.Contains(got.body, style) {
			t.Errorf("%s does not have the theme's fonts by itself: what takes them out is needed no more", path)
		}
	}
}
