#!/bin/bash
# Brings MySQL's binary log to the storage for as long as the pod lives.
. {{.ScriptsPath}}/common.sh
command -v mysqlbinlog >/dev/null ||
	fail "there is no mysqlbinlog in this image: wordpress:backup.binlog.image must have it, see Restore to a second in docs/operations.md"
touch /tmp/begun
child=
trap 'kill -TERM "$child" 2>/dev/null || true; wait "$child" || true; exit 143' TERM
while true; do
	began=$SECONDS pause=$EVERY_SECONDS
	timeout -k 30 {{.LookSeconds}} bash {{.ScriptsPath}}/ship.sh &
	child=$!
	if wait "$child"; then
		touch /tmp/shipped
	else
		pause={{.RetrySeconds}}
		say "what MySQL has written since is not in the storage yet, and is tried again in $pause s"
	fi
	pause=$((pause - SECONDS + began))
	if [ "$pause" -gt 0 ]; then
		sleep "$pause" &
		child=$!
		wait "$child"
	fi
done
