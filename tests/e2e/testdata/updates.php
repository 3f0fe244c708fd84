<?php
/*
 * Installed as a must-use plugin where a stand-in for wordpress.org answers: WordPress believes its certificate and that its names are
 * addresses of the internet, which the local cluster cannot look up. Pages let a proof activate the plugin that is updated, have it updated
 * by itself, and read what came of that. One more page asks the site itself for a page that takes a second, and tells which pod gave it.
 */
add_filter('http_request_args', function ($args, $url) {
	if (str_ends_with((string) parse_url($url, PHP_URL_HOST), 'wordpress.org')) {
		$args['sslcertificates'] = WP_CONTENT_DIR . '/mu-plugins/wordpress-org.pem';
		$args['reject_unsafe_urls'] = false;
	}
	return $args;
}, 10, 2);

add_action('automatic_updates_complete', function ($results) {
	$codes = fn ($one) => is_wp_error($one->result) ? implode(' ', $one->result->get_error_codes()) : json_encode($one->result);
	update_option('proof_automatic', implode(', ', array_map($codes, $results['plugin'])), false);
});
// Other plugins take their time here. WordPress has not looked for a fatal error yet, and visitors shall not be the first to meet it.
add_action('upgrader_process_complete', function () {
	if (wp_doing_cron()) {
		sleep(1);
	}
});

add_action('init', function () {
	$plugin = 'proofed/proofed.php';
	if (isset($_GET['proof-activate'])) {
		require_once ABSPATH . 'wp-admin/includes/plugin.php';
		exit(is_wp_error(activate_plugin($plugin)) ? 'refused' : 'active');
	}
	if (isset($_GET['proof-forget'])) { // what wordpress.org had to offer, for which WordPress asks once a minute at most
		delete_site_transient('update_plugins');
		exit('forgotten');
	}
	if (isset($_GET['proof-automatic'])) {
		update_site_option('auto_update_plugins', [$plugin]);
		delete_option('auto_updater.lock');
		delete_option('proof_automatic');
		exit(wp_schedule_single_event(time() - 1, 'wp_maybe_auto_update') ? 'scheduled' : 'refused');
	}
	if (isset($_GET['proof-updated'])) {
		exit(get_option('proof_automatic', 'nothing yet'));
	}
	if (isset($_GET['proof-itself'])) {
		$answer = wp_remote_get(home_url('/?proof-seconds=1'), ['timeout' => 25]);
		exit(is_wp_error($answer) ? $answer->get_error_message() : wp_remote_retrieve_header($answer, 'x-served-by'));
	}
});
