#!/bin/sh
# Starts MySQL. The image takes a data directory that holds anything for a complete one, so a first start that dies
# half-way would leave a server that nobody can log in to. The marker lies beside the data directory from before the
# first file is written until complete.sh has run as the last step of a first start, and only after that does the
# server listen on the network. This runs at every start of the container, so a directory with the marker has never
# served anybody: it is emptied and made anew. A volume that came from elsewhere, such as a restored backup, has no
# marker and is left alone.
set -eu
data=/var/lib/mysql
marker=/volume/.initialising

if [ -e "$marker" ]; then
	echo "The last first start did not complete: beginning anew with an empty data directory."
	find "$data" -mindepth 1 -delete
elif [ -z "$(ls -A "$data")" ]; then
	touch "$marker"
	sync "$marker" /volume
elif [ -d "$data/mysql" ]; then
	# The image reads the passwords at every start, though the first alone needs them, and the server would inherit them.
	unset MYSQL_PASSWORD_FILE MYSQL_ROOT_PASSWORD_FILE
fi
exec docker-entrypoint.sh mysqld
