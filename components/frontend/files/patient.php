<?php
// WordPress's database, whose server may be away for a moment. A whole request waits no longer than this.
class Patient_Database extends wpdb {
	// For the server is not there, ends the connection, is full, or is about to end: what goes by itself. A wrong password does not.
	private const AWAY = [2002, 2003, 2005, 2006, 2013, 1040, 1053];

	private static $patience = {{.DatabasePatienceSeconds}};

	// wpdb tries so often, each time with our patience.
	protected $reconnect_retries = 1;

	public function db_connect($allow_bail = true) {
		while (!@parent::db_connect(false)) {
			if (!in_array(mysqli_connect_errno(), self::AWAY, true) || self::$patience <= 0) {
				return false;
			}
			$began = microtime(true);
			usleep(random_int(100000, 300000)); // all who wait would come at once otherwise
			self::$patience -= microtime(true) - $began;
		}
		return true;
	}
}
