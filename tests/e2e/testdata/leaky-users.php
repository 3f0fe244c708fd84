<?php
// Makes the marked users, what each of them alone may see, and the article that all visit; prints what the proof must know of them.
$roles = ['subscriber', 'contributor', 'author', 'editor', 'administrator'];
$new = fn ($post) => wp_insert_post($post + ['post_status' => 'publish', 'post_content' => 'x', 'post_author' => 1]);
$posts = ['article' => $new(['post_title' => 'An article for all', 'post_name' => 'leaks-article', 'comment_status' => 'open'])];
$users = [];
foreach ($marks as $number => $mark) {
	$user = wp_insert_user([
		'user_login' => $mark, 'user_pass' => "secret-$number", 'user_email' => "$mark@example.com", 'display_name' => "Visitor $mark",
		'role' => $roles[$number % count($roles)],
	]);
	$own = ['post_author' => $user, 'post_content' => "What $mark alone may see", 'post_title' => "Of visitor $number"];
	// Everybody sees whose post it is.
	$posts["sealed-$number"] = $new(['post_password' => "seal-$number", 'post_author' => 1] + $own);
	$posts["hidden-$number"] = $new(['post_status' => 'private'] + $own);
	$posts["draft-$number"] = $new(['post_status' => 'draft'] + $own);
	$posts["future-$number"] = $new(['post_status' => 'future', 'post_date' => gmdate('Y-m-d H:i:s', time() + YEAR_IN_SECONDS)] + $own);
	$end = time() + DAY_IN_SECONDS;
	$session = WP_Session_Tokens::get_instance($user)->create($end);
	$users[] = [
		'mark' => $mark,
		'number' => $number,
		'loggedIn' => LOGGED_IN_COOKIE . '=' . rawurlencode(wp_generate_auth_cookie($user, $end, 'logged_in', $session))
			. '; ' . SECURE_AUTH_COOKIE . '=' . rawurlencode(wp_generate_auth_cookie($user, $end, 'secure_auth', $session)),
		'application' => WP_Application_Passwords::create_new_application_password($user, ['name' => 'leaks'])[0],
	];
}
update_option('leaks_posts', $posts, false);
echo json_encode(['users' => $users, 'posts' => $posts]);
