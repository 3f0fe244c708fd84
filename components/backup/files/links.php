<?php
// How links to one address are made to lead to another one, in texts as WordPress and its plugins keep them. Nothing here asks a database.
namespace Links;

// leading is the function that has every link in a text lead from the address $old to $new, which has no path. It finds them with http and https and
// without a scheme, with slashes as they are, behind backslashes as in JSON, and as in the query of another link. A longer name or path is another address,
// and so is a mail address.
function leading(string $old, string $new): callable {
	[, $address] = explode('://', $old, 2);
	[$scheme, $host] = explode('://', $new, 2);
	// All slashes of a link are written the same way: the third group is what one looks like.
	$address = str_replace('/', '\g{3}', preg_quote($address, '~'));
	$pattern = '~(?:(https?)(:|%3A))?(\\\\*/|%2F)\g{3}' . $address . '(?![\w-]|\.\w|:\d|%3A\d)~i';
	return function (string $text) use ($pattern, $scheme, $host): string {
		$led = preg_replace_callback($pattern, fn ($found) => ($found[1] === '' ? '' : $scheme . $found[2]) . $found[3] . $found[3] . $host, $text);
		if ($led === null) {
			throw new \RuntimeException('a text of ' . strlen($text) . ' bytes cannot be searched: ' . preg_last_error_msg());
		}
		return $led;
	};
}

// in_value has the links of a value lead elsewhere, also in one of PHP's that was made a text of: such texts tell the length of all that is in them.
function in_value(string $value, callable $lead): string {
	$text = trim($value); // as WordPress does before it reads one
	$at = 0;
	$led = serialized($text, $at, $lead);
	if ($led === null || $at !== strlen($text)) {
		return $lead($value);
	}
	$before = strlen($value) - strlen(ltrim($value));
	return substr($value, 0, $before) . $led . substr($value, $before + strlen($text));
}

// serialized is what stands at $at, with its links led elsewhere, and moves $at behind it. Null where nothing of the kind stands there. It makes no value
// of it: the classes of plugins are not loaded, and what a text has of them would be lost.
function serialized(string $text, int &$at, callable $lead): ?string {
	$taken = function (string $pattern) use ($text, &$at): ?array {
		if (!preg_match("~\\G$pattern~", $text, $found, 0, $at)) {
			return null;
		}
		$at += strlen($found[0]);
		return $found;
	};
	switch ($text[$at] ?? '') {
		case 'N':
			return $taken('N;')[0] ?? null;
		case 'b': case 'i': case 'd': case 'r': case 'R':
			return $taken('[bidrR]:[^;{}"]+;')[0] ?? null;
		case 'E':
			return $taken('E:\d+:"[^"]*";')[0] ?? null;
		case 's':
			$head = $taken('s:(\d+):"');
			$inner = $head ? substr($text, $at, (int) $head[1]) : '';
			if (!$head || strlen($inner) !== (int) $head[1] || substr($text, $at + strlen($inner), 2) !== '";') {
				return null;
			}
			$at += strlen($inner) + 2;
			$led = in_value($inner, $lead);
			return 's:' . strlen($led) . ":\"$led\";";
		case 'C':
			$head = $taken('C:\d+:"[^"]*":(\d+):\{');
			$inner = $head ? substr($text, $at, (int) $head[1]) : '';
			if (!$head || substr($text, $at + strlen($inner), 1) !== '}') {
				return null;
			}
			$at += strlen($inner) + 1;
			// Its class alone knows how to read this.
			return "$head[0]$inner}";
		case 'a': case 'O':
			$head = $taken('(?:a|O:\d+:"[^"]*"):(\d+):\{');
			return $head ? entries($text, $at, $head, $lead) : null;
		default:
			return null;
	}
}

// entries of an array or an object, of which values have links, and keys are names.
function entries(string $text, int &$at, array $head, callable $lead): ?string {
	$parts = [$head[0]];
	for ($left = (int) $head[1]; $left > 0; $left--) {
		$start = $at;
		if (serialized($text, $at, fn ($key) => $key) === null) {
			return null;
		}
		$parts[] = substr($text, $start, $at - $start);
		$value = serialized($text, $at, $lead);
		if ($value === null) {
			return null;
		}
		$parts[] = $value;
	}
	if (($text[$at] ?? '') !== '}') {
		return null;
	}
	$at++;
	$parts[] = '}';
	return implode($parts);
}
