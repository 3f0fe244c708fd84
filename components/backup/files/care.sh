#!/bin/bash
# Looks after the repository: reads a part of all data, another one each time, because a byte that has changed is noticed by nothing else; and
# gives back the room of what was let go, where all is sound. With TASK=list, tells what is there and changes nothing: snapshots, size and last drill, each a line of JSON.
. {{.ScriptsPath}}/common.sh
if [ "${TASK:-care}" = list ]; then
	reach
	# Also while somebody else is at work there.
	look() { {{.ToolPath}}/restic --no-lock "$@"; }
	look snapshots --host {{.Host}} --json
	look stats --mode raw-data --json
	look dump --host {{.Host}} --tag drill latest /{{.DrillName}} 2>/dev/null || echo '{}'
{{- if .HasBinlog}}
	RESTIC_REPOSITORY=$RESTIC_REPOSITORY/{{.BinlogFolder}}
	printf '{"binlog":%s}\n' "$(look snapshots --host {{.Host}} --tag binlog --json 2>/dev/null || echo '[]')"
{{- end}}
	exit
fi
watch care
reach
# The part after the one that was read last, however often this runs.
part=$(($(restic snapshots --host {{.Host}} --tag checked --json | { grep -o '"part-[0-9]*"' || true; } | tail -n 1 | tr -dc 0-9) + 0))
part=$((part % {{.Parts}} + 1))
status=0
restic check --read-data-subset="$part/{{.Parts}}" || status=$?
case $status in
0)
	say "part $part of {{.Parts}} of the repository was read and is sound"
	restic backup --host {{.Host}} --tag "checked,part-$part" --stdin-filename part --stdin-from-command -- echo "$part" >/dev/null
	restic forget --host {{.Host}} --tag checked --group-by host --keep-last {{.Parts}} >/dev/null
	restic prune || fail "what was let go did not give back its room: what restic said is above; where it speaks of damage, docs/operations.md has what to do under Damaged backups"
	succeeded <<<"wordpress_backup_repository_bytes $(restic stats --mode raw-data --json | sed -n 's/.*"total_size":\([0-9]*\).*/\1/p')"
	;;
1) fail "the repository is damaged, or could not be read: what restic said is above, and docs/operations.md has what to do under Damaged backups" ;;
*) fail "the repository was not checked: restic ended with status $status" ;;
esac
{{- if .HasBinlog}}
{{template "tend" .}}
{{- end}}
