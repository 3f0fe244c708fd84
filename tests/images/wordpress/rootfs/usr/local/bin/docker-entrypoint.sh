#!/usr/bin/env bash
# Puts WordPress into the working directory unless it is there, then becomes the command. As in the official image, a copy that is
# interrupted counts as complete as soon as one file of the core is there.
set -euo pipefail
shopt -s nullglob

readonly SOURCE=/usr/src/wordpress

log() {
	printf '%s\n' "$*" >&2
}

# set_owner names the user and the group that Apache's workers will run as.
set_owner() {
	if [[ $(id -u) == 0 ]]; then
		# Apache also takes a number, written '#1000'.
		owner=${APACHE_RUN_USER:-www-data}
		group=${APACHE_RUN_GROUP:-www-data}
		owner=${owner#\#} group=${group#\#}
	else
		owner=$(id -u) group=$(id -g)
	fi
}

# own changes the owner where that is possible: some network file systems refuse.
own() {
	[[ $(id -u) != 0 ]] || chown "$owner:$group" "$@" || log "the owner of $* stays as it is"
}

# kept_content lists what the site may have changed and a copy must not overwrite: .htaccess, plugins, themes.
kept_content() {
	local path
	for path in "$SOURCE/.htaccess" "$SOURCE"/wp-content/*/*/; do
		path=${path#"$SOURCE/"}
		path=${path%/}
		[[ ! -e $path ]] || printf '%s\n' "./$path"
	done
}

copy_core() {
	log "copying WordPress to $PWD"
	if [[ $(stat --format=%u:%g .) == 0:0 ]]; then
		own .
	fi
	local extract=(--extract)
	if [[ $(id -u) != 0 ]]; then
		# Only the owner of an existing folder may set its mode.
		extract+=(--no-overwrite-dir)
	fi
	tar --create --directory="$SOURCE" --owner="$owner" --group="$group" --exclude-from=<(kept_content) . |
		tar "${extract[@]}"
}

# write_config copies the configuration that reads the environment. Keys and salts that are not set become random.
write_config() {
	local template=$SOURCE/wp-config-docker.php
	[[ ! -s wp-config-docker.php ]] || template=wp-config-docker.php
	log "writing $PWD/wp-config.php from $template"
	awk '
		/put your unique phrase here/ {
			random = "head --bytes=1M /dev/urandom | sha1sum"
			random | getline phrase
			close(random)
			sub(/ .*/, "", phrase)
			gsub(/put your unique phrase here/, phrase)
		}
		{ print }
	' "$template" >wp-config.php
	own wp-config.php
}

install_wordpress() {
	set_owner
	if [[ ! -e index.php && ! -e wp-includes/version.php ]]; then
		copy_core
	fi
	local settings=("${!WORDPRESS_@}")
	if [[ ! -s wp-config.php && ${#settings[@]} -gt 0 ]]; then
		write_config
	fi
}

# Under its second name it installs whatever the command is: that is made for init containers.
if [[ ${1:-} == apache2* || ${1:-} == php-fpm || ${0##*/} == docker-ensure-installed.sh ]]; then
	install_wordpress
fi
exec "$@"
