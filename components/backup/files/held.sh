{{define "held"}}# What the dump is sure to hold of the binary log, whose transactions have numbers. What comes while it begins is replayed a second time.
credentials "$DUMP_USER" "$DUMP_PASSWORD_FILE"
held=$(sql -e "SELECT IF(@@GLOBAL.log_bin, REPLACE(REPLACE(@@GLOBAL.gtid_executed, ',', '+'), '\n', ''), '')") ||
	fail "MySQL did not tell how far its binary log is: see above$way_out"{{end}}
