#!/bin/sh
# Runs nginx with the DNS servers and the domain of the pod's cluster, which no ConfigMap can know.
set -eu
mkdir -p /tmp/body /tmp/answers

servers=$(awk '$1 == "nameserver" { printf "%s ", $2 ~ /:/ ? "[" $2 "]" : $2 }' /etc/resolv.conf)
domain=$(awk '$1 == "search" { print $2; exit }' /etc/resolv.conf)
# Where nodes have no IPv6, nginx cannot listen there.
if [ -e /proc/net/if_inet6 ]; then
	echo 'listen [::]:{{.SitePort}} default_server sndbuf={{.SendBufferBytes}};' >/tmp/listen-any.conf
	echo 'listen [::]:{{.SitePort}};' >/tmp/listen-site.conf
	echo 'listen [::]:{{.PurgePort}};' >/tmp/listen-purge.conf
fi
# No pod is taken for dead because of a request that it did not answer, which anybody may have made so; what cannot be connected to costs a
# second. Pods come and go faster than names are meant to live. A pod that has gone is passed over, and where none of those known answers any more,
# the Service knows better.
cat >/tmp/upstream.conf <<END
resolver ${servers}valid=5s;
upstream php {
	zone php 256k;
	least_conn;
	server {{.PodsService}}.$domain:{{.PHPPort}} resolve max_fails=0;
	server {{.Service}}.$domain:{{.ServicePort}} resolve max_fails=0 backup;
}
END
exec nginx -c {{.ConfigPath}}/nginx.conf -g 'daemon off;'
