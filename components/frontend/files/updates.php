<?php
// Part of wp-config.php: updates of plugins and themes, while core is read-only. WordPress marks the time of an update by a file in core's
// folder, on which maintenance mode and the return of a broken plugin's earlier version depend; ours lies beside the plugins.
//
// WordPress makes a new object that writes files whenever it begins with an item. It then fetches the package, or asks which plugins or
// theme are active.
foreach (['option_active_plugins', 'option_stylesheet', 'upgrader_pre_download'] as $filter) {
	$GLOBALS['wp_filter'][$filter][10]['maintenance'] = ['accepted_args' => 1, 'function' => 'wordpress_mark_updates_elsewhere'];
}
unset($filter);

function wordpress_mark_updates_elsewhere($value) {
	global $wp_filesystem;
	if (is_object($wp_filesystem) && get_class($wp_filesystem) === 'WP_Filesystem_Direct') {
		require_once {{php .FilesystemPath}};
		$wp_filesystem = new WordPress_Filesystem(null);
	}
	return $value;
}
