#!/bin/sh
# Finishes the root of an image before it is packed: mmdebstrap calls it with the root's path.
# From the environment: IMAGE_DIR, the folder of the definition.
set -eu
root=$1

if [ -d "$IMAGE_DIR/rootfs" ]; then
	# Owner and modes do not depend on how the repository was cloned.
	tar --create --directory="$IMAGE_DIR/rootfs" --owner=0 --group=0 --mode=u=rwX,go=rX . |
		tar --extract --directory="$root" --no-overwrite-dir --keep-directory-symlink
fi
if [ -f "$IMAGE_DIR/setup.sh" ]; then
	chroot "$root" sh -eu -s <"$IMAGE_DIR/setup.sh"
fi

rm -rf "$root"/var/log/*.log "$root"/var/cache/debconf/*-old "$root"/var/lib/dpkg/*-old
: >"$root/etc/hostname"
: >"$root/etc/resolv.conf"
