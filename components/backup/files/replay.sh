#!/bin/bash
# Makes the database of a second, where AT asks for one: the newest run from before it in a MySQL beside the site's, and on top of that what the binary
# log has up to there. The site's own replays nothing; what restores takes the result for the dump of that run.
. {{.ScriptsPath}}/common.sh
[ -n "${AT:-}" ] || exit 0
{{template "entries" .}}
{{template "scratch" .}}
site='{{.Database}}' runs=$RESTIC_REPOSITORY log=$RESTIC_REPOSITORY/{{.BinlogFolder}} folder={{.DrillPath}}/log

# refuse ends it before anything was touched.
refuse() { fail "AT is $AT UTC: $1. The site is as it was"; }

# written is a second of a tag as AT has it.
written() { echo "${1:0:4}-${1:4:2}-${1:6:2} ${1:9:2}:${1:11:2}:${1:13:2}"; }

form='^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}Z?$'
AT=${AT%Z}
AT=${AT/T/ }
if ! [[ $AT =~ $form ]] || ! wanted=$(date -d "$AT UTC" +%Y%m%dT%H%M%SZ 2>/dev/null); then
	fail "AT is ${AT:0:100}, and must be a second in UTC such as 2026-11-29 14:03:07. The site is as it was"
fi
[[ ! $wanted > $(date +%Y%m%dT%H%M%SZ) ]] || refuse "that is still to come, it is $(date '+%F %T') now"
reach

# The seconds from which on runs know what they hold, and the runs. One that was saved before a restore is taken where it is named.
listed | awk -v named="run-${SNAPSHOT#run-}" '{
	run = since = ""
	is = 0
	for (i = 3; i <= NF; i++) {
		if ($i == "complete") is = 1
		if ($i ~ /^run-/) run = $i
		if ($i ~ /^since-/) since = substr($i, 7)
	}
	if (since != "" && (is || run == named)) print since, run
}' | sort >/tmp/runs
[ -s /tmp/runs ] || refuse "no run knows where it is in the binary log: those do that were made since wordpress:backup.binlog.enabled was turned on"
base=$(awk -v wanted="$wanted" -v named="$SNAPSHOT" '$1 <= wanted && (named == "latest" || $2 == "run-" named || $2 == named) { run = $2 } END { print run }' /tmp/runs)
if [ -z "$base" ] && [ "$SNAPSHOT" != latest ]; then
	refuse "run-${SNAPSHOT#run-} is not from before that, or does not know where it is in the binary log: take SNAPSHOT=latest"
fi
[ -n "$base" ] || refuse "the first run that can be gone on from is $(head -n 1 /tmp/runs | cut -d ' ' -f 2), and can be from $(written "$(head -n 1 /tmp/runs)") on"
choose "$base"
dump=$(chosen database)
held=$(chosen gtid | tr + ,)

export RESTIC_REPOSITORY=$log
reach
entries >/tmp/entries
# A chain that began after the run may be one of another past.
chain=$(awk -v run="${base#run-}" '$1 <= run { chain = $1 } END { print chain }' /tmp/entries)
[ -n "$chain" ] || refuse "$base is older than the binary log in the storage, and there is no newer one before that second"
known=$(awk -v chain="$chain" '$1 == chain && $3 > known { known = $3 } END { print known }' /tmp/entries)
[[ $known > 1 ]] || refuse "the binary log is still on its way to the storage"
after=$(awk -v chain="$chain" '$1 > chain { print $1; exit }' /tmp/entries)
if [[ $known < $wanted ]]; then
	[ -z "$after" ] || refuse "the binary log has a gap from $(written "$known") on, and goes on with the first run after $(written "$after"). The last second before the gap is AT='$(written "$known")'"
	refuse "the binary log is in the storage up to AT='$(written "$known")', which is the last second that can be restored by now"
fi

# longest is what the chain has of file $1: the number of the last snapshot, and the file's name.
longest() { awk -v chain="$chain" -v file="$1" '$1 == chain && $2 + 0 == file + 0 { number = $4 " " $2 } END { print number }' /tmp/entries; }

# fetch has the file $1 of the log.
fetch() {
	local number name
	read -r number name < <(longest "$1") || true
	[ -n "$name" ] || refuse "the binary log has a gap: file $1 is not in the storage"
	path=$folder/{{.BinlogFiles}}.$name
	[ -e "$path" ] || restic dump "$number" "/{{.BinlogFiles}}.$name" >"$path" || refuse "{{.BinlogFiles}}.$name could not be fetched"
}

# preceding prints the transactions that came before the file $1.
preceding() {
	mysqlbinlog --no-defaults "$1" | awk '
		/Previous-GTIDs$/ { here = 1; next }
		here && /^# [0-9a-f]+-/ { print substr($0, 3) }
		/^# at / { here = 0 }' | tr -d '\n'
}

mkdir -p "$folder"
trap '[ -z "${server:-}" ] || kill "$server" 2>/dev/null || true' EXIT
serve "$site"
# What was the last file some time before the run holds all that the run does not, and where clocks are too far apart, the first one does.
early=$(date -d "$(run_time "$base") UTC {{.SkewSeconds}} seconds ago" +%Y%m%dT%H%M%SZ)
begins=
for file in $(awk -v chain="$chain" -v early="$early" '$1 == chain { if (first == "") first = near = $2; if ($3 <= early && $3 > "1") near = $2 } END { print near + 0, first + 0 }' /tmp/entries); do
	fetch "$file"
	earlier=$(preceding "$path")
	if [ "$(own -e "SELECT GTID_SUBSET('$earlier', '$held')")" = 1 ]; then
		begins=$file
		break
	fi
done
[ -n "$begins" ] || refuse "the binary log in the storage begins after what $base holds"
ends=$(awk -v chain="$chain" -v wanted="$wanted" '$1 == chain && $3 >= wanted { print $2 + 0; exit }' /tmp/entries)
files=()
for ((file = begins; file <= ends; file++)); do
	fetch "$file"
	files+=("$path")
done
export RESTIC_REPOSITORY=$runs
restic dump "$dump" /{{.DumpName}} | whole | without_definers | own "$site" || refuse "the dump of $base could not be read to its end"
say "the database of $base is there: what came after it until $AT is replayed from ${#files[@]} files of the binary log"

# without_accounts leaves out what the log has of accounts: those of this MySQL are its own, and it knows no others.
without_accounts() {
	awk '
		!inside && /^(#|$)/ { print; next }
		!inside { inside = 1; leave = toupper($0) ~ /^((CREATE|ALTER|DROP|RENAME) (USER|ROLE)|GRANT|REVOKE|SET PASSWORD|SET DEFAULT ROLE) / }
		!leave { print }
		/\/\*!\*\/;$/ { inside = leave = 0 }'
}

# What the dump holds is not done again, what came while it was begun is done again without harm, and nothing of that second itself or later is done.
mysqlbinlog --no-defaults --idempotent --skip-gtids --exclude-gtids="$held" --stop-datetime="$AT" "${files[@]}" 2>/tmp/unread | without_accounts | own "$site" 2>/tmp/refused >/dev/null ||
	refuse "the binary log could not be replayed on $base: $(tail -qn 1 /tmp/refused /tmp/unread | tr '\n' ' '). An earlier run may do, by SNAPSHOT"
mysqldump --no-defaults --user=root --socket={{.DrillPath}}/mysql.sock --default-character-set=utf8mb4 --max-allowed-packet=1G {{template "dumped" .}} \
	"$site" | whole >{{.SharedPath}}/replayed.sql || refuse "the database of that second could not be written"
kill "$server"
wait "$server" || true
server=
rm -rf {{.DrillPath}}/mysql "$folder"
echo "$base" >{{.SharedPath}}/base
say "the database is as it was at the beginning of $AT UTC, and the files are those of $base"
