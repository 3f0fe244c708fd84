package images

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
)

// marking is a plugin that marks updates as WordPress's own code does, and tells after each step whether visitors are let in.
const marking = `<?php
add_action('init', function () {
	if (!isset($_GET['marks'])) { return; }
	foreach (['file', 'misc', 'class-wp-upgrader'] as $file) { require_once ABSPATH . "wp-admin/includes/$file.php"; }
	WP_Filesystem();
	apply_filters('upgrader_pre_download', false, '', null, []);
	$upgrader = new WP_Upgrader(new Automatic_Upgrader_Skin());
	$steps = [];
	$step = function ($name, $do) use (&$steps) { $do(); $steps[$name] = wp_is_maintenance_mode(); };
	add_filter('upgrader_post_install', fn ($done) => $upgrader->maintenance_mode(false) ?? $done);
	$begin = fn () => $upgrader->maintenance_mode(true);
	$installed = fn () => apply_filters('upgrader_post_install', true, [], []);
	$end = fn () => $upgrader->maintenance_mode(false);

	$step('by hand', $begin);
	$step('by hand, installed', $installed);
	$step('automatic', function () use ($begin) { do_action('pre_auto_update', 'plugin', null, ''); $begin(); });
	$step('automatic, installed', $installed);
	$step('automatic, marked anew', fn () => $GLOBALS['wp_filesystem']->delete(ABSPATH . '.maintenance'));
	$step('automatic, looked at', $begin);
	$step('automatic, ended', $end);
	do_action('automatic_updates_complete', []);
	$step('by hand afterwards', $begin);
	$step('by hand afterwards, installed', $installed);
	exit(json_encode($steps));
});
`

// TestUpdatesAreMarked has WordPress mark updates in a read-only core. The mark of an automatic one stays until WordPress has looked for
// fatal errors.
func TestUpdatesAreMarked(t *testing.T) {
	m := newMySQL(t)
	m.awaitReady(t, m.start(t))
	for name, row := range map[string]struct {
		alter func(map[string]string)
		holds bool
	}{
		"as planned": {nil, true},
		"taken away meanwhile, which must be noticed": {func(planned map[string]string) {
			planned["filesystem.php"] = strings.Replace(planned["filesystem.php"], "$automatic = ", "$automatic = false && ", 1)
		}, false},
		"nobody reads it, which must be noticed": {func(planned map[string]string) {
			planned["maintenance.php"] = "<?php $upgrading = null;"
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newAskingSite(t, m, row.alter)
			s.put(t, "mu-plugins/marking.php", marking)
			got := s.visit(t, http.MethodGet, "/?marks", "", nil)
			var steps map[string]bool
			if err := json.Unmarshal([]byte(got.body), &steps); err != nil {
				t.Fatalf("status %d: %v:\n%s", got.status, err, tail(got.body, 5, 300))
			}
			held := true
			for step, isMarked := range map[string]bool{
				"by hand": true, "by hand, installed": false, "automatic": true, "automatic, installed": true,
				"automatic, marked anew": true, "automatic, looked at": true, "automatic, ended": false,
				"by hand afterwards": true, "by hand afterwards, installed": false,
			} {
				if marked, told := steps[step]; !told || marked != isMarked {
					t.Logf("%s: marked %t, want %t", step, marked, isMarked)
					held = false
				}
			}
			if held != row.holds {
				t.Errorf("held: %t, want %t", held, row.holds)
			}
			if _, err := os.Stat(s.content + "/.maintenance.new"); err == nil {
				t.Error("a mark that was written lies about")
			}
		})
	}
}
