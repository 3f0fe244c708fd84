#!/bin/bash
# Is the MySQL that a site from another host is loaded into, while it is looked at and saved.
. {{.ScriptsPath}}/common.sh
{{template "scratch" .}}
serve imported
say "ready"
wait "$server"
