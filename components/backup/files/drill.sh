#!/bin/bash
# Restores the newest run into a MySQL of its own, with none of the site's passwords, and looks whether the site is in it.
. {{.ScriptsPath}}/common.sh
began=$(date +%s) reached= incomplete= run= age=0 posts=0 users=0 there=0 uploads=0 missing=0 verified=0
{{template "scratch" .}}

: >/tmp/problems
problem() { say "$*" && echo "$*" >>/tmp/problems; }
fail() {
	problem "$1"
	exit 1
}

# told leaves the result in the repository, where a list of the backups finds it, whatever ended the drill.
told() {
	local status=$? reason kind passed=true tags="drill,drill-passed,posts-$posts"
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	if [ "$status" != 0 ]; then
		passed=false tags=drill,drill-failed
		[ -s /tmp/problems ] || echo "it came to no end: see the log of the drill" >/tmp/problems
	fi
	reason=$(tr '\n' ';' </tmp/problems | tr -d '"\\\000-\037' | cut -c 1-500)
	printf '{"run":"%s","passed":%s,"reason":"%s","seconds":%d,"ageSeconds":%d,"posts":%d,"users":%d,"tables":%d,"uploads":%d,"missingUploads":%d,"verifiedFiles":%d}\n' \
		"$run" "$passed" "${reason%;}" $(($(date +%s) - began)) "$age" "$posts" "$users" "$there" "$uploads" "$missing" "$verified" >/tmp/drill.json
	if [ -n "$reached" ]; then
		restic backup --host {{.Host}} --tag "$tags" --stdin-filename {{.DrillName}} --stdin-from-command -- cat /tmp/drill.json >/dev/null || true
		# The last one that passed stays however many fail.
		for kind in drill-passed drill-failed; do
			tidy --host {{.Host}} --tag "$kind" --group-by host --keep-last {{.KeepDrills}} || true
		done
	fi
	task=drill
	if [ "$status" = 0 ]; then
		succeeded <<-END
			wordpress_backup_drill_seconds $(($(date +%s) - began))
			wordpress_backup_drill_posts $posts
			wordpress_backup_drill_missing_uploads $missing
		END
		say "the drill passed: $run, $((age / 3600)) h old, was restored in $(($(date +%s) - began)) s: $there tables, $posts posts, $users users, $uploads uploads of which $missing are missing, $verified files read and compared"
	else
		measure <<<"wordpress_backup_last_failure_timestamp_seconds $(date +%s)"
		say "THE DRILL FAILED${run:+ with $run}: ${reason%;}"
	fi
}

trap told EXIT
reach
reached=1
run=$(newest)
[ -n "$run" ] || fail "no run of the backup is complete"
age=$(($(date +%s) - $(date -d "$(run_time "$run")" +%s)))
if [ "$MAX_AGE_SECONDS" -gt 0 ] && [ "$age" -gt "$MAX_AGE_SECONDS" ]; then
	problem "the newest complete run, $run, is $((age / 3600)) h old, and may be $((MAX_AGE_SECONDS / 3600)) h"
fi
SNAPSHOT=$run
choose_run
[ "$(chosen at)" = '{{.SiteURL}}' ] || problem "$run is of the site $(chosen at), and this is {{.SiteURL}}"
# What the last drill found that passed.
before=$(restic snapshots --host {{.Host}} --tag drill-passed --latest 1 --json | { grep -o '"posts-[0-9]*"' || true; } | tr -dc 0-9)

serve drill
restic dump "$dump" /{{.DumpName}} | whole | without_definers | own drill 2>/tmp/refused || fail "the dump of $run could not be read to its end: $(tail -n 1 /tmp/refused)"
say "the database of $run is there"

there=$(own -e "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'drill' AND TABLE_TYPE = 'BASE TABLE'")
for table in commentmeta comments links options postmeta posts term_relationships term_taxonomy termmeta terms usermeta users; do
	[ "$(own -e "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'drill' AND TABLE_NAME = '{{.TablePrefix}}$table'")" = 1 ] ||
		{ problem "the table {{.TablePrefix}}$table is missing"; incomplete=1; }
done
[ -z "$incomplete" ] || exit 1
own -e "SELECT CONCAT('CHECK TABLE \`', REPLACE(TABLE_NAME, '\`', '\`\`'), '\`;') FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'drill' AND TABLE_TYPE = 'BASE TABLE'" |
	own drill | awk -F '\t' '$3 == "error" || $3 == "status" && $4 != "OK" { print $1 ": " $4 }' >/tmp/damaged
[ ! -s /tmp/damaged ] || problem "MySQL finds damage: $(tr '\n' ' ' </tmp/damaged)"
{{- if .HasBinlog}}
own -e "SELECT TABLE_NAME FROM information_schema.TABLES t WHERE TABLE_SCHEMA = 'drill' AND TABLE_TYPE = 'BASE TABLE' AND NOT EXISTS (SELECT 1 FROM information_schema.TABLE_CONSTRAINTS c
	WHERE c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME AND CONSTRAINT_TYPE = 'PRIMARY KEY') ORDER BY 1" >/tmp/keyless
[ ! -s /tmp/keyless ] || say "without a primary key, so that a restore to a second may have rows of it twice: $(tr '\n' ' ' </tmp/keyless)"
{{- end}}
users=$(own drill -e "SELECT COUNT(*) FROM {{.TablePrefix}}users")
[ "$users" -gt 0 ] || problem "it has no user"
posts=$(own drill -e "SELECT COUNT(*) FROM {{.TablePrefix}}posts WHERE post_status = 'publish'")
[ "$posts" -ge "$MINIMUM_POSTS" ] || problem "it has $posts published posts and pages, and wordpress:backup.drill.minimumPosts are $MINIMUM_POSTS"
[ $((posts * 10)) -ge $((${before:-0} * 9)) ] || problem "it has $posts published posts and pages, and the last drill found ${before:-0}"
{{- if .HasContent}}

restic ls "$files" --recursive {{.ContentPath}}/wp-content >/tmp/files
folder=$(own drill -e "SELECT option_value FROM {{.TablePrefix}}options WHERE option_name = 'upload_path'")
own drill -e "SELECT DISTINCT meta_value FROM {{.TablePrefix}}postmeta WHERE meta_key = '_wp_attached_file' AND meta_value NOT LIKE 'http%'" | sort >/tmp/wanted
uploads=$(wc -l </tmp/wanted)
if [ -z "$folder" ] || [ "$folder" = wp-content/uploads ]; then
	sed -n 's|^{{.ContentPath}}/wp-content/uploads/||p' /tmp/files | sort >/tmp/uploads
	comm -23 /tmp/wanted /tmp/uploads >/tmp/missing
	missing=$(wc -l </tmp/missing)
	[ "$missing" -le "$MISSING_UPLOADS" ] || problem "$missing uploads that the database has are not in wp-content, such as $(head -n 1 /tmp/missing), and wordpress:backup.drill.missingUploads are $MISSING_UPLOADS"
fi
# Names that are no patterns.
restic ls "$files" --long --recursive {{.ContentPath}}/wp-content | awk '/^-/' | sed 's|^[^/]*{{.ContentPath}}/wp-content||' | grep -v '[][*?\\$!#]' | shuf -n {{.SampleFiles}} >/tmp/sample || true
if [ -s /tmp/sample ]; then
	restic restore "$files:{{.ContentPath}}/wp-content" --target {{.DrillPath}}/files --include-file /tmp/sample --verify >/tmp/restored 2>&1 ||
		problem "files of wp-content could not be read: $(tail -n 2 /tmp/restored | tr '\n' ' ')"
	shopt -s globstar dotglob nullglob
	for file in {{.DrillPath}}/files/**; do [ ! -f "$file" ] || verified=$((verified + 1)); done
	[ "$verified" = "$(wc -l </tmp/sample)" ] || problem "of $(wc -l </tmp/sample) files of wp-content, $verified came"
fi
{{- end}}
[ ! -s /tmp/problems ] || exit 1
