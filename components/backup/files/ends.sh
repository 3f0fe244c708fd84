{{define "ends"}}
complete "${MARK:-complete}"
say "$(cat {{.SharedPath}}/run) is complete"
[ "${MARK:-complete}" = complete ] || exit 0

# What is older than it is to be kept goes: marks of runs by restic's rules, and then what no mark names any more. What came to no end stays for
# some days.
later="what need not be kept any more stays until the next run"
tidy --host {{.Host}} --tag complete --group-by host {{.Keep}} || say "$later"
listed >/tmp/listed
awk -v limit="$(date -d '{{.KeepLeftovers}} days ago' +run-%Y%m%dT%H%M%SZ)" '
	{ run = ""; is = 0; for (i = 3; i <= NF; i++) { if ($i ~ /^(complete|before|imported)$/) is = 1; if ($i ~ /^run-/) run = $i } }
	NR == FNR { if (is) kept[run] = 1; next }
	run != "" && !is && !(run in kept) && run < limit { print $1 }' /tmp/listed /tmp/listed >/tmp/orphans
mapfile -t orphans </tmp/orphans
[ ${#orphans[@]} = 0 ] || tidy "${orphans[@]}" || say "$later"
bytes() { awk -v number="$(cat {{.SharedPath}}/"$1")" '$1 == number { print $2 }' /tmp/listed; }
succeeded <<END
{{- range .Kinds}}
wordpress_backup_{{.}}_bytes $(bytes {{.}})
{{- end}}
wordpress_backup_runs $(grep -c ' complete ' /tmp/listed || true)
END
if [ -e {{.SharedPath}}/complaint ]; then
	say "the run is saved, but $(cat {{.SharedPath}}/complaint)"
	exit {{.Complained}}
fi
{{- end}}