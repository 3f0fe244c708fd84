# What the scripts of backup, care and restore share. Sourced by them; nothing secret is an argument or in the environment.
set -euo pipefail
shopt -s inherit_errexit
umask 077
export LC_ALL=C TZ=UTC HOME=/tmp
export RESTIC_REPOSITORY='{{.Repository}}' RESTIC_PASSWORD_FILE={{.RepositoryPath}}/password
export AWS_SHARED_CREDENTIALS_FILE={{.RepositoryPath}}/credentials RESTIC_CACHE_DIR=/tmp/restic RESTIC_PROGRESS_FPS=0.1
{{- with .AuthorityFile}}
export RESTIC_CACERT={{.}}
{{- end}}

# The first process of a container hears nothing of its end otherwise.
trap 'exit 143' TERM

say() { echo "$*" >&2; }

fail() {
	say "$1"
	exit 1
}
{{- if not .HasBinlog}}
[ -z "${AT:-}" ] || fail "AT is ${AT:0:100}, and there is no binary log to go by: set wordpress:backup.binlog.enabled for what comes after that. Nothing was done"
{{- end}}

# measure hands lines with a name and a number to the metrics gateway, if there is one. What it does not take, nobody misses but the alerts.
measure() {
{{- if .GatewayHost}}
	local text
	text=$(awk '{ print "# TYPE " $1 " gauge\n" $1 " " $2 }')$'\n'
	timeout 10 bash -c 'exec 3<>/dev/tcp/{{.GatewayHost}}/{{.GatewayPort}} &&
		printf "POST /metrics/job/wordpress-backup/task/%s HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s" "$1" "${#2}" "$2" >&3 && head -n 1 <&3' post "$task" "$text" 2>/dev/null |
		grep -q ' 20' || say "the metrics gateway did not take the result"
{{- else}}
	cat >/dev/null
{{- end}}
}

# watch has it known when a script fails. $1 is the task that it does.
watch() {
	task=$1
	trap '[ $? = 0 ] || measure <<<"wordpress_backup_last_failure_timestamp_seconds $(date +%s)"' EXIT
}

# succeeded tells of a task that came to its end, with further lines from standard input.
succeeded() { { echo "wordpress_backup_last_success_timestamp_seconds $(date +%s)"; cat; } | measure; }

# How long other work on the repository is waited for. Who only reads takes no lock, for which a key of the storage would have to write.
locks=(--retry-lock {{.LockMinutes}}m)

# once runs restic, and hands on the signal by which a pod is told to go: restic takes back its lock then.
once() {
	{{.ToolPath}}/restic "${locks[@]}" "$@" &
	local child=$! status=0
	trap 'kill -TERM $child 2>/dev/null || true' TERM
	wait "$child" || status=$?
	# The signal ends the waiting, and restic a moment later.
	while kill -0 "$child" 2>/dev/null; do
		status=0
		wait "$child" || status=$?
	done
	trap 'exit 143' TERM
	return "$status"
}

# restic takes a lock away that nobody renews any more, of a pod that died, where waiting has not helped.
restic() {
	local status=0
	once "$@" || status=$?
	if [ "$status" = {{.Locked}} ]; then
		{{.ToolPath}}/restic unlock >&2
		status=0
		once "$@" || status=$?
	fi
	return "$status"
}

# tidy lets go what need not be kept any more, which whoever comes next can do as well: nothing waits for it as long as a lock may last that
# somebody has left who died.
tidy() {
	local locks=(--retry-lock {{.TidySeconds}}s)
	restic forget "$@" >/dev/null
}

# reach asks the repository first, with a time limit: restic itself tries one that does not answer, or does not take the key, for a quarter
# of an hour without a word. $1 is "create" where a repository that is not there yet is made, and "read" where nothing is written to it.
reach() {
	local status=0 where=$RESTIC_REPOSITORY said
	timeout {{.ContactSeconds}} {{.ToolPath}}/restic --no-lock cat config >/tmp/contact 2>&1 || status=$?
	said=$({ grep -m 1 '^Fatal:' /tmp/contact || tail -n 1 /tmp/contact; } | cut -c 1-300)
	case $status in
	0) ;;
	10)
		[ "${1:-}" = create ] || fail "there is no repository at $where: nothing has been backed up there yet, or wordpress:backup.repository names another place"
		say "there is no repository at $where yet: it is made, and holds nothing of before"
		timeout {{.ContactSeconds}} {{.ToolPath}}/restic init >/tmp/contact 2>&1 || fail "no repository can be made at $where: $({ grep -m 1 '^Fatal:' /tmp/contact || tail -n 1 /tmp/contact; } | cut -c 1-300)"
		;;
	12) fail "the password is not that of the repository at $where: wordpress:backupPassword must be the one that it was made with" ;;
	124) fail "the repository at $where did not answer within {{.ContactSeconds}} s: is the address right, does wordpress:backup.destination let pods reach it, are the credentials good? The last that was heard: ${said:-nothing}" ;;
	*) fail "the repository at $where cannot be read: $said" ;;
	esac
	[ "${1:-}" = read ] || {{.ToolPath}}/restic unlock >&2
}

# credentials writes the options with which MySQL's clients log in as $1 with the password in file $2.
credentials() {
	local password
	password=$(cat "$2")
	password=${password//\\/\\\\}
	password=${password//\"/\\\"}
	printf '[client]\nuser="%s"\npassword="%s"\nhost={{.DatabaseHost}}\nport={{.DatabasePort}}\ndefault-character-set=utf8mb4\nmax-allowed-packet=1G\n' \
		"$1" "$password" >/tmp/client.cnf
{{- if .DatabaseCAs}}
	local authorities
	for authorities in {{.DatabaseCAs}}; do
		if [ -e "$authorities" ]; then
			printf 'ssl-mode=VERIFY_IDENTITY\nssl-ca=%s\n' "$authorities" >>/tmp/client.cnf
			return
		fi
	done
	fail "none of {{.DatabaseCAs}} is there, and the server's certificate is to be looked at: give its authorities in wordpress:database.tls.caBundle"
{{- else if .DatabaseHasTLS}}
	echo 'ssl-mode=REQUIRED' >>/tmp/client.cnf
{{- end}}
}

# What is read from a dump or made of names is no command of the client's, and waits for no lock that others wait behind.
sql() {
	mysql --defaults-extra-file=/tmp/client.cnf --connect-timeout=10 --init-command='SET SESSION lock_wait_timeout = {{.LockSeconds}}' --binary-mode \
		--batch --raw --skip-column-names "$@"
}

# whole passes a dump on, and fails where it does not end as a whole one does: one that was cut after a statement restores without an error.
whole() { awk '{ print; last = $0 } END { exit last !~ /^-- Dump completed/ }'; }

# without_definers passes a dump on that whoever loads it defines: MySQL lets nobody define for another. Data is in lines of their own.
without_definers() { sed -E '/^INSERT INTO /!s/ DEFINER=`[^`]*`@`[^`]*`//'; }

# run_time is when the run in $1 was made, as restic and date take it.
run_time() { echo "${1:4:4}-${1:8:2}-${1:10:2} ${1:13:2}:${1:15:2}:${1:17:2}"; }

# snapshot makes one of the run. $1 is the kind, the rest are restic's arguments.
snapshot() {
	local kind=$1 run status=0
	shift
	run=$(cat {{.SharedPath}}/run)
	restic backup --host {{.Host}} --tag "$kind,$run" --time "$(run_time "$run")" "$@" >/tmp/saved || status=$?
	cat /tmp/saved >&2
	[ "$status" = 0 ] || return "$status"
	sed -n 's/^snapshot \([0-9a-f]*\) saved.*/\1/p' /tmp/saved >{{.SharedPath}}/"$kind"
	[ -s {{.SharedPath}}/"$kind" ] || fail "restic did not tell the number of its snapshot"
}

# complete has the run count, by a snapshot of its own that names the others: until it is there, nothing of the run is restored. $1 is how it
# counts: complete, before for what was there before a restore, which is no night's, or imported for what came from another host.
complete() {
	local run tags kind
	run=$(cat {{.SharedPath}}/run)
	tags="$1,$run,at-{{.SiteURL}}"
	for kind in{{range .Kinds}} {{.}}{{end}}; do
		tags="$tags,$kind-$(cat {{.SharedPath}}/"$kind")"
	done
{{- if .HasBinlog}}
	[ ! -s {{.SharedPath}}/held ] || tags="$tags,$(cat {{.SharedPath}}/held)"
{{- end}}
	restic backup --host {{.Host}} --tag "$tags" --time "$(run_time "$run")" --stdin-filename run --stdin-from-command -- cat {{.SharedPath}}/run >/dev/null
}

# listed prints a line for each snapshot, the oldest first: its number, its bytes and its tags.
listed() {
	restic snapshots --host {{.Host}} --json | sed 's/},{"time"/}\n{"time"/g' | awk '{
		number = tags = ""
		bytes = 0
		if (match($0, /"short_id":"[0-9a-f]+"/)) number = substr($0, RSTART + 12, RLENGTH - 13)
		if (match($0, /"total_bytes_processed":[0-9]+/)) bytes = substr($0, RSTART + 24, RLENGTH - 24)
		if (match($0, /"tags":\[[^]]*\]/)) tags = substr($0, RSTART + 8, RLENGTH - 9)
		gsub(/"/, "", tags)
		gsub(/,/, " ", tags)
		if (number != "") print number, bytes, tags
	}'
}

# newest is the newest complete run. Empty: there is none.
newest() {
	listed | awk '{ run = ""; is = 0; for (i = 3; i <= NF; i++) { if ($i == "complete") is = 1; if ($i ~ /^run-/) run = $i } if (is) print run }' | sort | tail -n 1
}

# choose a run, which counts. $1 is its name.
choose() {
	listed | awk -v run="$1" '{ is = here = 0; for (i = 3; i <= NF; i++) { if ($i ~ /^(complete|before|imported)$/) is = 1; if ($i == run) here = 1 } if (is && here) print }' |
		tail -n 1 >/tmp/chosen
	[ -s /tmp/chosen ] || fail "there is no complete run $1: take SNAPSHOT=latest, or one that make backups lists"
}

# chosen is what the run that was chosen has of a kind: the number of a snapshot, or at which address the site was.
chosen() { awk -v kind="$1-" '{ for (i = 3; i <= NF; i++) if (index($i, kind) == 1) print substr($i, length(kind) + 1) }' /tmp/chosen; }

# choose_run chooses the one that SNAPSHOT names, and sets run, dump and files.
choose_run() {
	run=run-${SNAPSHOT#run-}
	if [ "$SNAPSHOT" = latest ]; then
		run=$(newest)
		[ -n "$run" ] || fail "no run of the backup is complete"
	fi
	choose "$run"
	dump=$(chosen database)
{{- if .HasContent}}
	files=$(chosen content)
	[ -n "$files" ] || fail "$run has no wp-content: it was made with wordpress:backup.content.enabled false, which must be set to restore it"
{{- else}}
	[ -z "$(chosen content)" ] || fail "$run has wp-content, and wordpress:backup.content.enabled is false: its database without its files is no site"
{{- end}}
}
