#!/bin/bash
# Writes the site's database to standard output. restic runs this itself, and saves nothing where it fails: what comes by a pipe it takes for
# whole, however early it ended.
. {{.ScriptsPath}}/common.sh
credentials "$DUMP_USER" "$DUMP_PASSWORD_FILE"
# No position in the binary log and no lock: FLUSH TABLES beside one long query stops all reads of its table.
mysqldump --defaults-extra-file=/tmp/client.cnf {{template "dumped" .}} \
	--ignore-table='{{.Database}}.{{.BootstrapMarker}}' '{{.Database}}' | whole
{{define "dumped"}}--single-transaction --quick --skip-lock-tables --set-gtid-purged=OFF --no-tablespaces \
	--skip-dump-date --hex-blob --routines --events --triggers --loose-skip-masking-policies --loose-column-statistics=0{{end}}
