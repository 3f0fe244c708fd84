#!/bin/bash
# Saves the database. It comes before the content, so that no file is missing that the database speaks of.
. {{.ScriptsPath}}/common.sh
case "${SAVE:-yes}" in
yes) ;;
no) exit 0 ;;
*) fail "SAVE must be yes or no, and is $SAVE" ;;
esac
if [ "${MARK:-complete}" = before ]; then
	reach
else
	watch backup
	[ ! -e {{.ContentPath}}/.restore/swapping ] || fail "a restore was not finished, and the tables of one time are there with the files of another: finish it, or go the way back that it told"
	reach create
fi
date +run-%Y%m%dT%H%M%SZ >{{.SharedPath}}/run
cat {{.ContentPath}}/.restore/swapped >{{.SharedPath}}/swapped 2>/dev/null || echo never >{{.SharedPath}}/swapped
say "$(cat {{.SharedPath}}/run): database"
way_out=
[ "${MARK:-complete}" = complete ] || way_out=". Where it is too broken to be saved, restore with SAVE=no"
{{- if .HasBinlog}}
{{template "held" .}}
{{- end}}
snapshot database --stdin-filename {{.DumpName}} --stdin-from-command -- bash {{.ScriptsPath}}/dump.sh ||
	fail "the database was not saved, and no snapshot of it is there: what mysqldump and restic said is above$way_out"
{{- if .HasBinlog}}
[ -z "$held" ] || sql -e "SELECT CONCAT('gtid-$held,since-', DATE_FORMAT(UTC_TIMESTAMP() + INTERVAL 1 SECOND, '%Y%m%dT%H%i%sZ'))" >{{.SharedPath}}/held
{{- end}}
{{- if .Foreign}}
# Today is the time to learn that a restore could not make these, which stay empty until there is one.
credentials "$DUMP_USER" "$DUMP_PASSWORD_FILE"
restored='{{.RestoredDatabase}}' earlier='{{.EarlierDatabase}}'
sql -e "CREATE DATABASE IF NOT EXISTS \`$restored\`; CREATE DATABASE IF NOT EXISTS \`$earlier\`" 2>/tmp/refused ||
	echo "$DUMP_USER cannot restore it: $(tail -n 1 /tmp/refused). It needs all rights on the databases $restored and $earlier" >{{.SharedPath}}/complaint
{{- end}}
{{- if not .HasContent}}
{{- template "ends" .}}
{{- end}}
