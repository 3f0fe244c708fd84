<?php
// Written by the Pulumi program; a changed file rolls the pods. Everything else comes from the image's own
// wp-config-docker.php, which reads the WORDPRESS_* environment and the files that it names.

define('WP_HOME', {{php .SiteURL}});
define('WP_SITEURL', WP_HOME);

// Core is part of the image and read-only: a newer image upgrades it.
define('WP_AUTO_UPDATE_CORE', false);
// Nobody edits PHP in the browser.
define('DISALLOW_FILE_EDIT', true);
// The shared volume is written to directly, whoever owns a file.
define('FS_METHOD', 'direct');
{{- if ne .DatabaseFlags "0"}}

// Connections to the database are encrypted.
define('MYSQL_CLIENT_FLAGS', {{.DatabaseFlags}});
{{- end}}

{{- if .IsClosed}}

// The network lets nothing out: a request fails at once, rather than at the end of its time limit.
define('WP_HTTP_BLOCK_EXTERNAL', true);
{{- end}}
{{- with .Proxy}}

// What WordPress asks the web through.
define('WP_PROXY_HOST', {{php .Host}});
define('WP_PROXY_PORT', '{{.Port}}');
{{- with .Bypass}}
define('WP_PROXY_BYPASS_HOSTS', {{php (join . ", ")}});
{{- end}}
{{- end}}

// The visitor's address, which Apache has found (site.conf); its own is that of the edge.
if (isset($_SERVER['VISITOR_ADDRESS'])) {
	$_SERVER['REMOTE_ADDR'] = $_SERVER['VISITOR_ADDRESS'];
}
{{- if .Cron}}

// A CronJob asks for the tasks that are due.
defined('DISABLE_WP_CRON') || define('DISABLE_WP_CRON', true);
{{- end}}

// Where the database holds no site any more, WordPress sends every visitor to its installer, which nobody may open.
$GLOBALS['wp_filter']['wp_redirect'][10]['no-installer'] = [
	'accepted_args' => 1,
	'function' => function ($location) {
		if ($location !== WP_SITEURL . '/wp-admin/install.php') {
			return $location;
		}
		header('Retry-After: 30');
		http_response_code(503);
		exit('The database holds no site.');
	},
];

// The first pod of a newer core brings the database up to date. Those of the older one, which serve on meanwhile, ask for no step back.
$GLOBALS['wp_filter']['option_db_version'][10]['newer-core'] = [
	'accepted_args' => 1,
	'function' => fn ($version) => min((int) $version, $GLOBALS['wp_db_version']),
];

// What pictures may take of the pod is bounded, see that file. After all plugins: they may choose an editor, and not lift the bound.
$GLOBALS['wp_filter']['wp_image_editors'][PHP_INT_MAX]['bounded'] = [
	'accepted_args' => 1,
	'function' => function ($editors) {
		require_once {{php .PicturesPath}};
		return bounded_image_editors($editors);
	},
];
foreach (['upload', 'sideload'] as $kind) {
	$GLOBALS['wp_filter']["wp_handle_{$kind}_prefilter"][10]['bounded'] = [
		'accepted_args' => 1,
		'function' => function ($upload) {
			require_once {{php .PicturesPath}};
			return refuse_large_picture($upload);
		},
	];
	// WordPress would say that the file could not be moved, which leads nobody to the volume.
	$GLOBALS['wp_filter']["wp_handle_{$kind}_prefilter"][10]['room'] = [
		'accepted_args' => 1,
		'function' => function ($upload) {
			$room = disk_free_space(WP_CONTENT_DIR);
			$size = filesize($upload['tmp_name']);
			// Some drivers tell of no room at all, used or free.
			if (empty($upload['error']) && $room !== false && $room < $size && disk_total_space(WP_CONTENT_DIR) > 0) {
				$upload['error'] = sprintf('The volume of the site\'s files is full: %s are left, and this file has %s. '
					. 'Delete files, or have the volume enlarged.', size_format((int) $room), size_format($size));
			}
			return $upload;
		},
	];
}
{{- if .NoRobots}}

// No search engine is to show this site: its pages say so, beside a header of every answer.
$GLOBALS['wp_filter']['pre_option_blog_public'][PHP_INT_MAX]['no-robots'] = ['accepted_args' => 0, 'function' => fn () => '0'];
{{- end}}
{{- if .NoMail}}

// No mail leaves this site, and whoever sends one hears that it went: a copy must not write to the visitors of the site that it was made of.
$GLOBALS['wp_filter']['pre_wp_mail'][PHP_INT_MAX]['no-mail'] = [
	'accepted_args' => 0,
	'function' => function () {
		error_log('A mail is not sent: site.mail is false.');
		return true;
	},
];
{{- end}}

require {{php .RequestsPath}};
require {{php .UpdatesPath}};
require {{php .DatabasePath}};
require {{php .PagesPath}};
{{- if .Cache}}
require {{php .CachePath}};
{{- end}}

// WP-CLI, where somebody brings it, loads WordPress by itself, and takes this file only if its own last line does that for others.
if (defined('WP_CLI')) {
	eval('?>' . preg_replace('/^\s*require.+wp-settings\.php.*$/m', '', file_get_contents(__DIR__ . '/wp-config-docker.php')));
} else {
	require __DIR__ . '/wp-config-docker.php';
}
require_once ABSPATH . 'wp-settings.php';
