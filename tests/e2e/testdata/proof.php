<?php
/*
 * Installed as a must-use plugin on the sites that the proofs are tried on. It says which pod answers, lets the load
 * comment as fast as it likes, and adds pages: one that takes its time, one that lists what was stored, two that tell the
 * versions of the code and of the database, and how many connections the database has, two that schedule a task and tell
 * what it did, and one that tells what an installation has made.
 */
header('X-Served-By: ' . gethostname());

// The load comments from one address, which WordPress would take for a flood, and would hold back for approval.
add_filter('wp_is_comment_flood', '__return_false', 99);
add_filter('pre_comment_approved', fn () => 1, 99);
// There is no mail server. Trying to reach one would come between storing a comment and acknowledging it.
add_filter('notify_post_author', '__return_false', 99);

// What a scheduled task does: it leaves its argument behind, and in which process it ran.
add_action('proof_task', fn ($mark) => update_option('proof_task', $mark . ' on ' . gethostname(), false));

add_action('init', function () {
	if (isset($_GET['proof-schedule'])) {
		exit(wp_schedule_single_event(time() - 1, 'proof_task', [$_GET['proof-schedule']]) ? 'scheduled' : 'refused');
	}
	if (isset($_GET['proof-task'])) {
		wp_cache_flush();
		exit(get_option('proof_task', 'nothing yet'));
	}
	if (isset($_GET['proof-address'])) {
		header('Content-Type: text/plain');
		exit($_SERVER['REMOTE_ADDR']);
	}
	if (isset($_GET['proof-seconds'])) {
		sleep(min(20, (int) $_GET['proof-seconds']));
		header('Content-Type: text/plain');
		exit('took its time');
	}
	if (isset($_GET['proof-options'])) {
		global $wpdb;
		header('Content-Type: text/plain');
		// What is kept for a while, or follows from the rest, changes by itself.
		$rows = $wpdb->get_results("SELECT option_name, option_value FROM $wpdb->options WHERE option_name NOT LIKE '%transient%'
			AND option_name NOT IN ('cron', 'rewrite_rules', 'doing_cron', 'recently_edited', 'auto_updater.lock', 'can_compress_scripts',
			'recovery_keys')
			ORDER BY option_name", ARRAY_N);
		foreach ($rows as [$name, $value]) {
			echo $name, ' ', md5($value), "\n";
		}
		exit(json_encode([wp_count_posts('post'), wp_count_posts('page'), count_users()]));
	}
	if (isset($_GET['proof-versions'])) {
		global $wp_version, $wp_db_version;
		header('Content-Type: application/json');
		exit(json_encode(['core' => $wp_version, 'wanted' => (int) $wp_db_version, 'database' => (int) get_option('db_version')]));
	}
	if (isset($_GET['proof-connections'])) {
		global $wpdb;
		header('Content-Type: application/json');
		exit(json_encode([
			'now' => (int) $wpdb->get_var("SHOW GLOBAL STATUS LIKE 'Threads_connected'", 1),
			'limit' => (int) $wpdb->get_var('SELECT @@max_connections'),
		]));
	}
	if (isset($_GET['proof-comments'])) {
		global $wpdb;
		header('Content-Type: application/json');
		nocache_headers();
		// An identifier that was lost may be given again, so it is told with what it stands for.
		$rows = $wpdb->get_results("SELECT comment_ID, comment_content FROM $wpdb->comments", ARRAY_N);
		exit(json_encode((object) array_column($rows, 1, 0)));
	}
});
