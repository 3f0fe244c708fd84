#!/bin/sh
# Starts MySQL. The image takes a data directory that holds anything for a complete one, so a first start that dies
# half-way would leave a server that nobody can log in to. The marker lies beside the data directory from before the
# first file is written until complete.sh has run as the last step of a first start, and only after that does the
# server listen on the network. This runs at every start of the container, so a directory with the marker has never
# served anybody: it is emptied and made anew. A first start makes no tables but MySQL's own, so any other is
# somebody's, who has restored it since: then nothing is touched until a person has said what it is.
set -eu
data=/var/lib/mysql
volume=/volume
marker=$volume/.initialising
temporary=$volume/tmp

somebodys() {
	[ ! -e "$marker" ] || find "$data" -mindepth 2 -type f ! -path "$data/mysql/*" ! -path "$data/sys/*" \
		! -path "$data/performance_schema/*" ! -path "$data/#*" -print -quit
}

# Everything below needs the volume's root, which storage may have given to somebody else.
try=$volume/.try
rmdir "$try" 2>/dev/null || true
if problem=$(mkdir "$try" 2>&1); then
	rmdir "$try"
else
	case $problem in
	*"Permission denied"* | *"not permitted"*)
		echo "MySQL does not start: the root of its volume belongs to $(stat -c '%u:%g with mode %a' "$volume"), and this pod is user $(id -u) with" \
			"groups $(id -G | tr ' ' ,). Give it to $(id -u):$(id -g), or see docs/operations.md, Storage that ignores fsGroup." >&2
		exit 1
		;;
	esac
fi

if [ -n "$(somebodys)" ]; then
	echo "MySQL does not start: $(somebodys) is there, which no first start makes, and the file $marker says that the last" \
		"first start did not complete. Nothing is deleted. If the data directory was restored and is complete, delete the file:" \
		"kubectl exec -n NAMESPACE $(hostname) -- rm $marker. If it is not, empty $data in the same way. This container waits for that." >&2
	trap 'exit 143' TERM
	while [ -n "$(somebodys)" ]; do
		sleep 1 &
		wait $!
	done
	trap - TERM
fi

if [ -e "$marker" ]; then
	echo "The last first start did not complete: beginning anew with an empty data directory."
	find "$data" -mindepth 1 -delete
elif [ -z "$(ls -A "$data")" ]; then
	touch "$marker"
	sync "$marker" "$volume"
elif [ -d "$data/mysql" ]; then
	# The image reads the passwords at every start, though the first alone needs them, and the server would inherit them.
	unset MYSQL_PASSWORD_FILE MYSQL_ROOT_PASSWORD_FILE
fi
# What a server that was killed was sorting.
mkdir -p "$temporary"
find "$temporary" -mindepth 1 -delete
exec docker-entrypoint.sh mysqld
