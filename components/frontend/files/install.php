<?php
// Runs in every pod before WordPress does. It installs the site where the database holds none, and brings a database that an older
// core has left up to date with this one. Any number of pods may run it at once: a lock in the database lets one at a time go
// on, and what it did is looked at anew by the next. A site that is installed and up to date costs one query.
namespace Installation;

require '{{.ConnectPath}}';

// How long a database may be away, in seconds, before the container gives up and is started anew: as long as the startup probe waits.
const PATIENCE = 300;
// Seconds between two looks, and between two lines of the log that say the same.
const PAUSE = 2, REMINDER = 30;
// Seconds that one request for the lock waits. The connection's own limit is longer.
const LOCK_WAIT = 10;
const ADDRESSES = '/%postname%/';
const PASSWORD_FILE = '{{.AdminPasswordPath}}';

{{if .Admin -}}
$administrator = ['title' => {{php .Title}}, 'user' => {{php .Admin.User}}, 'email' => {{php .Admin.Email}}];
{{- else -}}
$administrator = null;
{{- end}}
$prefix = getenv('WORDPRESS_TABLE_PREFIX') ?: 'wp_';
include '{{.CorePath}}/wp-includes/version.php';

$finished = false;
// WordPress ends with status 0 when it gives up.
register_shutdown_function(function () use (&$finished) {
	if (!$finished) {
		exit(1);
	}
});

$database = null;
$task = decide($database, $prefix, $wp_db_version, $administrator);
if ($task !== '') {
	define('WP_INSTALLING', true);
	define('WP_DISABLE_FATAL_ERROR_HANDLER', true);
	// WordPress refuses tables without the one of its options, as a pod leaves them that is killed while it makes them. They are empty.
	define('WP_REPAIRING', true);
{{- if not .Cron}}
	define('DISABLE_WP_CRON', true);
{{- end}}
	$_SERVER += [
		'HTTP_HOST' => {{php .Host}}, 'SERVER_NAME' => {{php .Host}}, 'HTTP_X_FORWARDED_PROTO' => {{php .Scheme}}, 'REQUEST_URI' => '/',
		'REQUEST_METHOD' => 'GET', 'SERVER_PROTOCOL' => 'HTTP/1.1', 'REMOTE_ADDR' => '127.0.0.1',
	];
	require '{{.CorePath}}/wp-load.php';
	require_once ABSPATH . 'wp-admin/includes/upgrade.php';
	add_filter('wp_die_handler', fn () => function ($message) {
		tell('WordPress gives up: ' . trim(strip_tags(is_wp_error($message) ? $message->get_error_message() : $message)));
		exit(1);
	});
	// What a lost connection has done is lost with it: the next start begins anew.
	$wpdb->reconnect_retries = 0;
	if ($task === 'install') {
		install($administrator);
		check_lock($database);
		$wpdb->query('COMMIT');
		wp_cache_flush();
	} else {
		wp_upgrade();
	}
	[$state, $version] = look($database, $prefix);
	if ($state !== 'site' || $version !== $wp_db_version) {
		tell("afterwards the database holds: $state, version $version");
		exit(1);
	}
	tell($task === 'install' ? "the site is installed, with the administrator {$administrator['user']}" : "the database is up to date: version $version");
}
$finished = true;

function tell($text) {
	static $last = '', $at = 0;
	if ($text !== $last || time() - $at >= REMINDER) {
		[$last, $at] = [$text, time()];
		fwrite(STDERR, gmdate('H:i:s') . " install: $text\n");
	}
}

// decide waits until something is to be done, and then holds the lock, or nothing is.
function decide(&$database, $prefix, $wanted, $administrator) {
	for (;; sleep(PAUSE)) {
		$database = await_database($database);
		$found = look($database, $prefix);
		if ($found[0] === '') {
			tell($found[1]);
			$database = null;
			continue;
		}
		if ($found[0] === 'site' && $found[1] >= $wanted) {
			tell('the site is installed' . ($administrator ? ': title, administrator and adminPassword of the configuration are not used' : ''));
			return '';
		}
		$obstacle = $found[0] === 'site' ? '' : obstacle($found[0], $administrator);
		if ($obstacle !== '') {
			tell($obstacle);
		} elseif (!lock($database)) {
			tell('another pod is at it: waiting for it');
		} elseif (look($database, $prefix) === $found) {
			tell($found[0] === 'site' ? "the database has version {$found[1]}, and the core needs $wanted: upgrading" : 'installing the site');
			return $found[0] === 'site' ? 'upgrade' : 'install';
		} else {
			unlock($database);
		}
	}
}

// obstacle is what keeps the site from being installed, and the way out.
function obstacle($state, $administrator) {
	if ($state === 'begun') {
		return 'a restore into this database came to no end: waiting until the Job wordpress-bootstrap has done it, which `pulumi up` begins anew with backup.bootstrap';
	}
	if (str_starts_with($state, 'elsewhere ')) {
		[, $other] = explode(' ', $state);
		return "the database holds a site whose tables begin with $other: set database.tablePrefix to that, or database.name to another database. None is installed beside it, "
			. 'since a restore would take both back';
	}
	if ($state === 'parts') {
		return 'the database holds parts of a site, but no address or no user: waiting until a dump is complete, or its tables are empty';
	}
	if (!$administrator) {
		return 'the database holds no site, and no administrator is given: set site.admin and adminPassword, or bring a site in by a dump';
	}
	if (trim((string) @file_get_contents(PASSWORD_FILE)) === '') {
		return 'the database holds no site, and the Secret for the administrator has no key password: waiting for it';
	}
	return '';
}

// await_database returns a connection that answers, the one at hand if it does.
function await_database($database) {
	if ($database && @$database->query('DO 1')) {
		return $database;
	}
	for ($since = time(); time() - $since < PATIENCE; sleep(PAUSE)) {
		[$database, $problem] = connect_to_database();
		if ($database) {
			return $database;
		}
		tell($problem);
	}
	tell('giving up after ' . PATIENCE . ' seconds');
	exit(1);
}

// look tells what the database holds: a site and its version, parts of one, nothing, or '' and why that cannot be told.
function look($database, $prefix) {
	if ($database->query('SELECT 1 FROM `{{.BootstrapMarker}}` LIMIT 1')) {
		return ['begun', 0];
	}
	$options = "SELECT option_value FROM `{$prefix}options` WHERE option_name =";
	$row = $database->query("SELECT ($options 'siteurl'), ($options 'db_version'), EXISTS (SELECT 1 FROM `{$prefix}users`)");
	if ($row) {
		[$address, $version, $users] = $row->fetch_row();
		if ($address !== null && $users) {
			return ['site', (int) $version];
		}
	} elseif ($database->errno !== 1146) { // a table that is not there
		return ['', 'database: ' . $database->error];
	}
	foreach (['options', 'posts', 'users'] as $table) {
		$rows = $database->query("SELECT 1 FROM `$prefix$table` LIMIT 1");
		if ($rows ? $rows->num_rows > 0 : $database->errno !== 1146) {
			return ['parts', 0];
		}
	}
	$other = other_prefix($database, $prefix);
	return [$other === '' ? 'nothing' : "elsewhere $other", 0];
}

// other_prefix is what the tables of another site in the same database begin with. Empty: there is none.
function other_prefix($database, $prefix) {
	$of = fn ($table) => "(SELECT LEFT(TABLE_NAME, CHAR_LENGTH(TABLE_NAME) - CHAR_LENGTH('$table')) AS prefix FROM information_schema.TABLES
		WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE '%$table') AS $table";
	$row = $database->query("SELECT prefix FROM {$of('options')} JOIN {$of('posts')} USING (prefix) JOIN {$of('users')} USING (prefix)
		WHERE prefix <> '" . $database->real_escape_string($prefix) . "' LIMIT 1");
	return $row ? (string) ($row->fetch_row()[0] ?? '') : '';
}

// The lock belongs to the connection, and goes with it, however this ends. Its name is the server's, hence the database's name in it.
function lock_name($database) {
	return "'wordpress-" . md5(getenv('WORDPRESS_DB_NAME') . '/' . getenv('WORDPRESS_TABLE_PREFIX')) . "'";
}

function lock($database) {
	$row = $database->query('SELECT GET_LOCK(' . lock_name($database) . ', ' . LOCK_WAIT . ')');
	return $row && $row->fetch_row()[0] === '1';
}

function unlock($database) {
	$database->query('SELECT RELEASE_LOCK(' . lock_name($database) . ')');
}

function check_lock($database) {
	$row = $database->query('SELECT IS_USED_LOCK(' . lock_name($database) . ') = CONNECTION_ID()');
	if (!$row || $row->fetch_row()[0] !== '1') {
		tell('the lock is lost: nothing is installed');
		exit(1);
	}
}

// install leaves a transaction open that holds all of the site: whoever looks finds nothing or everything. The tables come before it,
// because creating one ends a transaction.
function install($administrator) {
	global $wpdb;
	make_db_current_silent();
	foreach ($wpdb->tables() as $table) {
		// Numbers that an attempt has used up before it was cut off: WordPress counts on its first post being number 1.
		$wpdb->query("ALTER TABLE `$table` AUTO_INCREMENT = 1");
	}
	add_filter('dbdelta_queries', '__return_empty_array');
	add_filter('pre_wp_mail', '__return_false'); // it has no way out
	add_filter('flush_rewrite_rules_hard', '__return_false');
	// WordPress would ask itself over the network whether such addresses work. Apache is set up for them.
	add_filter('pre_option_permalink_structure', fn () => ADDRESSES);

	$wpdb->query('START TRANSACTION');
	$password = rtrim(file_get_contents(PASSWORD_FILE), "\r\n");
	// WordPress compares with what its log-in form sends, which it has added slashes to.
	wp_install($administrator['title'], $administrator['user'], $administrator['email'], true, '', wp_slash($password));
	remove_all_filters('pre_option_permalink_structure');
	update_option('permalink_structure', ADDRESSES);
	delete_option('rewrite_rules'); // made by the first visit
	$user = get_user_by('login', $administrator['user']);
	if (!$user || !$user->has_cap('manage_options')) {
		tell("WordPress made no administrator {$administrator['user']}");
		exit(1);
	}
}
