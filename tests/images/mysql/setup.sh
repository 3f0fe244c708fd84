# Runs inside the root, after the packages and rootfs/ are in place.
groupadd --system --gid 999 mysql
useradd --system --uid 999 --gid 999 --home-dir /var/lib/mysql --no-create-home --shell /usr/sbin/nologin mysql

install -d /etc/mysql/conf.d /docker-entrypoint-initdb.d
# Writable for whatever user the container runs as.
install -d -o mysql -g mysql -m 1777 /run/mysqld
rm -rf /var/lib/mysql
install -d -o mysql -g mysql -m 1777 /var/lib/mysql

mysqld --version
