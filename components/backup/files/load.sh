#!/bin/bash
# Loads the dump of another host's site into the MySQL of this pod: what that does not take would be no site here either. Nothing of the site that is here is
# touched.
. {{.ScriptsPath}}/common.sh
incoming={{.DrillPath}}/incoming
{{template "scratch" .}}

# fitting passes a dump on without what MariaDB and older servers write for themselves, and for the whole server. Data is in no line that begins like these.
fitting() {
	sed -E -e '/^\/\*M!999999/d' -e '/^(CREATE DATABASE|USE |\/\*!4[0-9]{4} (CREATE|DROP) DATABASE)/d' -e '/^SET @@(GLOBAL|SESSION)\.(GTID_PURGED|SQL_LOG_BIN)/,/;$/d' \
		-e '/^\/\*!50003 SET sql_mode/s/NO_AUTO_CREATE_USER,?//' \
		-e '/^\/\*!500/s/utf8mb4_uca1400_[a-z0-9_]+/utf8mb4_0900_ai_ci/g' \
		-e '/^CREATE TABLE/,/;$/{s/utf8mb4_uca1400_[a-z0-9_]+/utf8mb4_0900_ai_ci/g;s/utf8(mb3)?_uca1400_[a-z0-9_]+/utf8mb3_general_ci/g;s/_nopad_(bin|ci)/_\1/g' \
		-e "s/^(  \`[^\`]+\` (tiny|medium|long)?(text|blob).*) DEFAULT ('[^']*')/\\1 DEFAULT (\\4)/" \
		-e 's/ENGINE=(MyISAM|Aria)/ENGINE=InnoDB/;s/ ROW_FORMAT=(FIXED|PAGE)//;s/ (PAGE_CHECKSUM|TRANSACTIONAL)=[01]//g}' \
		-e '/^(\/\*!5|CREATE )/s/ DEFINER=`[^`]*`@`[^`]*`//'
}

until own imported -e 'SELECT 1' >/dev/null 2>/tmp/refused; do
	[ $SECONDS -lt {{.PatienceSeconds}} ] || fail "the MySQL of this pod does not answer: $(tail -n 1 /tmp/refused; tail -n 3 {{.DrillPath}}/mysqld.log)"
	sleep 0.2
done
tail -n 5 "$incoming/dump.sql" | grep -q '^-- Dump completed' ||
	say "The dump does not end as those of mysqldump, mariadb-dump and wp db export do. Where one of them made it, it is cut: compare the numbers below with the old site."
{ echo "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO', foreign_key_checks = 0;"; fitting <"$incoming/dump.sql"; } | own imported 2>/tmp/refused ||
	fail "MySQL does not take the dump: $(tail -n 1 /tmp/refused | cut -c 1-300)"
rm "$incoming/dump.sql"

of() { own -e "SELECT LEFT(TABLE_NAME, CHAR_LENGTH(TABLE_NAME) - CHAR_LENGTH('$1')) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'imported' AND TABLE_NAME LIKE '%$1'" | sort; }
prefixes=$(comm -12 <(of options) <(of users) | comm -12 - <(of posts) | tr '\n' ' ')
prefixes=${prefixes% }
[ -n "$prefixes" ] || fail "the dump has no tables of a WordPress"
case " $prefixes " in
*" {{.TablePrefix}} "*) ;;
*) fail "the tables of the dump begin with $prefixes, and those of this site with {{.TablePrefix}}: it needs a stack that has wordpress:database.tablePrefix from its first deployment on" ;;
esac
for table in commentmeta comments links options postmeta posts term_relationships term_taxonomy termmeta terms usermeta users; do
	own imported -e "SELECT 1 FROM {{.TablePrefix}}$table LIMIT 1" >/dev/null || fail "the dump has no table {{.TablePrefix}}$table"
done
[ "$(own -e "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'imported' AND TABLE_NAME = '{{.TablePrefix}}blogs'")" = 0 ] ||
	fail "the dump is of a network of sites (multisite), which this program does not run"
home=$(own imported -e "SELECT TRIM(TRAILING '/' FROM option_value) FROM {{.TablePrefix}}options WHERE option_name = 'home'")
[[ $home =~ ^https?://[a-z0-9.:-]+(/[A-Za-z0-9._~-]+)*$ ]] || fail "the address of the site, its option home, is ${home:-missing}, and must be one such as https://www.example.com"
count() { own imported -e "SELECT COUNT(*) FROM {{.TablePrefix}}$1"; }
say "$home: $(own -e "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'imported'") tables, $(count posts) posts, $(count comments) comments, $(count users) users"
[ "$home" = '{{.SiteURL}}' ] || echo "$home" >{{.MovedFile}}
