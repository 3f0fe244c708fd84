<?php
// A new pod counts only once it has logged in to the database as WordPress will, so that a revision with a
// wrong password or address never replaces a working one.
require '{{.ConnectPath}}';
ini_set('display_errors', '0');

[$connection, $problem] = connect_to_database();
if (!$connection) {
	error_log('startup: ' . $problem);
}
http_response_code($connection ? 204 : 503);
