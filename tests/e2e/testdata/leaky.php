<?php
/*
 * Installed as a must-use plugin where visitors must be kept apart. It behaves as badly as a plugin can: every page, in its body and in a header,
 * tells who asked for it and with what. Each address below /fresh/ is a page of its own, so that a proof can decide who asks for it first:
 *
 *   /fresh/<kind>-<number>/<anything>   the post that was made for that kind and number, or the article that all share
 *   kinds cookie, private, nostore      from the visit with that number on, the page sets a cookie or asks not to be kept, and is for one alone
 *   kind turning                        in turn for everybody and for one alone
 *   kind slow                           takes some seconds while the title of the article says so
 */

// Nobody guesses these passwords, and many log in.
add_filter('wp_hash_password_options', fn () => ['cost' => 4]);
add_filter('notify_moderator', '__return_false', 99);

function leaks_posts() {
	return get_option('leaks_posts', []);
}

function leaks_fresh() {
	return preg_match('#/fresh/([a-z]+)-(\d+)/(\w*)#', $_SERVER['REQUEST_URI'] ?? '', $found) ? array_slice($found, 1) : null;
}

// Nothing that is said about the article is for everybody, until somebody has looked at it.
add_filter('pre_comment_approved', function ($approved, $comment) {
	return (int) $comment['comment_post_ID'] === (leaks_posts()['article'] ?? 0) ? 0 : $approved;
}, 100, 2);

add_filter('request', function ($query) {
	[$kind, $number] = leaks_fresh() ?? [null, null];
	$posts = leaks_posts();
	return $kind ? ['p' => $posts["$kind-$number"] ?? $posts['article'] ?? 0, 'post_type' => 'any'] : $query;
});
add_filter('redirect_canonical', fn ($to) => leaks_fresh() ? false : $to);

function leaks_tell() {
	$user = wp_get_current_user();
	$told = fn ($name) => str_starts_with($name, 'HTTP_') || in_array($name, ['REQUEST_URI', 'QUERY_STRING', 'PHP_AUTH_USER', 'HTTPS']);
	return json_encode([
		'user' => $user->exists() ? [$user->user_login, $user->display_name, $user->user_email] : 'nobody',
		'request' => array_filter($_SERVER, $told, ARRAY_FILTER_USE_KEY),
		'cookies' => $_COOKIE,
		'posted' => $_POST,
		'nonce' => wp_create_nonce('leaks'),
		'rest' => wp_create_nonce('wp_rest'),
		'preview' => wp_create_nonce('post_preview_' . get_queried_object_id()),
		'alone' => $GLOBALS['leaks_alone'] ?? '',
	], JSON_HEX_TAG | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR);
}

add_action('wp', function () {
	header('X-Visitor: ' . rawurlencode(substr(wp_get_current_user()->user_login . ' ' . ($_SERVER['HTTP_USER_AGENT'] ?? '') . ' ' . $_SERVER['REQUEST_URI'], 0, 500)));
	[$kind, $from, $page] = leaks_fresh() ?? [null, null, null];
	if (!in_array($kind, ['cookie', 'private', 'nostore', 'turning'], true)) {
		return;
	}
	$count = (int) get_option("leaks_$page") + 1;
	update_option("leaks_$page", $count, false);
	if ($count < (int) $from || ($kind === 'turning' && $count % 6 < 3)) {
		return;
	}
	$GLOBALS['leaks_alone'] = 'alone-' . bin2hex(random_bytes(8));
	switch ($kind) {
		case 'private':
			header('Cache-Control: private, max-age=60');
			break;
		case 'nostore':
			header('Cache-Control: no-store');
			break;
		default:
			setcookie('visit', $GLOBALS['leaks_alone'], 0, '/');
	}
});

add_action('wp_footer', function () {
	echo '<script type="application/json" id="leaks">', leaks_tell(), '</script>';
	if ((leaks_fresh()[0] ?? '') === 'slow' && str_contains(get_the_title(get_queried_object_id()), 'slow')) {
		file_put_contents(WP_CONTENT_DIR . '/leaks-renders', '.', FILE_APPEND);
		sleep(12);
	}
});

foreach (['wp_ajax_', 'wp_ajax_nopriv_'] as $whose) {
	add_action($whose . 'leaks', fn () => exit(leaks_tell()));
	add_action($whose . 'leaks_nonce', fn () => exit(wp_verify_nonce($_REQUEST['nonce'] ?? '', 'leaks') ? 'accepted' : 'refused'));
}

add_action('init', function () {
	if (isset($_GET['leaks-forget'])) {
		wordpress_page_changed(home_url($_GET['leaks-forget']));
		exit('forgotten');
	}
	if (isset($_GET['leaks-renders'])) { // how many slow pages have been begun
		clearstatcache();
		exit((string) (int) @filesize(WP_CONTENT_DIR . '/leaks-renders'));
	}
});
