{{define "alone"}}coproc HOLDER { sql --unbuffered; }
# alone waits so many seconds for other restores to end.
alone() {
	local held=
	echo "SELECT GET_LOCK('restore of {{.Database}}', $1);" >&"${HOLDER[1]:-2}" || true
	read -r held <&"${HOLDER[0]:-0}" || true
	[ "$held" = 1 ]
}{{end}}
