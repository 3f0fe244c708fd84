#!/bin/sh
# The image runs this as the last step of a first start, when the database and its user exist.
rm -f /volume/.initialising
