{{define "alone"}}coproc HOLDER { sql --unbuffered; }
# asked is what MySQL answers on the connection that has the lock.
asked() {
	local answer=
	echo "$1;" >&"${HOLDER[1]:-2}" || true
	read -r -t 150 answer <&"${HOLDER[0]:-0}" || true
	[ "$answer" = 1 ]
}

# alone waits so many seconds for other restores to end. Of a node that dies MySQL hears nothing, and lets the lock go when nobody speaks.
alone() {
	asked "SET SESSION wait_timeout = 300; SELECT GET_LOCK('restore of $site', $1)" || return 1
	while sleep 60; do echo 'DO 1;' >&"${HOLDER[1]:-2}" || exit; done 2>/dev/null &
}

still_alone() { asked "SELECT IS_USED_LOCK('restore of $site') = CONNECTION_ID()"; }{{end}}
