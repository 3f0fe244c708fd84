<?php
// Part of wp-config.php: a request waits for a database that is away for a moment, as while MySQL starts anew, rather than to fail.
// WordPress takes up this filter from here, between its classes' base and its own connection. A plugin's db.php decides for itself.
$GLOBALS['wp_filter']['enable_wp_debug_mode_checks'][PHP_INT_MAX]['database'] = [
	'accepted_args' => 1,
	'function' => function ($checks) {
		if (!file_exists(WP_CONTENT_DIR . '/db.php')) {
			require_once ABSPATH . WPINC . '/class-wpdb.php';
			require_once {{php .PatientPath}};
			$GLOBALS['wpdb'] = new Patient_Database(DB_USER, DB_PASSWORD, DB_NAME, DB_HOST);
			if (!$GLOBALS['wpdb']->ready) {
				// WordPress ends with this as it does where it could not connect by itself.
				$GLOBALS['wpdb']->error = 'Error establishing a database connection';
			}
		}
		return $checks;
	},
];
