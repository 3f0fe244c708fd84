<?php
// A new pod counts only once it has logged in to the database as WordPress will, so that a revision with a
// wrong password or address never replaces a working one.
mysqli_report(MYSQLI_REPORT_OFF);
ini_set('display_errors', '0');

$address = getenv('WORDPRESS_DB_HOST');
$colon = strrpos($address, ':');
$password = rtrim(file_get_contents(getenv('WORDPRESS_DB_PASSWORD_FILE')), "\r\n");

$connection = mysqli_init();
$connection->options(MYSQLI_OPT_CONNECT_TIMEOUT, 3);
$warnings = [];
set_error_handler(function ($level, $message) use (&$warnings) {
	$warnings[] = preg_replace(['/^mysqli::real_connect\(\): /', '/\s+/'], ['', ' '], $message);
	return true;
});
$connected = $connection->real_connect(
	substr($address, 0, $colon),
	getenv('WORDPRESS_DB_USER'),
	$password,
	getenv('WORDPRESS_DB_NAME'),
	(int) substr($address, $colon + 1),
	null,
	{{.DatabaseFlags}}
);
restore_error_handler();
if (!$connected) {
	// What is wrong with a certificate is told by warnings alone.
	error_log('startup: database ' . $address . ': ' . implode('; ', $warnings ?: [mysqli_connect_error()]));
}
http_response_code($connected ? 204 : 503);
