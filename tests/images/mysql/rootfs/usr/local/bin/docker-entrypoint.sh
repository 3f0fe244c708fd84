#!/usr/bin/env bash
# Starts the MySQL server and, where the data directory holds no database yet, initialises it first.
#
# It is as unsafe as the official image's entrypoint, on purpose, so that what protects from that is tried: the data directory is
# filled in place, and from the moment when it has a folder named mysql it is taken for a complete database. A start that is killed
# after that leaves a server without its accounts; one that is killed before leaves files that keep every later start from
# initialising. Passwords and names are put into SQL as they are.
set -eo pipefail
shopt -s nullglob

log() {
	printf '%s [entrypoint] %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" >&2
}

die() {
	log "error: $*"
	exit 1
}

# read_setting NAME [DEFAULT] takes $NAME, or the contents of the file that $NAME_FILE names, out of the environment
# and exports the variable, as the official image does: what runs from here on inherits it.
read_setting() {
	local name=$1 file_name=$1_FILE value=${!1:-}
	local file=${!file_name:-}
	if [[ -n $value && -n $file ]]; then
		die "$name and $file_name are both set: keep one of them"
	fi
	if [[ -n $file ]]; then
		[[ -r $file ]] || die "$file_name: $file cannot be read"
		value=$(<"$file")
	fi
	unset "$file_name"
	export "$name=${value:-${2:-}}"
}

read_settings() {
	read_setting MYSQL_ROOT_HOST %
	read_setting MYSQL_DATABASE
	read_setting MYSQL_USER
	read_setting MYSQL_PASSWORD
	read_setting MYSQL_ROOT_PASSWORD
}

# read_server_config asks the server for the settings that are in force with its arguments and configuration files;
# it also finds out whether the server accepts them.
read_server_config() {
	local help
	if ! help=$("$@" --verbose --help 2>&1); then
		die "the server refuses its configuration: $help"
	fi
	DATADIR=$(config_value datadir <<<"$help")
	DATADIR=${DATADIR%/}
	SOCKET=$(config_value socket <<<"$help")
	[[ -n $DATADIR && -n $SOCKET ]] || die "the server names no data directory or no socket: set datadir and socket"
}

# config_value NAME finds NAME in the table that ends the server's help text.
config_value() {
	awk -v name="$1" '$1 == name && /^[a-z]/ { sub(/^[^ ]+ +/, ""); value = $0 } END { print value }'
}

# make_folders makes the folders that the server needs. Those that root owns become the mysql user's, who is the one to go on.
make_folders() {
	mkdir -p "$DATADIR" "$(dirname "$SOCKET")"
	if [[ $(id -u) == 0 ]]; then
		find "$DATADIR" "$(dirname "$SOCKET")" ! -user mysql -exec chown --no-dereference mysql:mysql {} +
		exec setpriv --reuid=mysql --regid=mysql --init-groups -- "${BASH_SOURCE[0]}" "$@"
	fi
}

check_settings() {
	if [[ -z $MYSQL_ROOT_PASSWORD && -z ${MYSQL_ALLOW_EMPTY_PASSWORD:-} && -z ${MYSQL_RANDOM_ROOT_PASSWORD:-} ]]; then
		die "$DATADIR holds no database yet and there is no password for root: set MYSQL_ROOT_PASSWORD_FILE," \
			"MYSQL_ROOT_PASSWORD, MYSQL_RANDOM_ROOT_PASSWORD=yes or MYSQL_ALLOW_EMPTY_PASSWORD=yes"
	fi
	if [[ $MYSQL_USER == root ]]; then
		die "MYSQL_USER is root, which always exists: name another user or leave MYSQL_USER out"
	fi
	if [[ -n $MYSQL_USER && -z $MYSQL_PASSWORD ]]; then
		log "MYSQL_USER is $MYSQL_USER, but there is no password: the user is not created"
	fi
}

# client_options writes an options file; the client reads it from a pipe, so that no password is an argument.
client_options() {
	if [[ -n $ROOT_LOGIN ]]; then
		printf '[client]\npassword="%s"\n' "$ROOT_LOGIN"
	fi
}

# docker_process_sql [CLIENT OPTIONS] runs the SQL on its standard input as root. The name is the official image's:
# scripts in /docker-entrypoint-initdb.d call it.
docker_process_sql() {
	local database=()
	[[ -z $MYSQL_DATABASE ]] || database=(--database="$MYSQL_DATABASE")
	mysql --defaults-extra-file=<(client_options) --protocol=socket --user=root --host=localhost --socket="$SOCKET" \
		--comments "${database[@]}" "$@"
}

# start_private_server starts a server in the background that listens on its socket alone; it returns when that answers.
start_private_server() {
	"$@" --daemonize --skip-networking --default-time-zone=SYSTEM --socket="$SOCKET" ||
		die "the server does not start for the initialisation: its messages are above"
}

stop_private_server() {
	mysqladmin --defaults-extra-file=<(client_options) --user=root --socket="$SOCKET" shutdown ||
		die "the server of the initialisation does not stop"
}

load_time_zones() {
	[[ -z ${MYSQL_INITDB_SKIP_TZINFO:-} ]] || return 0
	mysql_tzinfo_to_sql /usr/share/zoneinfo 2>/dev/null | docker_process_sql --database=mysql
}

choose_root_password() {
	[[ -n ${MYSQL_RANDOM_ROOT_PASSWORD:-} ]] || return 0
	MYSQL_ROOT_PASSWORD=$(head --bytes=24 /dev/urandom | base64)
	export MYSQL_ROOT_PASSWORD
	log "root's password is $MYSQL_ROOT_PASSWORD"
}

# set_root_passwords is one session, so that either both of root's accounts have the password or the later steps fail.
set_root_passwords() {
	local elsewhere=
	if [[ -n $MYSQL_ROOT_HOST && $MYSQL_ROOT_HOST != localhost ]]; then
		elsewhere="CREATE USER 'root'@'$MYSQL_ROOT_HOST' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
			GRANT ALL ON *.* TO 'root'@'$MYSQL_ROOT_HOST' WITH GRANT OPTION;"
	fi
	docker_process_sql --database=mysql <<-SQL
		SET autocommit = 1;
		SET SESSION sql_log_bin = 0;
		ALTER USER 'root'@'localhost' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
		GRANT ALL ON *.* TO 'root'@'localhost' WITH GRANT OPTION;
		$elsewhere
	SQL
	ROOT_LOGIN=$MYSQL_ROOT_PASSWORD
}

# create_account makes the database and its user, each step in a session of its own.
create_account() {
	if [[ -n $MYSQL_DATABASE ]]; then
		docker_process_sql --database=mysql <<<"CREATE DATABASE IF NOT EXISTS \`$MYSQL_DATABASE\`;"
	fi
	[[ -n $MYSQL_USER && -n $MYSQL_PASSWORD ]] || return 0
	docker_process_sql --database=mysql <<<"CREATE USER '$MYSQL_USER'@'%' IDENTIFIED BY '$MYSQL_PASSWORD';"
	if [[ -n $MYSQL_DATABASE ]]; then
		# In a grant an underscore stands for any character unless it is escaped.
		docker_process_sql --database=mysql <<<"GRANT ALL ON \`${MYSQL_DATABASE//_/\\_}\`.* TO '$MYSQL_USER'@'%';"
	fi
}

run_init_files() {
	local file
	for file in /docker-entrypoint-initdb.d/*; do
		log "running $file"
		case $file in
		*.sql) docker_process_sql <"$file" ;;
		*.sql.gz) gunzip --stdout "$file" | docker_process_sql ;;
		*.sh) run_init_script "$file" ;;
		*) log "ignored $file: only .sh, .sql and .sql.gz are run" ;;
		esac
	done
}

# run_init_script runs an executable script as a process of its own; any other shares this shell's variables.
run_init_script() {
	if [[ -x $1 ]]; then
		"$1"
	else
		# shellcheck source=/dev/null
		. "$1"
	fi
}

# expire_root has root choose a password at the first log-in.
expire_root() {
	[[ -n ${MYSQL_ONETIME_PASSWORD:-} ]] || return 0
	docker_process_sql --database=mysql <<<"ALTER USER 'root'@'%' PASSWORD EXPIRE;"
}

# initialize makes the database in its place.
initialize() {
	check_settings
	log "initialising $DATADIR"
	"$@" --initialize-insecure --default-time-zone=SYSTEM
	start_private_server "$@"
	ROOT_LOGIN='' # until set_root_passwords, root has none
	load_time_zones
	choose_root_password
	set_root_passwords
	create_account
	run_init_files
	expire_root
	stop_private_server
	log "initialised $DATADIR"
}

# only_informs tells whether the server would print something and end.
only_informs() {
	local argument
	for argument; do
		case $argument in
		-\? | --help | --print-defaults | -V | --version) return 0 ;;
		esac
	done
	return 1
}

main() {
	if [[ ${1:-} == -* ]]; then
		set -- mysqld "$@"
	fi
	if [[ ${1:-} == mysqld ]] && ! only_informs "$@"; then
		read_server_config "$@"
		make_folders "$@"
		read_settings
		if [[ ! -d $DATADIR/mysql ]]; then
			initialize "$@"
		fi
	fi
	exec "$@"
}

main "$@"
