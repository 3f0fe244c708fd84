<?php
// WordPress's database, whose server may be away for a moment. A request waits for it no longer than this in all, and a server that takes
// a connection and says nothing ends that by mysqlnd.net_read_timeout.
class Patient_Database extends wpdb {
	// The server is not there, ends the connection, is full, or is about to end: what goes by itself. A wrong password does not.
	private const AWAY = [2002, 2003, 2005, 2006, 2013, 1040, 1053];

	private static $patience = {{.DatabasePatienceSeconds}};

	private $select_error = 0;

	// wpdb tries so often, each time with our patience.
	protected $reconnect_retries = 1;

	public function db_connect($allow_bail = true) {
		while (true) {
			$began = microtime(true);
			if ($this->connects()) {
				return true;
			}
			if (!in_array($this->select_error ?: mysqli_connect_errno(), self::AWAY, true) || self::$patience <= 0) {
				return false;
			}
			usleep(random_int(100000, 300000)); // all who wait would come at once otherwise
			self::$patience -= microtime(true) - $began;
		}
	}

	private function connects() {
		$this->select_error = 0;
		$limit = (int) ini_get('default_socket_timeout');
		ini_set('default_socket_timeout', (string) max(1, min($limit, (int) ceil(self::$patience))));
		$connected = @parent::db_connect(false) && $this->select_error === 0;
		ini_set('default_socket_timeout', (string) $limit);
		return $connected;
	}

	// The last step of a connection. wpdb's own loads translations to say what is wrong, which WordPress would load again.
	public function select($db, $dbh = null) {
		$dbh = $dbh ?? $this->dbh;
		if (!mysqli_select_db($dbh, $db)) {
			$this->select_error = mysqli_errno($dbh);
			$this->ready = false;
		}
	}

	// A server that is about to end answers so instead of the statement. Where it has closed the connection, wpdb itself asks again.
	public function query($query) {
		$result = parent::query($query);
		if ($result === false && $this->dbh instanceof mysqli && mysqli_errno($this->dbh) === 1053 && $this->check_connection(false)) {
			$result = parent::query($query);
		}
		return $result;
	}
}
