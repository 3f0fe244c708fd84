#!/bin/bash
# Writes the database that was brought here to standard output. restic runs this itself, as it does dump.sh.
. {{.ScriptsPath}}/common.sh
mysqldump --no-defaults --user=root --socket={{.DrillPath}}/mysql.sock --default-character-set=utf8mb4 --max-allowed-packet=1G {{template "dumped" .}} imported | whole
