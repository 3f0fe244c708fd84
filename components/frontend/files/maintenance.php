<?php
// WordPress looks here for the time at which an update of plugins or themes began, and cannot write here: it is beside the plugins, on the
// shared volume, so that every pod sees it. Without one, this is as if there were no file.
$upgrading = null;
if (preg_match('/\$upgrading = (\d+);/', (string) @file_get_contents(WP_CONTENT_DIR . '/.maintenance'), $found)) {
	$upgrading = (int) $found[1];
}
unset($found);
