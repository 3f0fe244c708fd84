#!/bin/sh
# The image runs this as the last step of a first start, when the database and its user exist.
rm -f /volume/.initialising
# Were the removal lost in a power cut, the next start would take the data for a first start that failed, and delete it.
sync /volume
