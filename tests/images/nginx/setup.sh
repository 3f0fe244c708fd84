# Runs inside the root, after the packages and rootfs/ are in place.
nginx -V 2>&1 | head -1
