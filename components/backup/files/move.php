<?php
// Has a site that was elsewhere lead to itself: links in its database that led to the address that it had lead to the one that it has now. What posts are
// known by in feeds (guid) stays, as WordPress wants it. It is done in the site's own database before WordPress starts, or where there is the SOCKET of a
// server of this pod's, in the database there.
namespace Move;

require '{{.ScriptsPath}}/links.php';
const TO = '{{.SiteURL}}', MARKER = '{{.BootstrapMarker}}', POSTS = '{{.TablePrefix}}posts',
	OPTIONS = '{{.TablePrefix}}options';
// How many rows are asked for at a time, and how often, in seconds, it is told how far it is.
const ROWS = 1000, PAUSE = 10;
// What MySQL answers where a value is there already, and where it is longer than its column.
const DUPLICATE = 1062, TOO_LONG = 1406;

if (!file_exists('{{.MovedFile}}')) {
	tell('no link has to change');
	exit(0);
}
define(__NAMESPACE__ . '\FROM', trim(file_get_contents('{{.MovedFile}}')));
define(__NAMESPACE__ . '\SITE', getenv('SOCKET') ? getenv('DATABASE') : '{{.Database}}');
// A failure is a status, whatever happens.
set_exception_handler(function (\Throwable $problem) {
	tell('the links could not be changed: ' . $problem->getMessage());
	exit(1);
});
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$database = connect();
// As the step before this one has it: of two pods of the same Job, one waits.
if ($database->execute_query('SELECT GET_LOCK(?, 120)', ['restore of ' . SITE])->fetch_column() !== 1) {
	throw new \RuntimeException('another restore is under way');
}
$leads = array_map(fn ($address) => \Links\leading($address, TO), addresses($database));
$rows = 0;
foreach (tables($database) as $table) {
	$rows += in_table($database, $table);
}
$database->query('DROP TABLE IF EXISTS `' . MARKER . '`');
tell("what led to " . FROM . " leads to " . TO . " now, in $rows rows");

function tell(string $text): void {
	fwrite(STDERR, "$text\n");
}

function connect(): \mysqli {
	$connection = mysqli_init();
	$connection->options(MYSQLI_OPT_CONNECT_TIMEOUT, 10);
	$connection->options(MYSQLI_OPT_INT_AND_FLOAT_NATIVE, 1);
	if (getenv('SOCKET')) {
		$connection->real_connect('localhost', 'root', '', SITE, 0, getenv('SOCKET'));
		$connection->set_charset('utf8mb4');
		return $connection;
	}
{{- with .DatabaseCABundle}}
	$connection->ssl_set(null, null, '{{.}}', null, null);
{{- end}}
	$password = rtrim(file_get_contents(getenv('OWN_PASSWORD_FILE')), "\r\n");
	$connection->real_connect('{{.DatabaseHost}}', getenv('OWN_USER'), $password, SITE, {{.DatabasePort}}, null, {{.DatabaseFlags}});
	$connection->set_charset('utf8mb4');
	return $connection;
}

// addresses that lead here: also that of WordPress's own folder, where it lay below the site's.
function addresses(\mysqli $database): array {
	$folder = $database->execute_query('SELECT option_value FROM ' . name(OPTIONS) . " WHERE option_name = 'siteurl'")->fetch_column();
	$folder = rtrim((string) $folder, '/');
	return str_starts_with($folder, FROM . '/') ? [$folder, FROM] : [FROM];
}

function tables(\mysqli $database): array {
	$found = $database->execute_query("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE' AND TABLE_NAME <> ?
		ORDER BY TABLE_NAME", [SITE, MARKER]);
	return array_column($found->fetch_all(), 0);
}

// in_table changes a table's rows, and returns how many.
function in_table(\mysqli $database, string $table): int {
	$types = [];
	$found = $database->execute_query("SELECT COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?
		AND GENERATION_EXPRESSION = ''", [SITE, $table]);
	foreach ($found as $column) {
		$types[$column['COLUMN_NAME']] = strtolower($column['DATA_TYPE']);
	}
	$texts = array_keys(array_intersect($types, ['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext', 'json']));
	if ($table === POSTS) {
		$texts = array_values(array_diff($texts, ['guid']));
	}
	if (!$texts) {
		return 0;
	}
	$found = $database->execute_query("SELECT COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?
		AND CONSTRAINT_NAME = 'PRIMARY' ORDER BY ORDINAL_POSITION", [SITE, $table]);
	$key = array_column($found->fetch_all(), 0);
	$ordered = ['tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'char', 'varchar', 'date', 'datetime', 'timestamp'];
	$is_ordered = $key && !array_filter($key, fn ($column) => !in_array($types[$column] ?? '', $ordered, true));
	$changed = 0;
	$changes = $is_ordered ? by_key($database, $table, $key, $texts) : by_value($database, $table, $texts);
	foreach ($changes as $rows) {
		$changed += $rows;
		progress("$table: $changed rows so far");
	}
	if ($changed > 0) {
		tell("$table: $changed rows");
	}
	return $changed;
}

// by_key goes through a table in the order of its primary key.
function by_key(\mysqli $database, string $table, array $key, array $texts): \Generator {
	$keys = names($key);
	$marks = implode(', ', array_fill(0, count($key), '?'));
	$last = null;
	do {
		$where = implode(' OR ', array_map(fn ($text) => name($text) . ' LIKE ?', $texts));
		$values = array_fill(0, count($texts), pattern());
		if ($last) {
			$where = "($where) AND ($keys) > ($marks)";
			array_push($values, ...$last);
		}
		$found = $database->execute_query('SELECT ' . $keys . ' FROM ' . name($table) . " WHERE $where ORDER BY $keys LIMIT " . ROWS, $values)->fetch_all();
		foreach ($found as $last) {
			$row = $database->execute_query('SELECT ' . names($texts) . ' FROM ' . name($table) . " WHERE ($keys) = ($marks)", $last)->fetch_assoc();
			$new = array_filter(array_map(led(...), $row), fn ($value, $column) => $value !== $row[$column], ARRAY_FILTER_USE_BOTH);
			yield $new ? set($database, $table, $new, "($keys) = ($marks)", $last) : 0;
		}
	} while (count($found) === ROWS);
}

// by_value changes all rows with the same text at once, in a table whose rows nothing else tells apart.
function by_value(\mysqli $database, string $table, array $texts): \Generator {
	foreach ($texts as $text) {
		$same = 'CONVERT(' . name($text) . ' USING utf8mb4) COLLATE utf8mb4_bin';
		$found = $database->execute_query("SELECT DISTINCT $same FROM " . name($table) . ' WHERE ' . name($text) . ' LIKE ?', [pattern()])->fetch_all();
		foreach ($found as [$value]) {
			$new = led($value);
			yield $new === $value ? 0 : set($database, $table, [$text => $new], "$same = ?", [$value]);
		}
	}
}

// set changes rows, and leaves those as they are that have no room for it.
function set(\mysqli $database, string $table, array $new, string $where, array $values): int {
	$columns = implode(', ', array_map(fn ($column) => name($column) . ' = ?', array_keys($new)));
	try {
		$database->execute_query('UPDATE ' . name($table) . " SET $columns WHERE $where", [...array_values($new), ...$values]);
		return $database->affected_rows;
	} catch (\mysqli_sql_exception $problem) {
		if (!in_array($problem->getCode(), [DUPLICATE, TOO_LONG], true)) {
			throw $problem;
		}
		tell("$table: a row stays as it is: " . ($problem->getCode() === TOO_LONG ? 'its column has no room for the new link' : 'another one has the new link already'));
		return 0;
	}
}

function led(?string $value): ?string {
	global $leads;
	foreach ($value === null ? [] : $leads as $lead) {
		$value = \Links\in_value($value, $lead);
	}
	return $value;
}

// pattern is what all of these links have in common, however their slashes are written.
function pattern(): string {
	return '%' . addcslashes(explode('/', FROM)[2], '%_\\') . '%';
}

function name(string $name): string {
	return '`' . str_replace('`', '``', $name) . '`';
}

function names(array $names): string {
	return implode(', ', array_map(name(...), $names));
}

function progress(string $text): void {
	static $told;
	$told ??= time();
	if (time() - $told >= PAUSE) {
		$told = time();
		tell($text);
	}
}
