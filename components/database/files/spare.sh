# The binary log stays, unless it is of data that is gone.
if [ -e "$marker" ]; then
	rm -rf "$temporary/binlog"
fi
find "$temporary" -mindepth 1 ! -path "$temporary/binlog" ! -path "$temporary/binlog/*" -delete
mkdir -p "$temporary/binlog"
