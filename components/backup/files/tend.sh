{{define "tend"}}{{template "entries" .}}
# The binary log's repository: of each file the newest snapshot has what the ones before it have, and what is too old is needed by no second.
RESTIC_REPOSITORY=$RESTIC_REPOSITORY/{{.BinlogFolder}}
status=0
timeout {{.ContactSeconds}} {{.ToolPath}}/restic --no-lock cat config >/dev/null 2>&1 || status=$?
if [ "$status" = 10 ]; then
	say "nothing of the binary log is in the storage yet"
	exit 0
fi
entries >/tmp/entries
mapfile -t earlier < <(awk '{ file = $1 " " $2; if (file in last) print last[file]; last[file] = $4 }' /tmp/entries)
[ ${#earlier[@]} = 0 ] || restic forget "${earlier[@]}" >/dev/null
restic forget --host {{.Host}} --tag binlog --group-by host --keep-within {{.BinlogKeepDays}}d >/dev/null
restic check --read-data-subset="$part/{{.Parts}}" || fail "the repository of the binary log is damaged, or could not be read: what restic said is above. Make a run now: only seconds after it are sure to be restored"
restic prune || fail "what was let go of the binary log did not give back its room: what restic said is above"
say "part $part of {{.Parts}} of the binary log was read and is sound"{{end}}
