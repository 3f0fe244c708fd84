#!/bin/bash
# Makes a run of the backup of the site that was loaded, and whose links lead here by now. What is saved is a dump of this server's own.
. {{.ScriptsPath}}/common.sh
reach create
date +run-%Y%m%dT%H%M%SZ >{{.SharedPath}}/run
snapshot database --stdin-filename {{.DumpName}} --stdin-from-command -- bash {{.ScriptsPath}}/dump-imported.sh || fail "the database was not saved: what mysqldump and restic said is above"
{{- if .HasContent}}
snapshot content {{.ContentPath}}/wp-content || fail "wp-content was not saved: what restic said is above"
{{- end}}
complete imported
tidy --host {{.Host}} --tag imported --group-by host --keep-last {{.KeepImported}} || true
say "$(cat {{.SharedPath}}/run) is that site. It takes the place of the one that is here with: make restore SNAPSHOT=$(cat {{.SharedPath}}/run)"
