#!/bin/bash
# Puts the site back as a run of the backup has it. Everything is fetched and looked at beside what is there; then all tables change places in
# one statement, and the folders of wp-content right after. What was there is kept beside it until the next restore, and was saved before.
. {{.ScriptsPath}}/common.sh
restored='{{.RestoredDatabase}}' earlier='{{.EarlierDatabase}}' site='{{.Database}}' marker=made_by_a_restore
{{- if .HasContent}}
beside={{.VolumePath}}/.restore live={{.VolumePath}}/wp-content
{{- end}}
began=$(date +%s)
way_back="there is none: what was there was not saved"
if [ -e {{.SharedPath}}/run ]; then
	way_back="the same with SNAPSHOT=$(cat {{.SharedPath}}/run)"
fi
reach
credentials "$RESTORE_USER" "$RESTORE_PASSWORD_FILE"

tables() { sql -e "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_NAME <> '$marker' AND TABLE_SCHEMA = '$1'"; }

# make has an empty database of a restore's own. One of that name that holds anything else is somebody's.
make() {
	local others
	others=$(sql -e "SELECT COUNT(*), SUM(TABLE_NAME = '$marker') FROM information_schema.TABLES WHERE TABLE_SCHEMA = '$1'")
	case $others in
	0$'\t'* | *$'\t'1) ;;
	*) fail "the database $1 is there, and was made by no restore: rename or drop it" ;;
	esac
	sql -e "DROP DATABASE IF EXISTS \`$1\`; CREATE DATABASE \`$1\` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
		CREATE TABLE \`$1\`.\`$marker\` (id INT PRIMARY KEY)"
}

# apart writes what MySQL moves between databases by no statement: triggers, routines, events and views of $1.
apart() {
	sql -e "SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = '$1'" >/tmp/views || return 1
	local views definitions=(mysqldump --defaults-extra-file=/tmp/client.cnf --no-data --single-transaction --skip-lock-tables --set-gtid-purged=OFF
		--no-tablespaces --add-drop-trigger --loose-skip-masking-policies --loose-column-statistics=0)
	mapfile -t views </tmp/views
	"${definitions[@]}" --no-create-info --routines --events --triggers -- "$1" | without_definers || return 1
	[ ${#views[@]} = 0 ] || "${definitions[@]}" --skip-triggers -- "$1" "${views[@]}" | without_definers
}

# take_apart takes these away from $1.
take_apart() {
	sql -e "SELECT CONCAT('DROP TRIGGER \`$1\`.\`', REPLACE(TRIGGER_NAME, '\`', '\`\`'), '\`;') FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = '$1' UNION ALL
		SELECT CONCAT('DROP VIEW \`$1\`.\`', REPLACE(TABLE_NAME, '\`', '\`\`'), '\`;') FROM information_schema.VIEWS WHERE TABLE_SCHEMA = '$1' UNION ALL
		SELECT CONCAT('DROP ', ROUTINE_TYPE, ' \`$1\`.\`', REPLACE(ROUTINE_NAME, '\`', '\`\`'), '\`;') FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = '$1' UNION ALL
		SELECT CONCAT('DROP EVENT \`$1\`.\`', REPLACE(EVENT_NAME, '\`', '\`\`'), '\`;') FROM information_schema.EVENTS WHERE EVENT_SCHEMA = '$1'" | sql
}

# Another restore would take away what this one has put beside the site. The lock goes with the connection, and so with this pod.
{{template "alone" .}}
alone 0 || fail "another restore is under way, or MySQL cannot be reached: the site is as it was"

# ended tells how far it came, whatever ended it, and takes away what was fetched for nothing.
state=before made= taken= fetching= marked=
put_back() {
	[ -z "$taken" ] || sql --force "$site" </tmp/apart-of-the-site.sql || say "not all that goes with the site's tables could be put back: see above, and the run that was saved before"
	taken=
}
ended() {
	local status=$?
	# Whether the tables have changed places, they tell themselves; where they cannot be asked, nothing is taken back.
	if [ $state = swapping ] && [ "$(tables "$restored")" = "$there" ]; then
		state=before
	fi
	case $state in
	before)
		put_back
		[ "$status" = 0 ] || say "nothing was changed: the site is as it was"
		[ -z "$made" ] || sql -e "DROP DATABASE \`$restored\`" || true
{{- if .HasContent}}
		[ -z "$fetching" ] || rm -rf "$beside/new"
		[ -z "$marked" ] || rm -f "$beside/swapping"
{{- end}}
		;;
	swapping) say "THE SITE IS HALF RESTORED, see above. The way back: $way_back" ;;
	esac
}
trap ended EXIT

dumped() { restic dump "$dump" /{{.DumpName}}; }
{{- if .HasBinlog}}
if [ -n "${AT:-}" ]; then
	SNAPSHOT=$(cat {{.SharedPath}}/base)
	dumped() { cat {{.SharedPath}}/replayed.sql; }
fi
{{- end}}
choose_run
say "restoring $run{{if .HasBinlog}}${AT:+ with the database of $AT UTC}{{end}}"

sql -e "CREATE DATABASE IF NOT EXISTS \`$site\`"
# The state before the restore before goes now, and is in a run: three copies of the database may be more than its volume holds.
make "$earlier"
make "$restored"
made=1
dumped | whole | without_definers | sql "$restored" || fail "the dump of $run could not be read to its end"
there=$(tables "$restored")
[ "$there" -gt 0 ] || fail "the dump of $run holds no table"
home_of() { sql -e "SELECT option_value FROM \`$1\`.\`{{.TablePrefix}}options\` WHERE option_name = 'home'"; }
home=$(home_of "$restored") || fail "the dump of $run is of no site with the table prefix {{.TablePrefix}}"
# A site that has been given another address is the same one.
[ "$(chosen at)" = '{{.SiteURL}}' ] || [ "$home" = "$(home_of "$site" || true)" ] || fail "$run is of $(chosen at), and this is {{.SiteURL}}"
apart "$restored" >/tmp/apart.sql
take_apart "$restored"
say "the database is there: $there tables"
{{- if .HasContent}}

{{template "fetch" .}}
say "wp-content is there"
{{- end}}

before=$(tables "$site")
# All tables at once; a statement that came out too short would swap some of them.
sql -e "SET SESSION group_concat_max_len = 4294967295;
	SELECT CONCAT('SET SESSION lock_wait_timeout = {{.LockSeconds}}; RENAME TABLE ', GROUP_CONCAT(
		'\`', TABLE_SCHEMA, '\`.\`', REPLACE(TABLE_NAME, '\`', '\`\`'), '\` TO \`', IF(TABLE_SCHEMA = '$site', '$earlier', '$site'), '\`.\`',
		REPLACE(TABLE_NAME, '\`', '\`\`'), '\`' ORDER BY TABLE_SCHEMA = '$site' DESC SEPARATOR ',\n'))
	FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_NAME <> '$marker' AND TABLE_SCHEMA IN ('$site', '$restored')" >/tmp/swap.sql
moves=$(grep -c '` TO `' /tmp/swap.sql)
[ "$moves" = $((before + there)) ] || fail "the swap of $((before + there)) tables came out with $moves"
# Of a site that is broken, some may not be readable.
apart "$site" >/tmp/apart-of-the-site.sql || [ "${SAVE:-yes}" = no ] ||
	fail "not all that goes with the site's tables, such as triggers and views, can be read: see above. Restore with SAVE=no to lose it"
{{- if .HasContent}}
{{template "place" .}}
for entry in "$live" "$live"/*; do
	[ ! -d "$entry" ] || [ -L "$entry" ] || [ -w "$entry" ] || fail "the folder $entry belongs to $(stat -c %u:%g "$entry"), and cannot be moved by $(id -u):$(id -g): give it to them"
done
date +%s%N >"$beside/swapping"
marked=1
{{- end}}
still_alone || fail "the lock of this restore is lost"
# From here on it goes to the end.
trap '' TERM
state=swapping
tried=0
until
	started=$(date +%s%N)
	taken=1
	take_apart "$site" && sql </tmp/swap.sql
do
	# A connection that was lost after the statement was done has done it all the same.
	[ "$(tables "$restored")" != 0 ] || break
	put_back
	tried=$((tried + 1))
	[ $tried -lt {{.SwapTries}} ] || fail "the tables could not be swapped in {{.SwapTries}} tries: they are in use, or something that goes with them, such as a view that root has defined, cannot be taken away: see above"
	sleep {{.LockSeconds}}
done
for ((tried = 0; tried < {{.SwapTries}}; tried++)); do
	! sql "$site" </tmp/apart.sql || break
done
[ $tried -lt {{.SwapTries}} ] || fail "what goes with the tables, such as triggers and views, is not there: see above"
[ "$(tables "$restored")" = 0 ] && [ "$(tables "$site")" -ge "$there" ] || fail "not all tables changed places: see the databases $site, $restored and $earlier"
{{- if .HasContent}}

# Pods keep the folder that they have mounted, so what is in it changes places, an entry at a time.
for entry in "$live"/*; do
	place "$entry" "$beside/earlier/${entry##*/}"
	place "$beside/new/${entry##*/}" "$entry"
done
for entry in "$beside"/new/*; do
	place "$entry" "$live/${entry##*/}"
done
# What is not saved stays as it is.
{{- range .Excludes}}
if there "$beside/earlier/{{.}}"; then
	mkdir -p "$(dirname "$live/{{.}}")"
	place "$beside/earlier/{{.}}" "$live/{{.}}"
fi
{{- end}}
date +%s%N >"$beside/swapped"
rm "$beside/swapping"
{{- end}}
state=done
trap 'exit 143' TERM
swapped=$((($(date +%s%N) - started) / 1000000))
sql --force "$earlier" </tmp/apart-of-the-site.sql || true
sql -e "DROP DATABASE \`$restored\`" || true
tidy --host {{.Host}} --tag before --group-by host --keep-last {{.KeepBefore}} --keep-within {{.KeepBeforeDays}}d || true
say "$run is restored, in $(($(date +%s) - began)) s; the swap took $swapped ms"
say "the way back: $way_back"
