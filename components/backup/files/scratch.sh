{{define "scratch"}}# A MySQL of this pod's own, which nobody else reaches.
server=
options=(--no-defaults --datadir={{.DrillPath}}/mysql --socket={{.DrillPath}}/mysql.sock --log-error={{.DrillPath}}/mysqld.log --skip-networking --mysqlx=OFF --skip-log-bin --secure-file-priv=NULL
	--character-set-server=utf8mb4 --collation-server=utf8mb4_unicode_ci --event-scheduler=DISABLED
	--performance-schema=OFF --innodb-buffer-pool-size=128M --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=OFF --max-allowed-packet=1G)
# As in sql: what is in a dump is no command of the client's.
own() { mysql --no-defaults --binary-mode --max-allowed-packet=1G --user=root --socket={{.DrillPath}}/mysql.sock --default-character-set=utf8mb4 --batch --raw --skip-column-names "$@"; }

# serve starts it, with an empty database of the name.
serve() {
	mkdir -p {{.DrillPath}}/mysql
	mysqld "${options[@]}" --initialize-insecure || fail "a MySQL of this pod's own could not be made: $(tail -n 3 {{.DrillPath}}/mysqld.log)"
	mysqld "${options[@]}" &
	server=$!
	until own -e "CREATE DATABASE \`$1\` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci" 2>/tmp/refused; do
		kill -0 "$server" 2>/dev/null || fail "the MySQL of this pod ended: $(tail -n 3 {{.DrillPath}}/mysqld.log)"
		sleep 0.2
	done
}{{end}}
