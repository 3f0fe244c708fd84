#!/bin/bash
# Brings what MySQL's binary log has by now to a repository of the log's own: a snapshot for each file since the one that was the last before, which may
# have grown. Nothing is known here that is not in the repository, so that a pod may end at any time, and another one goes on.
. {{.ScriptsPath}}/common.sh
{{template "entries" .}}
export RESTIC_REPOSITORY=$RESTIC_REPOSITORY/{{.BinlogFolder}}
fetched=/tmp/fetched
rm -rf "$fetched"
watch binlog
credentials "$BINLOG_USER" "$BINLOG_PASSWORD_FILE"
# mysqlbinlog knows fewer options than the client.
grep -v -e '^default-character-set=' -e '^max-allowed-packet=' /tmp/client.cnf >/tmp/mysqlbinlog.cnf

# fetch has the file $1 of the log, or fails where MySQL has none of that name.
fetch() {
	[ ! -s "$fetched/$1" ] || return 0
	rm -rf "$fetched"
	mkdir "$fetched"
	timeout -k 30 {{.FetchSeconds}} mysqlbinlog --defaults-extra-file=/tmp/mysqlbinlog.cnf --read-from-remote-server --raw --result-file="$fetched/" "$1" &&
		[ -s "$fetched/$1" ]
}

# digest is of the first $2 bytes of the file $1 that was fetched.
digest() { head -c "$2" "$fetched/$1" | sha256sum | cut -d ' ' -f 1; }

# same tells that the file $1 that was fetched begins with all that was brought here before. A server that was put back to an earlier state, or whose
# log began anew, writes other transactions into files of the same names.
same() { [ "$(stat -c %s "$fetched/$1")" -ge "$size" ] && [ "$(digest "$1" "$size")" = "$sum" ]; }

# bring makes a snapshot of the file $1 that was fetched. $2 is the second up to which all is there with it.
bring() {
	local bytes
	bytes=$(stat -c %s "$fetched/$1")
	restic backup --host {{.Host}} --tag "binlog,at-{{.SiteURL}},server-$server,chain-$chain,file-${1##*.},until-$2,size-$bytes,sum-$(digest "$1" "$bytes")" \
		--stdin-filename "$1" --stdin-from-command -- cat "$fetched/$1" >/dev/null || fail "$1 was not brought to the storage: what restic said is above"
}

# What was committed before this second is in what is read from here on.
sql -e "SELECT DATE_FORMAT(UTC_TIMESTAMP(), '%Y%m%dT%H%i%sZ'), @@server_uuid; SHOW BINARY LOGS" >/tmp/server ||
	fail "MySQL did not tell what its binary log has"
read -r now server </tmp/server
mapfile -t names < <(tail -n +2 /tmp/server | cut -f 1)
[ ${#names[@]} -gt 0 ] || fail "MySQL has no file of its binary log"
reach create
entries >/tmp/entries
chain= file= size= sum= known=
read -r chain file _ _ size sum known < <(tail -n 1 /tmp/entries) || true

first=0 lost=
if [ -n "$chain" ]; then
	# The last snapshot may be of a file that others come after.
	until=$(awk -v chain="$chain" '$1 == chain && $3 > until { until = $3 } END { print until }' /tmp/entries)
	lost="the server has let go of {{.BinlogFiles}}.$file, or its log has begun anew"
	[ "$known" = "$server" ] || lost="it is another server's"
	for i in "${!names[@]}"; do
		if [ "$known" = "$server" ] && [ "${names[i]}" = "{{.BinlogFiles}}.$file" ]; then
			first=$i lost=
			fetch "${names[i]}" || fail "${names[i]} could not be fetched"
			same "${names[i]}" || lost="the server has been put back to an earlier state, or its log has begun anew"
		fi
	done
	if [ -n "$lost" ]; then
		first=0
		say "A GAP: the binary log does not go on where it was: $lost. No second can be restored between $until and the next run of the backup: make one now"
	fi
fi
if [ -z "$chain" ] || [ -n "$lost" ]; then
	chain=$now
fi
last=$((${#names[@]} - 1))
for ((i = first; i <= last; i++)); do
	fetch "${names[i]}" || fail "${names[i]} could not be fetched"
	# Of one that others come after, nobody knows up to when it goes.
	if [ "$i" = "$last" ]; then
		bring "${names[i]}" "$now"
	else
		bring "${names[i]}" 00000000T000000Z
	fi
done
rm -rf "$fetched"
say "up to $now the binary log is in the storage: $((last - first + 1)) files, the last one ${names[last]}"
succeeded <<END
wordpress_backup_binlog_begins_timestamp_seconds $(date -d "$(run_time "run-$chain")" +%s)
wordpress_backup_binlog_until_timestamp_seconds $(date -d "$(run_time "run-$now")" +%s)
END
