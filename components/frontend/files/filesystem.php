<?php
// Writes files as WordPress does, but for the one that marks an update: see maintenance.php.
class WordPress_Filesystem extends WP_Filesystem_Direct {
	private static function moved($file) {
		return $file === ABSPATH . '.maintenance' ? WP_CONTENT_DIR . '/.maintenance' : $file;
	}

	public function put_contents($file, $contents, $mode = false) {
		return parent::put_contents(self::moved($file), $contents, $mode);
	}

	public function delete($file, $recursive = false, $type = false) {
		return parent::delete(self::moved($file), $recursive, $type);
	}

	public function exists($path) {
		return parent::exists(self::moved($path));
	}
}
