#!/bin/sh
# Fills the shared volume with the image's wp-content once. Any number of pods may start at the same time: each
# prepares a folder of its own, and renaming it into place succeeds for exactly one. What a pod that died half-way
# left behind is removed by the next start of any pod.
set -eu
volume=/content
target=$volume/wp-content
staging=$volume/.seed.$HOSTNAME

seed() {
	rm -rf "$staging" &&
		cp -R {{.CorePath}}/wp-content "$staging" &&
		sync -f "$staging" &&
		mv -T "$staging" "$target"
}

# Renaming onto a folder that holds anything fails, and so does copying into a folder that a faster pod has
# removed: then the content is there all the same.
if [ ! -d "$target" ]; then
	seed || [ -d "$target" ]
fi
rm -rf "$volume"/.seed.* || true
