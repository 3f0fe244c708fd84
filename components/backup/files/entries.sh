{{define "entries"}}# entries prints a line for each snapshot of the binary log, by chain and file and then the oldest first: its chain, the file, the second up to
# which all is there, its number, the file's bytes and checksum, and the server. A chain is a log without a gap, by the second at which it was begun
# to be brought here.
entries() {
	listed | awk '{
		split("", of)
		for (i = 3; i <= NF; i++) if (match($i, /^(chain|file|until|size|sum|server)-/)) of[substr($i, 1, RLENGTH - 1)] = substr($i, RLENGTH + 1)
		if ("file" in of) print of["chain"], of["file"], of["until"], $1, of["size"], of["sum"], of["server"]
	}' | sort -s -k 1,1 -k 2,2n
}{{end}}
