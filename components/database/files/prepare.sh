#!/bin/sh
# Runs before MySQL starts. The image takes a data directory that holds anything for a complete one, so a first
# start that dies half-way would leave a server that nobody can log in to. The marker lies beside the data
# directory from before the first file is written until complete.sh has run as the last step of the first
# start; a data directory with the marker holds nothing of value and is made anew. A volume that came from
# elsewhere, such as a restored backup, has no marker and is left alone.
set -eu
volume=/volume
data=$volume/mysql
marker=$volume/.initialising

if [ -e "$marker" ]; then
	echo "The last first start did not complete: starting with an empty data directory."
	rm -rf "$data"
fi
if [ ! -d "$data" ] || [ -z "$(ls -A "$data")" ]; then
	touch "$marker"
	mkdir -p "$data"
	sync "$marker" "$volume"
fi
