#!/bin/bash
# Waits for a dump and the files of wp-content, which `make import` hands to this container, and looks whether all of it came.
set -euo pipefail
incoming={{.DrillPath}}/incoming
mkdir -p "$incoming" {{.ContentPath}}/wp-content
echo "waiting for a dump and the files of wp-content: make import hands them over" >&2
until [ -e "$incoming/all" ]; do
	if [ $SECONDS -ge {{.IncomingSeconds}} ]; then
		echo "nothing came to its end within {{.IncomingSeconds}} s" >&2
		exit 1
	fi
	sleep 1
done
read -r sum files <"$incoming/all"
found=$(find {{.ContentPath}}/wp-content -type f -printf x | wc -c)
if [ "$(sha256sum <"$incoming/dump.sql")" != "$sum  -" ] || [ "$found" != "$files" ]; then
	echo "the dump is not what was sent, or $found files came of $files: run make import again" >&2
	exit 1
fi
echo "the dump is here, and $files files" >&2
