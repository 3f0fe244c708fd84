<?php
// Part of wp-config.php: what becomes of the requests that WordPress and its plugins make over HTTP. WordPress takes up what it finds in
// wp_filter when it is loaded.
//
// A request of the site to itself, such as those that start scheduled tasks and background work or look at the site's own REST interface,
// goes to this very pod: the way by the site's public address leads out of the cluster and back in, and the network lets nothing pass
// there. The hook is called once more for each redirect, before the connection is opened and after the cookies were chosen.
$GLOBALS['wp_filter']['requests-requests.before_request'][10]['this-pod'] = [
	'accepted_args' => 5,
	'function' => function (&$url, &$headers, &$data, &$type, &$options) {
		static $pod = 'http://localhost:{{.SitePort}}';
		$home = parse_url(WP_HOME);
		$parts = (parse_url($url) ?: []) + ['scheme' => '', 'host' => '', 'port' => null];
		$default = $parts['scheme'] === 'https' ? 443 : 80;
		$is_site = strcasecmp($parts['host'], $home['host']) === 0 && in_array($parts['port'], [null, $default, $home['port'] ?? null], true);
		if ($is_site) {
			$url = $pod . substr($url, strlen($parts['scheme'] . '://') + strcspn($url, '/?#', strlen($parts['scheme'] . '://')));
			$headers['Host'] = $home['host'];
			$headers['X-Forwarded-Proto'] = $parts['scheme'];
		} elseif (!str_starts_with($url, $pod . '/')) {
			// A redirect that leads away from the site.
			if (($headers['Host'] ?? '') === $home['host']) {
				unset($headers['Host'], $headers['X-Forwarded-Proto']);
			}
			wordpress_refuse_closed_port($parts['port'] ?? $default, $options);
			return;
		}
		if ($options['blocking']) {
			wordpress_wait_for_this_pod();
		}
	},
];

// The network lets nothing out to other ports: a request there fails at once, rather than at the end of its time limit.
function wordpress_refuse_closed_port($port, $options) {
	$open = {{.OutgoingPorts}};
	if ($open !== null && empty($options['proxy']) && !in_array($port, $open, true)) {
		throw new WpOrg\Requests\Exception("The network lets nothing out to port $port: network.egress does not have it.", 'closed');
	}
}

// A process that waits for an answer of the same pod needs another one to give it. At most all but one wait at a time, each with a lock
// of its own, so that there is always one to answer; who comes when all locks are taken is told so at once.
function wordpress_wait_for_this_pod() {
	if (isset($GLOBALS['wordpress_waiting'])) {
		return;
	}
	for ($slot = 1; $slot <= {{.LoopbackSlots}}; $slot++) {
		$lock = fopen(sys_get_temp_dir() . "/waiting.$slot", 'c');
		if ($lock && flock($lock, LOCK_EX | LOCK_NB)) {
			$GLOBALS['wordpress_waiting'] = $lock;
			return;
		}
	}
	throw new WpOrg\Requests\Exception('All other processes of this pod wait for an answer of the site already.', 'busy');
}

$GLOBALS['wp_filter']['http_api_debug'][10]['this-pod'] = [
	'accepted_args' => 0,
	'function' => function () {
		unset($GLOBALS['wordpress_waiting']);
	},
];
