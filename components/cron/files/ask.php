// Asks WordPress for the tasks that are due, as the edge would for a visitor over the site's own address. The answer comes when they are
// done; what takes longer than a request may goes on all the same, and is not waited for.
[$scheme, $host] = explode('://', getenv('SITE_URL'));
$seconds = (int) getenv('WAIT_SECONDS');
$context = stream_context_create(['http' => [
	'header' => ["Host: $host", "X-Forwarded-Proto: $scheme", 'Connection: close'],
	'user_agent' => 'wordpress-cron', 'timeout' => $seconds, 'follow_location' => 0, 'ignore_errors' => true,
]]);
$began = time();
$answer = @file_get_contents(getenv('SERVICE_URL') . '/wp-cron.php?doing_wp_cron', false, $context);
$status = $http_response_header[0] ?? 'no answer: ' . (error_get_last()['message'] ?? '');
// A connection that nobody takes is no late answer.
$isLate = $answer === false && time() - $began >= $seconds && str_contains(error_get_last()['message'] ?? '', 'HTTP request failed');
fwrite(STDERR, 'cron: ' . ($isLate ? "the tasks take longer than $seconds seconds, and go on" : $status) . "\n");
exit($isLate || preg_match('#^HTTP/\S+ 200#', $status) ? 0 : 1);
