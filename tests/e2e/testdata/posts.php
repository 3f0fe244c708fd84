<?php
/*
 * Installed as a must-use plugin on a site that a proof wants many posts on: makes some more at each request, and lists them all.
 */
add_action('init', function () {
	if (!isset($_GET['proof-posts'])) {
		return;
	}
	for ($left = min(50, (int) $_GET['proof-posts']); $left > 0; $left--) {
		wp_insert_post([
			'post_title' => 'One of many posts', 'post_status' => 'publish', 'post_author' => 1,
			'post_content' => str_repeat('<p>' . str_repeat('What a post has to say. ', 40) . '</p>', 8),
		]);
	}
	header('Content-Type: application/json');
	$all = get_posts(['numberposts' => -1, 'title' => 'One of many posts']);
	exit(json_encode(array_map(fn ($post) => ['id' => $post->ID, 'path' => wp_make_link_relative(get_permalink($post))], $all)));
}, 99);
