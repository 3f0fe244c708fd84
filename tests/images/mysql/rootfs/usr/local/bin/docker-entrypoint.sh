#!/usr/bin/env bash
# Starts the MySQL server and, on an empty data directory, initialises it first.
#
# Initialisation is atomic. It fills a staging directory on the data volume; one rename declares that directory
# complete; only then do its files move to their place. A start that is killed at any moment leaves either nothing
# but staging, which the next start throws away, or a complete database, which the next start finishes moving.
set -euo pipefail
shopt -s nullglob

# No leading dot: InnoDB finds no tablespace in a hidden directory.
readonly STAGING=entrypoint-staging   # being filled: worthless
readonly COMPLETE=entrypoint-complete # to be moved up into the data directory

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
		[[ -n $value ]] || die "$file_name: $file is empty"
	fi
	unset "$file_name"
	export "$name=${value:-${2:-}}"
}

read_settings() {
	read_setting MYSQL_ROOT_PASSWORD
	read_setting MYSQL_ROOT_HOST %
	read_setting MYSQL_DATABASE
	read_setting MYSQL_USER
	read_setting MYSQL_PASSWORD
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

# become_mysql hands what root owns to the mysql user and starts over as that user.
become_mysql() {
	mkdir -p "$DATADIR" "$(dirname "$SOCKET")"
	find "$DATADIR" "$(dirname "$SOCKET")" ! -user mysql -exec chown --no-dereference mysql:mysql {} +
	exec setpriv --reuid=mysql --regid=mysql --init-groups -- "${BASH_SOURCE[0]}" "$@"
}

check_settings() {
	if [[ -z $MYSQL_ROOT_PASSWORD && -z ${MYSQL_ALLOW_EMPTY_PASSWORD:-} ]]; then
		die "$DATADIR holds no database yet and there is no password for root:" \
			"set MYSQL_ROOT_PASSWORD_FILE, MYSQL_ROOT_PASSWORD or MYSQL_ALLOW_EMPTY_PASSWORD=yes"
	fi
	if [[ $MYSQL_USER == root ]]; then
		die "MYSQL_USER is root, which always exists: name another user or leave MYSQL_USER out"
	fi
	if [[ -n $MYSQL_USER && -z $MYSQL_PASSWORD ]]; then
		die "MYSQL_USER is $MYSQL_USER, but there is no password: set MYSQL_PASSWORD_FILE or MYSQL_PASSWORD"
	fi
}

# check_empty refuses a directory with foreign files, as the server itself would: the usual one is lost+found.
check_empty() {
	local found
	found=$(find "$DATADIR" -mindepth 1 -maxdepth 1 ! -name "$STAGING" -printf '%f ')
	[[ -z $found ]] || die "$DATADIR holds no database but is not empty ($found): mount a sub-path of the volume"
}

# escape TEXT CHARACTER... puts a backslash before every backslash and every one of the characters.
escape() {
	local text=$1 character
	shift
	for character in \\ "$@"; do
		text=${text//"$character"/\\"$character"}
	done
	printf %s "$text"
}

sql_string() {
	printf "'%s'" "$(escape "$1" "'")"
}

sql_identifier() {
	# shellcheck disable=SC2016 # the backquotes are SQL's
	printf '`%s`' "${1//\`/\`\`}"
}

# client_options writes an options file; the client reads it from a pipe, so that no password is an argument.
client_options() {
	printf '[client]\nuser=root\n'
	if [[ -n $ROOT_LOGIN ]]; then
		printf 'password="%s"\n' "$(escape "$ROOT_LOGIN" '"')"
	fi
}

# docker_process_sql [CLIENT OPTIONS] runs the SQL on its standard input as root. The name is the official image's:
# scripts in /docker-entrypoint-initdb.d call it.
docker_process_sql() {
	local database=()
	[[ -z $MYSQL_DATABASE ]] || database=(--database="$MYSQL_DATABASE")
	mysql --defaults-extra-file=<(client_options) --protocol=socket --socket="$SOCKET" \
		--default-character-set=utf8mb4 --comments "${database[@]}" "$@"
}

# start_private_server starts a server that listens on its socket alone and waits until it answers.
start_private_server() {
	"$@" --datadir="$DATADIR/$STAGING" --skip-networking --loose-mysqlx=OFF &
	server=$!
	until mysqladmin --no-defaults --user=root --socket="$SOCKET" ping >/dev/null 2>&1; do
		kill -0 "$server" 2>/dev/null || die "the server ended during initialisation: its messages are above"
		sleep 0.1
	done
}

stop_private_server() {
	kill -TERM "$server"
	wait "$server" || die "the server failed while it was stopped after initialisation: its messages are above"
}

# accounts_sql is run with an empty sql_mode, in which a backslash escapes within a string.
accounts_sql() {
	echo "SET SESSION sql_mode = '';"
	echo "SET SESSION sql_log_bin = 0;" # a replica has a root of its own
	echo "ALTER USER 'root'@'localhost' IDENTIFIED BY $(sql_string "$MYSQL_ROOT_PASSWORD");"
	if [[ $MYSQL_ROOT_HOST != localhost ]]; then
		local root
		root="'root'@$(sql_string "$MYSQL_ROOT_HOST")"
		echo "CREATE USER $root IDENTIFIED BY $(sql_string "$MYSQL_ROOT_PASSWORD");"
		echo "GRANT ALL ON *.* TO $root WITH GRANT OPTION;"
	fi
	echo "SET SESSION sql_log_bin = 1;"
	if [[ -n $MYSQL_DATABASE ]]; then
		echo "CREATE DATABASE IF NOT EXISTS $(sql_identifier "$MYSQL_DATABASE");"
	fi
	if [[ -n $MYSQL_USER ]]; then
		local user
		user="$(sql_string "$MYSQL_USER")@'%'"
		echo "CREATE USER $user IDENTIFIED BY $(sql_string "$MYSQL_PASSWORD");"
		if [[ -n $MYSQL_DATABASE ]]; then
			# In a grant an underscore stands for any character unless it is escaped.
			echo "GRANT ALL ON $(sql_identifier "${MYSQL_DATABASE//_/\\_}").* TO $user;"
		fi
	fi
}

load_time_zones() {
	[[ -z ${MYSQL_INITDB_SKIP_TZINFO:-} ]] || return 0
	mysql_tzinfo_to_sql /usr/share/zoneinfo 2>/dev/null | docker_process_sql --database=mysql
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

# initialize makes the database in the staging directory and moves it to its place.
initialize() {
	check_settings
	check_empty
	rm -rf "${DATADIR:?}/$STAGING"
	mkdir "$DATADIR/$STAGING"

	log "initialising $DATADIR"
	"$@" --datadir="$DATADIR/$STAGING" --initialize-insecure
	start_private_server "$@"
	ROOT_LOGIN='' # until accounts_sql sets it, root has no password
	load_time_zones
	accounts_sql | docker_process_sql --database=mysql
	ROOT_LOGIN=$MYSQL_ROOT_PASSWORD
	run_init_files
	stop_private_server

	sync --file-system "$DATADIR/$STAGING"
	mv --no-target-directory "$DATADIR/$STAGING" "$DATADIR/$COMPLETE"
	adopt
	log "initialised $DATADIR"
}

# adopt moves a complete database up into the data directory, as often as it takes.
adopt() {
	local entry
	for entry in "$DATADIR/$COMPLETE"/* "$DATADIR/$COMPLETE"/.[!.]*; do
		mv --no-target-directory "$entry" "$DATADIR/${entry##*/}"
	done
	rmdir "$DATADIR/$COMPLETE"
}

prepare_database() {
	read_server_config "$@"
	if [[ $(id -u) == 0 ]]; then
		become_mysql "$@"
	fi
	read_settings
	if [[ -d $DATADIR/$COMPLETE ]]; then
		adopt
	elif [[ ! -d $DATADIR/mysql ]]; then
		initialize "$@"
	fi
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
		# As process 1 this shell would ignore these signals.
		trap 'exit 143' TERM INT
		trap 'log "error: line $LINENO: $BASH_COMMAND"' ERR # the text as written here, no values
		prepare_database "$@"
	fi
	exec "$@"
}

main "$@"
