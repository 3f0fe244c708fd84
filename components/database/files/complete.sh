#!/bin/sh
# The image runs this as the last step of a first start, when the database and its user exist.
rm -f /volume/.initialising
# Were the removal lost in a power cut, the next start would take the data for a first start that failed, and delete it.
sync /volume
# The image exports what it reads from the password files, and the server would inherit that. The rest of the first start, which is the
# image's shell, needs no more than variables of its own.
if [ -n "${BASH_VERSION:-}" ]; then
	export -n MYSQL_PASSWORD MYSQL_ROOT_PASSWORD
fi
