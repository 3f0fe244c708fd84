<?php
// Part of wp-config.php: what the cache before WordPress may keep, and what it must forget. WordPress takes up what it finds in wp_filter
// when it is loaded.

// A page is kept only where WordPress asks for it, and it does so at the last moment, when all headers are known. The cache has taken from
// the request whatever tells of the visitor, and says so; of what a page is made from besides, nothing may be for one person either.
if (($_SERVER['{{.AskVariable}}'] ?? '') === '1') {
	// To its end, so that what fails on the way is known when the headers are: no page that was cut off is kept.
	ob_start();
	header_register_callback(function () {
		if (wordpress_page_is_for_everybody()) {
			header('X-Accel-Expires: {{.Cache.TTLSeconds}}');
			header('Cache-Control: stale-while-revalidate={{.Cache.StaleSeconds}}');
		}
	});
}

function wordpress_page_is_for_everybody() {
	if (http_response_code() !== 200 || $_SERVER['REQUEST_METHOD'] !== 'GET' || session_status() === PHP_SESSION_ACTIVE) {
		return false;
	}
	$fatal = E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR | E_RECOVERABLE_ERROR;
	if (((error_get_last()['type'] ?? 0) & $fatal) || !empty($GLOBALS['wpdb']->last_error)) {
		return false;
	}
	// Plugins of all kinds say by this constant that a page is not to be kept.
	if ((defined('DONOTCACHEPAGE') && DONOTCACHEPAGE) || !function_exists('did_action') || !did_action('wp')) {
		return false;
	}
	foreach (headers_list() as $header) {
		if (preg_match('/^(set-cookie:|cache-control:.*(private|no-store|no-cache)|pragma:.*no-cache|www-authenticate:|vary:(?!\s*accept-encoding\s*$))/i', $header)) {
			return false;
		}
	}
	if (is_user_logged_in() || is_admin() || is_search() || is_404() || is_preview() || is_trackback() || is_customize_preview()) {
		return false;
	}
	foreach (['is_cart', 'is_checkout', 'is_account_page'] as $of_shop) {
		if (function_exists($of_shop) && $of_shop()) {
			return false;
		}
	}
	// Whoever knows a post's password is shown it by the same address. In lists of posts nobody sees it.
	return !(is_singular() && (get_queried_object()->post_password ?? '') !== '');
}

// Pages that a request has changed are forgotten when it ends: every part of the change is in the database by then. Null: all of them.
$GLOBALS['wordpress_changed_paths'] = [];

function wordpress_everything_changed() {
	$GLOBALS['wordpress_changed_paths'] = null;
}

function wordpress_page_changed($url) {
	$path = rawurldecode((string) parse_url((string) $url, PHP_URL_PATH));
	if ($GLOBALS['wordpress_changed_paths'] !== null) {
		$GLOBALS['wordpress_changed_paths'][$path === '' ? '/' : $path] = true;
	}
}

function wordpress_on(array $hooks, callable $function) {
	foreach ($hooks as $hook) {
		// Before anything of a plugin, and with whatever the hook has to say.
		$GLOBALS['wp_filter'][$hook][-1000]['cache'] = ['accepted_args' => 9, 'function' => $function];
	}
}

// Contents of a kind that nobody is shown, such as the notes of plugins to themselves, change all the time.
function wordpress_is_shown($type) {
	$type = get_post_type_object($type);
	$parts = ['attachment', 'custom_css', 'nav_menu_item', 'wp_block', 'wp_global_styles', 'wp_navigation', 'wp_template', 'wp_template_part', 'wp_font_face', 'wp_font_family'];
	return $type && ($type->public || in_array($type->name, $parts, true));
}

function wordpress_is_published($post) {
	$post = get_post($post);
	return $post && in_array($post->post_status, ['publish', 'inherit'], true) && wordpress_is_shown($post->post_type) && $post->post_type !== 'revision';
}

// To, from, and between two versions of what visitors see; scheduled posts come this way when it is their time.
wordpress_on(['transition_post_status'], function ($new, $old, $post) {
	if (($new === 'publish' || $old === 'publish') && wordpress_is_shown($post->post_type)) {
		wordpress_everything_changed();
	}
});
wordpress_on(['before_delete_post', 'edit_attachment', 'delete_attachment', 'set_object_terms'], function ($post) {
	if (wordpress_is_published($post)) {
		wordpress_everything_changed();
	}
});
// What a page is made with, apart from its text, can be changed by itself. Other fields change all the time, as those that count views.
wordpress_on(['added_post_meta', 'updated_post_meta', 'deleted_post_meta'], function ($id, $post, $key) {
	$parts = ['_thumbnail_id', '_wp_page_template', '_wp_attachment_metadata', '_wp_attached_file', '_wp_attachment_image_alt'];
	if (in_array($key, $parts, true) && wordpress_is_published($post)) {
		wordpress_everything_changed();
	}
});

// A comment is shown at its post, everything below that included, and in lists of the latest ones, which are mostly on the front page.
function wordpress_comments_changed($comment) {
	$post = get_post(get_comment($comment)->comment_post_ID ?? 0);
	// Notes of a shop to an order are comments too.
	if (!$post || !wordpress_is_shown($post->post_type)) {
		return;
	}
	wordpress_page_changed(get_permalink($post));
	wordpress_page_changed(WP_HOME . '/');
	wordpress_page_changed(WP_HOME . '/page');
	wordpress_page_changed(get_post_type_archive_link('post'));
	wordpress_page_changed(WP_HOME . '/feed');
	wordpress_page_changed(WP_HOME . '/comments');
}
// Of visitors, and those that REST, importers and the like put in.
wordpress_on(['wp_insert_comment'], function ($id, $comment) {
	if ((string) $comment->comment_approved === '1') {
		wordpress_comments_changed($comment);
	}
});
wordpress_on(['transition_comment_status'], function ($new, $old, $comment) {
	if ($new === 'approved' || $old === 'approved') {
		wordpress_comments_changed($comment);
	}
});
wordpress_on(['edit_comment', 'delete_comment'], function ($comment) {
	if ((string) (get_comment($comment)->comment_approved ?? '') === '1') {
		wordpress_comments_changed($comment);
	}
});

wordpress_on([
	'edited_term', 'delete_term', 'wp_update_nav_menu', 'wp_delete_nav_menu', 'switch_theme', 'customize_save_after', 'activated_plugin',
	'deactivated_plugin', 'upgrader_process_complete', '_core_updated_successfully', 'deleted_user',
	// A shop changes prices and stock by fields alone.
	'woocommerce_update_product', 'woocommerce_product_set_stock_status',
], function () {
	wordpress_everything_changed();
});
// An author's name is on his posts. Customers of a shop, who have none, change all the time.
wordpress_on(['profile_update'], function ($user) {
	if (count_user_posts($user) > 0) {
		wordpress_everything_changed();
	}
});

// Settings: WordPress's own wherever they are changed, and those of plugins where somebody who may change them sends a form.
wordpress_on(['added_option', 'updated_option', 'deleted_option'], function ($option) {
	static $own = '/^(blogname|blogdescription|site_icon|site_logo|permalink_structure|category_base|tag_base|show_on_front|page_on_front|page_for_posts'
		. '|wp_page_for_privacy_policy|posts_per_page|posts_per_rss|rss_use_excerpt|date_format|time_format|start_of_week|timezone_string|gmt_offset|WPLANG'
		. '|blog_public|blog_charset|sticky_posts|stylesheet|template|theme_mods_.+|sidebars_widgets|widget_.+|active_plugins|nav_menu_options'
		. '|comments_per_page|page_comments|comment_order|default_comments_page|thread_comments(_depth)?|comment_registration|require_name_email'
		. '|show_avatars|avatar_(default|rating)|close_comments_.+|default_category|uploads_use_yearmonth_folders|use_smilies|link_manager_enabled)$/';
	static $noise = '/^(_transient_|_site_transient_|cron$|recently_(edited|activated)$|auto_updater\.lock$|core_updater\.lock$|action_scheduler_)/';
	$is_form = (defined('WP_CLI') && WP_CLI)
		|| (!in_array($_SERVER['REQUEST_METHOD'] ?? 'GET', ['GET', 'HEAD'], true) && did_action('init') && current_user_can('manage_options'));
	if (preg_match($own, $option) || ($is_form && !preg_match($noise, $option))) {
		wordpress_everything_changed();
	}
});

// After everything that is done at the end of a request, by plugins too.
$GLOBALS['wp_filter']['shutdown'][PHP_INT_MAX]['cache'] = [
	'accepted_args' => 0,
	'function' => function () {
		$paths = $GLOBALS['wordpress_changed_paths'];
		if ($paths !== []) {
			wordpress_purge($paths === null ? ['all' => true] : ['paths' => array_keys($paths)]);
			$GLOBALS['wordpress_changed_paths'] = [];
		}
	},
];

// Tells each pod of the cache, all at the same time and for a second at the most: one that was not told shows what it has until its time.
// By sockets, because WordPress's own requests are for the world outside and may be closed.
function wordpress_purge($what) {
	$body = json_encode($what, JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE);
	$token = hash_hmac('sha256', {{php .PurgePurpose}}, constant({{php .PurgeKey}}));
	$request = "POST {{.Cache.Path}} HTTP/1.1\r\nHost: {{.Cache.Host}}\r\nAuthorization: Bearer $token\r\n"
		. 'Content-Length: ' . strlen($body) . "\r\nConnection: close\r\n\r\n$body";
	$waiting = $answers = [];
	$pods = gethostbynamel({{php .Cache.Host}})
		?: array_map(fn ($record) => "[$record[ipv6]]", dns_get_record({{php .Cache.Host}}, DNS_AAAA) ?: []);
	foreach ($pods as $pod) {
		$socket = @stream_socket_client("tcp://$pod:{{.Cache.Port}}", $code, $message, 1, STREAM_CLIENT_ASYNC_CONNECT);
		$answers[$pod] = $socket ? '' : $message;
		if ($socket) {
			stream_set_blocking($socket, false);
			$waiting[$pod] = $socket;
		}
	}
	$unsent = array_fill_keys(array_keys($waiting), $request);
	$end = microtime(true) + 1;
	while ($waiting && ($left = $end - microtime(true)) > 0) {
		$read = array_diff_key($waiting, $unsent);
		$write = array_intersect_key($waiting, $unsent);
		$except = null;
		if (!@stream_select($read, $write, $except, 0, (int) ($left * 1e6))) {
			continue;
		}
		foreach (array_keys($write) as $pod) {
			$sent = @fwrite($waiting[$pod], $unsent[$pod]);
			$unsent[$pod] = substr($unsent[$pod], (int) $sent);
			if ($sent === false) {
				unset($waiting[$pod], $unsent[$pod]);
			} elseif ($unsent[$pod] === '') {
				unset($unsent[$pod]);
			}
		}
		foreach (array_keys($read) as $pod) {
			$answers[$pod] .= fread($waiting[$pod], 4096);
			if (feof($waiting[$pod]) || str_contains($answers[$pod], "\r\n")) {
				unset($waiting[$pod]);
			}
		}
	}
	foreach ($answers as $pod => $answer) {
		if (!preg_match('#^HTTP/1\.1 204 #', $answer)) {
			error_log("cache: pod $pod was not told of a change and may show what was there before for {{.Cache.TTLSeconds}} seconds: "
				. (strtok($answer, "\r\n") ?: 'no answer'));
		}
	}
	if ($answers === []) {
		error_log('cache: no pod of {{.Cache.Host}} was found: a change may be seen {{.Cache.TTLSeconds}} seconds late.');
	}
}
