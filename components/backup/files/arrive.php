<?php
// Has the cache forget what it kept of the site before a restore, and looks whether the restored one answers.
function ask(string $address, array $options): string {
	$body = @file_get_contents($address, false, stream_context_create(['http' => $options + ['timeout' => 60, 'ignore_errors' => true, 'follow_location' => 0]]));
	return $body === false ? 'no answer' : $http_response_header[0];
}
$failed = false;
$host = getenv('CACHE_HOST');
if ($host) {
	$key = rtrim(file_get_contents(getenv('CACHE_KEY_FILE')), "\r\n");
	$headers = ['Content-Type: application/json', 'Authorization: Bearer ' . hash_hmac('sha256', getenv('CACHE_PURPOSE'), $key)];
	$pods = gethostbynamel($host) ?: array_map(fn ($record) => "[$record[ipv6]]", dns_get_record($host, DNS_AAAA) ?: []);
	if (!$pods) {
		fwrite(STDERR, "no pod of the cache is found as $host: what it kept of before shows until its time is over\n");
		exit(1);
	}
	foreach ($pods as $pod) {
		$status = ask("http://$pod" . getenv('CACHE_PATH'), ['method' => 'POST', 'header' => $headers, 'content' => '{"all":true}']);
		if (!str_contains($status, ' 204')) {
			fwrite(STDERR, "the cache's pod $pod did not forget what it kept, and may show it until its time is over: $status\n");
			$failed = true;
		}
	}
}
[$scheme, $site] = explode('://', getenv('SITE_URL'));
$status = ask(getenv('SERVICE_URL') . '/', ['header' => ["Host: $site", "X-Forwarded-Proto: $scheme", 'Connection: close']]);
fwrite(STDERR, "the site answers: $status\n");
// A front page may as well lead elsewhere, or ask who is there.
exit(!$failed && preg_match('#^HTTP/\S+ [234]#', $status) ? 0 : 1);
