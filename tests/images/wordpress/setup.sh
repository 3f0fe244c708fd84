# Runs inside the root, after the packages and rootfs/ are in place.

# Debian spreads WordPress over /usr/share, /var/lib and /etc and links to libraries of other packages. Here it becomes
# one tree of real files, as upstream ships it.
site=/usr/src/wordpress
cp --recursive --dereference --no-clobber --preserve=timestamps /usr/share/wordpress/. "$site"
for index in index.php plugins/index.php themes/index.php; do
	[ -e "$site/wp-content/$index" ] || printf '<?php\n// Silence is golden.\n' >"$site/wp-content/$index"
done
rm -rf "$site/wp-config.php" /usr/share/wordpress /var/lib/wordpress /etc/wordpress /usr/share/javascript
links=$(find "$site" -type l)
[ -z "$links" ] || { echo "links are left in $site: $links" >&2; exit 1; }
chown -R www-data:www-data "$site"

# The folder that is served by default; content folders exist so that a volume mounted on one finds the right owner.
rm -rf /var/www/html
install -d -o www-data -g www-data -m 1777 /var/www/html /var/www/html/wp-content
for folder in "$site"/wp-content/*/ cache/; do
	install -d -o www-data -g www-data -m 1777 "/var/www/html/wp-content/$(basename "$folder")"
done

# Every APACHE_ variable can be set from outside the container.
sed --in-place --regexp-extended 's/^export (APACHE_[A-Z_]+)=(.*)$/export \1="${\1:-\2}"/' /etc/apache2/envvars
a2dismod --quiet mpm_event
a2enmod --quiet mpm_prefork rewrite expires remoteip headers
a2disconf --quiet javascript-common
a2enconf --quiet docker-php remoteip
# conf-available/docker-php.conf says which files are PHP.
rm /etc/apache2/mods-enabled/php*.conf
# Behind a proxy the client's address is %a.
sed --in-place --regexp-extended '/LogFormat/ s/%h/%a/' /etc/apache2/apache2.conf

for folder in /run/apache2 /run/lock/apache2 /var/log/apache2; do
	rm -rf "$folder"
	install -d -o www-data -g www-data -m 1777 "$folder"
done
ln -s /dev/stderr /var/log/apache2/error.log
ln -s /dev/stdout /var/log/apache2/access.log
ln -s /dev/stdout /var/log/apache2/other_vhosts_access.log

ln -s docker-entrypoint.sh /usr/local/bin/docker-ensure-installed.sh

# The official image has no php.ini, but reads one in PHP_INI_DIR.
for ini in /etc/php/*/apache2/php.ini /etc/php/*/cli/php.ini; do
	ln -sf /usr/local/etc/php/php.ini "$ini"
done

apache2ctl configtest
missing=$(for module in mysqli gd imagick curl xml mbstring zip intl bcmath exif 'Zend OPcache'; do
	php -m | grep --quiet --line-regexp --fixed-strings "$module" || echo "$module"
done)
[ -z "$missing" ] || { echo "PHP lacks: $missing" >&2; exit 1; }

# What the official image's ImageMagick takes: a policy that refused PDF files would hide what a preview of one costs.
php -r 'exit(array_diff(["JPEG", "PNG", "GIF", "WEBP", "AVIF", "PDF"], Imagick::queryFormats()) ? 1 : 0);' ||
	{ echo "ImageMagick lacks a format that the official image's has" >&2; exit 1; }
command -v gs >/dev/null || { echo "Ghostscript is missing" >&2; exit 1; }
