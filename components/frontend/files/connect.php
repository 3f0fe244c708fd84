<?php
// Logs in to the database as WordPress will. Returns the connection, or null and what was wrong.
mysqli_report(MYSQLI_REPORT_OFF);

function connect_to_database() {
	$address = getenv('WORDPRESS_DB_HOST');
	$colon = strrpos($address, ':');
	$password = rtrim(file_get_contents(getenv('WORDPRESS_DB_PASSWORD_FILE')), "\r\n");

	$connection = mysqli_init();
	$connection->options(MYSQLI_OPT_CONNECT_TIMEOUT, 3);
	// Longer than any answer that is waited for on this connection.
	$connection->options(MYSQLI_OPT_READ_TIMEOUT, 15);
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
	// What is wrong with a certificate is told by warnings alone.
	return $connected ? [$connection, ''] : [null, 'database ' . $address . ': ' . implode('; ', $warnings ?: [mysqli_connect_error()])];
}
