# Runs inside the root, after the packages are in place.

# Needed while the packages are installed, and by nothing on a node.
rm -rf /usr/lib/*/perl/5* /usr/share/perl/5*
