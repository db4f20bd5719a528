#!/bin/sh
# Prints the list of plugins, a line of sha256sum's each: list.sh FILE.so...
# With --install DIR it writes DIR.list for the plugins installed in DIR (under $DESTDIR).
set -eu

lines() {
	echo '# Plugins that gatewayd-adapter loads: SHA-256 and file name.'
	for file; do
		printf '%s  %s\n' "$(sha256sum <"$file" | cut -d' ' -f1)" "$(basename "$file")"
	done
}

if [ "$1" = --install ]; then
	dir=${DESTDIR:-}$2
	lines "$dir"/*.so >"$dir.list"
	chmod 0644 "$dir.list"
else
	lines "$@"
fi
