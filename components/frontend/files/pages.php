<?php
// Part of wp-config.php: what pages of WordPress cost and nobody has anything from. WordPress takes up what it finds in wp_filter when it is
// loaded.

// Options that core asks for on every page and that are not loaded with the others, because most sites do not have them: a statement for
// each, again and again. Here one asks for all of them, behind that which loads the others.
$GLOBALS['wp_filter']['alloptions'][10]['together'] = ['accepted_args' => 1, 'function' => 'wordpress_load_rare_options'];

function wordpress_load_rare_options($options) {
	// WordPress comes by here for every option that anything asks for, a thousand times a page.
	remove_filter('alloptions', __FUNCTION__);
	if (!wp_installing() && function_exists('wp_prime_option_caches')) {
		$names = ['WPLANG', 'theme_switched', 'can_compress_scripts', 'https_migration_required', 'site_logo'];
		if (is_admin() && !wp_doing_ajax()) {
			array_push($names, 'db_upgraded', 'dismissed_update_core', 'finished_updating_comment_type', 'auto_core_update_failed',
				'_site_transient_update_core', '_site_transient_update_plugins', '_site_transient_update_themes');
		}
		wp_prime_option_caches($names);
	}
	return $options;
}

// Each page of the administration carries the theme's fonts and those of all its styles, for which every style file is read and checked: a
// third of the dashboard's processor time. Editors show them. Of core's own pages these have none; those of plugins keep the fonts.
$GLOBALS['wp_filter']['admin_print_styles'][49]['fonts'] = [
	'accepted_args' => 0,
	'function' => function () {
		$without_editor = [
			'index.php', 'edit.php', 'edit-comments.php', 'edit-tags.php', 'export.php', 'import.php', 'options-discussion.php',
			'options-general.php', 'options-media.php', 'options-permalink.php', 'options-privacy.php', 'options-reading.php',
			'options-writing.php', 'plugin-install.php', 'plugins.php', 'profile.php', 'site-health.php', 'tools.php', 'update-core.php',
			'upload.php', 'user-edit.php', 'user-new.php', 'users.php',
		];
		if (in_array($GLOBALS['hook_suffix'] ?? '', $without_editor, true) && !get_current_screen()?->is_block_editor()) {
			remove_action('admin_print_styles', 'wp_print_font_faces', 50);
			remove_action('admin_print_styles', 'wp_print_font_faces_from_style_variations', 50);
		}
	},
];
