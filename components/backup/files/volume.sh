{{define "place"}}shopt -s dotglob nullglob
# there tells of an entry, also of a link that leads nowhere from here.
there() { [ -e "$1" ] || [ -L "$1" ]; }

# place puts an entry where it belongs, also where a page has just made one of that name.
place() {
	local tries=0
	while there "$1" && ! mv -T "$1" "$2" 2>/tmp/moved; do
		tries=$((tries + 1))
		[ $tries -lt 20 ] || fail "$1 could not be moved to $2: $(cat /tmp/moved)"
		mkdir -p "$beside/late"
		mv -T "$2" "$beside/late/$tries-${2##*/}-$(date +%s%N)" 2>/dev/null || true
	done
}{{end}}
{{define "fetch"}}mkdir -p "$beside" "$live"
# What a restore left that came to no end may be nowhere else.
if [ -e "$beside/swapping" ]; then
	unfinished=$beside/unfinished-$(date +%Y%m%dT%H%M%SZ)
	mkdir "$unfinished"
	for folder in new earlier; do
		[ ! -e "$beside/$folder" ] || mv "$beside/$folder" "$unfinished/"
	done
	rm "$beside/swapping"
	say "a restore before this one came to no end: what it left is in .restore/${unfinished##*/} of the volume"
fi
fetching=1
# Room for a second copy: a volume that fills up would fail the uploads of the site that is there.
needed=$(restic stats --mode restore-size --json "$files" | sed -n 's/.*"total_size":\([0-9]*\).*/\1/p')
rm -rf "$beside/new"
mkdir "$beside/new"
free=$(($(df --output=avail -B 1 "$beside" | tail -n 1)))
[ "$free" -gt $((needed + needed / 20)) ] || fail "wp-content of $run takes $((needed >> 20)) MiB, and the volume has $((free >> 20)) MiB left: make room, or enlarge the claim"
restic restore "$files:{{.ContentPath}}/wp-content" --target "$beside/new" || fail "wp-content of $run could not be fetched"
rm -rf "$beside/earlier"
mkdir "$beside/earlier"{{end}}
