#!/bin/bash
# Has a new stack begin as the site that was: where its database has no table, or an earlier attempt came to no end. Nobody visits it yet, so
# that nothing has to change places at once.
. /scripts/common.sh
site='wordpress' marker=bootstrap_under_way
beside=/volume/.restore live=/volume/wp-content
credentials "$OWN_USER" "$OWN_PASSWORD_FILE"
# MySQL starts at the same time.
until sql -e "SELECT 1" >/dev/null 2>/tmp/refused; do
	[ $SECONDS -lt 900 ] || fail "MySQL let nobody in for 900 s: $(tail -n 1 /tmp/refused)"
	say "waiting for MySQL: $(tail -n 1 /tmp/refused)"
	sleep 5
done
# Another pod of the same Job may be about to end.
coproc HOLDER { sql --unbuffered; }
# asked is what MySQL answers on the connection that has the lock.
asked() {
	local answer=
	echo "$1;" >&"${HOLDER[1]:-2}" || true
	read -r -t 150 answer <&"${HOLDER[0]:-0}" || true
	[ "$answer" = 1 ]
}

# alone waits so many seconds for other restores to end. Of a node that dies MySQL hears nothing, and lets the lock go when nobody speaks.
alone() {
	asked "SET SESSION wait_timeout = 300; SELECT GET_LOCK('restore of $site', $1)" || return 1
	while sleep 60; do echo 'DO 1;' >&"${HOLDER[1]:-2}" || exit; done 2>/dev/null &
}

still_alone() { asked "SELECT IS_USED_LOCK('restore of $site') = CONNECTION_ID()"; }
alone 120 || fail "another restore is under way: this one begins when it has ended"
there=$(sql -e "SELECT COUNT(*), COALESCE(SUM(TABLE_NAME = '$marker'), 0) FROM information_schema.TABLES WHERE TABLE_SCHEMA = '$site'")
case $there in
0$'\t'0) ;;
*$'\t'1) say "an earlier attempt came to no end, and is begun anew" ;;
*)
	say "the site is there already, and stays as it is: wordpress:backup.bootstrap can be removed"
	exit 0
	;;
esac
locks=(--no-lock)
reach read
choose_run
at=$(chosen at)
[ "$at" = 'https://wordpress.example.com' ] || [ "$at" = "$FROM" ] || fail "$run is of $at, and this is https://wordpress.example.com${FROM:+, which begins as $FROM}: where the site of the run is meant to begin anew here, set wordpress:backup.bootstrap.from to its address"
say "this site begins as $run"
sql "$site" -e "CREATE TABLE IF NOT EXISTS $marker (id INT PRIMARY KEY)"
# Nothing but the marker is left of an earlier attempt.
sql -e "SELECT CONCAT('DROP ', IF(TABLE_TYPE = 'VIEW', 'VIEW', 'TABLE'), ' \`', REPLACE(TABLE_NAME, '\`', '\`\`'), '\`;') FROM information_schema.TABLES
		WHERE TABLE_SCHEMA = '$site' AND TABLE_NAME <> '$marker' UNION ALL
	SELECT CONCAT('DROP ', ROUTINE_TYPE, ' \`', REPLACE(ROUTINE_NAME, '\`', '\`\`'), '\`;') FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = '$site' UNION ALL
	SELECT CONCAT('DROP EVENT \`', REPLACE(EVENT_NAME, '\`', '\`\`'), '\`;') FROM information_schema.EVENTS WHERE EVENT_SCHEMA = '$site'" >/tmp/clear.sql
{ echo 'SET SESSION foreign_key_checks = 0;'; cat /tmp/clear.sql; } | sql "$site"
restic dump "$dump" /wordpress.sql | whole | without_definers | sql "$site" || fail "the dump of $run could not be read to its end"
say "the database is there"
mkdir -p "$beside" "$live"
# What a restore left that came to no end may be nowhere else.
if [ -e "$beside/swapping" ]; then
	unfinished=$beside/unfinished-$(date +%Y%m%dT%H%M%SZ)
	mkdir "$unfinished"
	for folder in new earlier; do
		[ ! -e "$beside/$folder" ] || mv "$beside/$folder" "$unfinished/"
	done
	rm "$beside/swapping"
	say "a restore before this one came to no end: what it left is in .restore/${unfinished##*/} of the volume"
fi
fetching=1
# Room for a second copy: a volume that fills up would fail the uploads of the site that is there.
needed=$(restic stats --mode restore-size --json "$files" | sed -n 's/.*"total_size":\([0-9]*\).*/\1/p')
rm -rf "$beside/new"
mkdir "$beside/new"
free=$(($(df --output=avail -B 1 "$beside" | tail -n 1)))
[ "$free" -gt $((needed + needed / 20)) ] || fail "wp-content of $run takes $((needed >> 20)) MiB, and the volume has $((free >> 20)) MiB left: make room, or enlarge the claim"
restic restore "$files:/site/wp-content" --target "$beside/new" || fail "wp-content of $run could not be fetched"
rm -rf "$beside/earlier"
mkdir "$beside/earlier"
say "wp-content is there"
shopt -s dotglob nullglob
# there tells of an entry, also of a link that leads nowhere from here.
there() { [ -e "$1" ] || [ -L "$1" ]; }

# place puts an entry where it belongs, also where a page has just made one of that name.
place() {
	local tries=0
	while there "$1" && ! mv -T "$1" "$2" 2>/tmp/moved; do
		tries=$((tries + 1))
		[ $tries -lt 20 ] || fail "$1 could not be moved to $2: $(cat /tmp/moved)"
		mkdir -p "$beside/late"
		mv -T "$2" "$beside/late/$tries-${2##*/}-$(date +%s%N)" 2>/dev/null || true
	done
}
still_alone || fail "the lock of this restore is lost"
# What is there without a database may be newer than the run, and nowhere else.
found=$beside/found-$(date +%Y%m%dT%H%M%SZ)
for entry in "$live"/*; do
	mkdir -p "$found"
	place "$entry" "$found/${entry##*/}"
done
[ ! -e "$found" ] || say "what was in wp-content is in .restore/${found##*/} of the volume, and nothing takes it away"
for entry in "$beside"/new/*; do
	place "$entry" "$live/${entry##*/}"
done
if [ "$at" != 'https://wordpress.example.com' ]; then
	# The marker stays until its links lead here.
	echo "$at" >/shared/moved
	say "this site is $run now, and its links lead to $at"
	exit 0
fi
sql "$site" -e "DROP TABLE $marker"
say "this site is $run now"
