#!/bin/bash
# Has a new stack begin as the site that was: where its database has no table, or an earlier attempt came to no end. Nobody visits it yet, so
# that nothing has to change places at once.
. {{.ScriptsPath}}/common.sh
site='{{.Database}}' marker={{.BootstrapMarker}}
{{- if .HasContent}}
beside={{.VolumePath}}/.restore live={{.VolumePath}}/wp-content
{{- end}}
credentials "$OWN_USER" "$OWN_PASSWORD_FILE"
# MySQL starts at the same time.
until sql -e "SELECT 1" >/dev/null 2>/tmp/refused; do
	[ $SECONDS -lt {{.PatienceSeconds}} ] || fail "MySQL let nobody in for {{.PatienceSeconds}} s: $(tail -n 1 /tmp/refused)"
	say "waiting for MySQL: $(tail -n 1 /tmp/refused)"
	sleep 5
done
# Another pod of the same Job may be about to end.
{{template "alone" .}}
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
[ "$at" = '{{.SiteURL}}' ] || [ "$at" = "$FROM" ] || fail "$run is of $at, and this is {{.SiteURL}}${FROM:+, which begins as $FROM}: where the site of the run is meant to begin anew here, set wordpress:backup.bootstrap.from to its address"
say "this site begins as $run"
sql "$site" -e "CREATE TABLE IF NOT EXISTS $marker (id INT PRIMARY KEY)"
# Nothing but the marker is left of an earlier attempt.
sql -e "SELECT CONCAT('DROP ', IF(TABLE_TYPE = 'VIEW', 'VIEW', 'TABLE'), ' \`', REPLACE(TABLE_NAME, '\`', '\`\`'), '\`;') FROM information_schema.TABLES
		WHERE TABLE_SCHEMA = '$site' AND TABLE_NAME <> '$marker' UNION ALL
	SELECT CONCAT('DROP ', ROUTINE_TYPE, ' \`', REPLACE(ROUTINE_NAME, '\`', '\`\`'), '\`;') FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = '$site' UNION ALL
	SELECT CONCAT('DROP EVENT \`', REPLACE(EVENT_NAME, '\`', '\`\`'), '\`;') FROM information_schema.EVENTS WHERE EVENT_SCHEMA = '$site'" >/tmp/clear.sql
{ echo 'SET SESSION foreign_key_checks = 0;'; cat /tmp/clear.sql; } | sql "$site"
restic dump "$dump" /{{.DumpName}} | whole | without_definers | sql "$site" || fail "the dump of $run could not be read to its end"
say "the database is there"
{{- if .HasContent}}
{{template "fetch" .}}
say "wp-content is there"
{{template "place" .}}
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
{{- end}}
if [ "$at" != '{{.SiteURL}}' ]; then
	# The marker stays until its links lead here.
	echo "$at" >{{.MovedFile}}
	say "this site is $run now, and its links lead to $at"
	exit 0
fi
sql "$site" -e "DROP TABLE $marker"
say "this site is $run now"
