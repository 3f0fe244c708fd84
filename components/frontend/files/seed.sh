#!/bin/sh
# Fills the shared volume with the image's wp-content once. Any number of pods may start at the same time: each
# prepares a folder of its own, and renaming it into place succeeds for exactly one. What a pod that died half-way
# left behind is removed by the next start of any pod.
set -eu
export LC_ALL=C
volume=/content
target=$volume/wp-content
staging=$volume/.seed.$HOSTNAME

# refuse ends the start with whose the folder is, who the pod is, and the ways out. The pod's status shows it as the reason.
refuse() {
	said="seed: $1, the volume of wp-content, cannot be written to: it belongs to $(stat -c '%u:%g with mode %a' "$1"), and this pod is \
user $(id -u) with groups $(id -G | tr ' ' ,). Where it came from elsewhere, as a restored folder does, give it to $(id -u):$(id -g) by chown. \
Where the storage ignores fsGroup, have it give the volume to them (a driver with fsGroupPolicy File, uid and gid of an EFS access point, the \
owner of an NFS export), or set wordpress:podSecurity.frontend.userID and groupID to its owner, where that is not root and the cluster does \
not set them (docs/operations.md, Storage that ignores fsGroup)."
	echo "$said" >&2
	if [ -w /dev/termination-log ]; then echo "$said" >/dev/termination-log; fi
	exit 1
}

# expect_write tries it, because the mode does not tell of a server that takes every user for another. A volume that is full or has
# become read-only is no reason to stop: pages can still be read from it.
expect_write() {
	try=$1/.seed.$HOSTNAME.try
	rmdir "$try" 2>/dev/null || true
	if problem=$(mkdir "$try" 2>&1); then
		rmdir "$try" 2>/dev/null || true # another pod may have cleared up meanwhile
		return
	fi
	case $problem in
	*"Permission denied"* | *"not permitted"*) refuse "$1" ;;
	esac
	echo "$problem" >&2
}

seed() {
	rm -rf "$staging" &&
		cp -R {{.CorePath}}/wp-content "$staging" &&
		sync -f "$staging" &&
		mv -T "$staging" "$target"
}

# Renaming onto a folder that holds anything fails, and so does copying into a folder that a faster pod has
# removed: then the content is there all the same.
if [ ! -d "$target" ]; then
	expect_write "$volume"
	seed || [ -d "$target" ]
fi
# Files that came from elsewhere may belong to somebody else, and every upload would fail.
if [ -d "$target/uploads" ]; then
	expect_write "$target/uploads"
else
	expect_write "$target"
fi
rm -rf "$volume"/.seed.* "$target"/.seed.* "$target"/uploads/.seed.* || true
