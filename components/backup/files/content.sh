#!/bin/bash
# Saves wp-content. The run is complete then, and what is older than it is to be kept goes.
. {{.ScriptsPath}}/common.sh
[ "${SAVE:-yes}" = yes ] || exit 0
[ "${MARK:-complete}" = before ] || watch backup
say "$(cat {{.SharedPath}}/run): wp-content"
save() {
	snapshot content {{range .Excludes}}--exclude '{{$.ContentPath}}/wp-content/{{.}}' {{end}}{{.ContentPath}}/wp-content
}
status=0
save || status=$?
if [ "$status" = 3 ]; then
	say "files went away, or could not be read, while they were being saved: once more"
	status=0
	save || status=$?
fi
[ "$status" = 0 ] || fail "wp-content was not saved: restic ended with status $status, and what it said is above"
# The database of one time and the files of another are no site.
swapped=$(cat {{.ContentPath}}/.restore/swapped 2>/dev/null || echo never)
[ "$swapped" = "$(cat {{.SharedPath}}/swapped)" ] || fail "a restore came in between: the next run saves what is there now"
[ "${MARK:-complete}" = before ] || [ ! -e {{.ContentPath}}/.restore/swapping ] || fail "a restore is under way: the next run saves what is there then"
{{- template "ends" .}}
