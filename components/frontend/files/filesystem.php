<?php
// Writes files as WordPress does, but for the one that marks an update: see maintenance.php.
class WordPress_Filesystem extends WP_Filesystem_Direct {
	// WordPress looks for the mark before it takes it away, and does not before it writes another one.
	private $looked = false;

	private static function is_mark($file) {
		return $file === ABSPATH . '.maintenance';
	}

	private static function moved($file) {
		return self::is_mark($file) ? WP_CONTENT_DIR . '/.maintenance' : $file;
	}

	// WordPress takes the mark of an automatic update away when the new files are there, and writes another one to look for fatal errors.
	// Meanwhile visitors would be the first to meet a broken plugin: the mark stays until WordPress has looked.
	private function stays_marked() {
		$before_another = !$this->looked;
		$this->looked = false;
		$automatic = did_action('pre_auto_update') > 0 && !did_action('automatic_updates_complete');
		return $automatic && ($before_another || doing_filter('upgrader_post_install'));
	}

	public function put_contents($file, $contents, $mode = false) {
		if (!self::is_mark($file)) {
			return parent::put_contents($file, $contents, $mode);
		}
		// In one step: who reads it meanwhile finds the earlier mark.
		$new = self::moved($file) . '.new';
		return parent::put_contents($new, $contents, $mode) && rename($new, self::moved($file));
	}

	public function delete($file, $recursive = false, $type = false) {
		if (self::is_mark($file) && $this->stays_marked()) {
			return true;
		}
		return parent::delete(self::moved($file), $recursive, $type);
	}

	public function exists($path) {
		$found = parent::exists(self::moved($path));
		if (self::is_mark($path)) {
			$this->looked = $found;
		}
		return $found;
	}
}
