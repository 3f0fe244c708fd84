package images

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// seed runs what the program runs first in every pod, on a volume.
func seed(t *testing.T, content string) *container {
	t.Helper()
	const script = "/etc/wordpress/seed.sh"
	c := start(t, spec{
		root:    unpack(t, "wordpress-7.1"),
		volumes: map[string]string{"/content": content, script: file(t, plannedFiles(t)["seed.sh"])},
		env:     []string{"HOSTNAME=pod"},
		command: []string{"sh", script},
	})
	<-c.done
	return c
}

// belonging gives a folder to an owner, with the mode that storage gives its folders.
func belonging(t *testing.T, folder string, owner int) {
	t.Helper()
	noError(t, os.MkdirAll(folder, 0o755))
	noError(t, os.Chown(folder, owner, owner))
}

// TestSeedSaysWhoseTheVolumeIs offers volumes that the pods' user cannot write to, a new one and one with content from elsewhere.
func TestSeedSaysWhoseTheVolumeIs(t *testing.T) {
	for name, test := range map[string]struct {
		owners map[string]int
		// refused is the folder that is spoken of. Empty: all is well.
		refused string
	}{
		"of the pods' user":            {map[string]int{".": user}, ""},
		"of root":                      {map[string]int{".": 0}, "/content"},
		"of somebody else":             {map[string]int{".": 12033}, "/content"},
		"content of another image":     {map[string]int{".": 0, "wp-content": 33}, "/content/wp-content"},
		"uploads of another image":     {map[string]int{".": user, "wp-content": user, "wp-content/uploads": 33}, "/content/wp-content/uploads"},
		"plugins that nobody installs": {map[string]int{".": 0, "wp-content": 0, "wp-content/uploads": user}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			content := volume(t)
			for folder, owner := range test.owners {
				belonging(t, filepath.Join(content, folder), owner)
			}
			c := seed(t, content)
			if test.refused == "" {
				c.succeeds(t)
				return
			}
			folder, err := filepath.Rel("/content", test.refused)
			noError(t, err)
			owner := test.owners[folder]
			said := strings.TrimSpace(c.log.String())
			want := fmt.Sprintf("seed: %s, the volume of wp-content, cannot be written to: it belongs to %d:%d with mode 755, and this pod is "+
				"user %d with groups %d.", test.refused, owner, owner, user, user)
			if c.state.Success() || !strings.HasPrefix(said, want) || strings.Contains(said, "\n") {
				t.Errorf("%s, and it says\n%s\nwant one line that begins with\n%s", c.state, said, want)
			}
		})
	}
}
