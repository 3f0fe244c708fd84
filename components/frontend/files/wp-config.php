<?php
// Written by the Pulumi program; a changed file rolls the pods. Everything else comes from the image's own
// wp-config-docker.php, which reads the WORDPRESS_* environment and the files that it names.

define('WP_HOME', {{php .SiteURL}});
define('WP_SITEURL', WP_HOME);

// Core is part of the image and read-only: a newer image upgrades it.
define('WP_AUTO_UPDATE_CORE', false);
// Nobody edits PHP in the browser.
define('DISALLOW_FILE_EDIT', true);
// The shared volume is written to directly, whoever owns a file.
define('FS_METHOD', 'direct');

require __DIR__ . '/wp-config-docker.php';
