<?php
// A new pod counts only once it has logged in to the database as WordPress will, so that a revision with a
// wrong password or address never replaces a working one, and once it has made a page, so that no visitor waits for
// WordPress to be compiled.
require '{{.ConnectPath}}';
ini_set('display_errors', '0');

// A front page that takes longer, or none that comes at all, keeps no pod from its start.
const TRIES = 12, TRY_SECONDS = 3;

[$connection, $problem] = connect_to_database();
if (!$connection) {
	error_log('startup: ' . $problem);
}
http_response_code($connection && is_compiled() ? 204 : 503);

// Tells whether the opcode cache holds what a page needs, and has this pod make one if not. A container that starts anew begins with an
// empty cache, beside the files that it had.
function is_compiled() {
	$cache = function_exists('opcache_get_status') ? @opcache_get_status(false) : false;
	if (!$cache) {
		return true;
	}
	$state = fopen(sys_get_temp_dir() . '/startup.' . $cache['opcache_statistics']['start_time'], 'c+');
	// The kubelet asks again while an answer is late.
	if (!$state || !flock($state, LOCK_EX | LOCK_NB)) {
		return !$state;
	}
	$tries = (int) stream_get_contents($state);
	if ($tries >= TRIES) {
		return true;
	}
	$tries++;
	// One that nobody waits for any more is made to its end, so that tries become rarer.
	$is_asked = ($tries & ($tries - 1)) === 0;
	if ($is_asked && page_is_made()) {
		$tries = TRIES;
	} elseif ($tries === TRIES) {
		error_log('startup: the front page was not made in time; visitors may wait while WordPress is compiled');
	}
	rewind($state);
	// What cannot be counted is not tried for ever.
	return !fwrite($state, (string) $tries) || $tries === TRIES;
}

// Asks this pod for the front page, as the edge does, but by an address that no cache and no visitor has. Whatever the answer is.
function page_is_made() {
	$end = microtime(true) + TRY_SECONDS;
	$socket = @stream_socket_client('tcp://127.0.0.1:{{.SitePort}}', $code, $message, TRY_SECONDS);
	if (!$socket) {
		return false;
	}
	fwrite($socket, "GET / HTTP/1.1\r\nHost: {{.Host}}\r\nX-Forwarded-Proto: {{.Scheme}}\r\nUser-Agent: {{.StartupAgent}}\r\nConnection: close\r\n\r\n");
	$length = 0;
	while (!feof($socket) && ($left = $end - microtime(true)) > 0) {
		stream_set_timeout($socket, (int) $left, (int) (($left - (int) $left) * 1e6));
		$length += strlen((string) fread($socket, 65536));
	}
	return $length > 0 && feof($socket);
}
