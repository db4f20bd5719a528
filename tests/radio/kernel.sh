#!/bin/sh
# Builds the User-Mode Linux kernel of the radio bench and prints its path.
#
#   kernel.sh FOLDER      FOLDER is where it is built and kept (build/radio)
#
# Debian's own user-mode-linux has no Bluetooth, so it is made from Debian's linux-source with uml.config: four to
# seven minutes on two cores, once. The file's name holds the source's version and the hash of what was asked for:
# a new kernel or another configuration makes another file, and the same ones cost nothing.
set -eu

here=$(dirname "$(readlink -f "$0")")
keep=$(mkdir -p "$1" && readlink -f "$1")
tarball=/usr/src/linux-source-6.1.tar.xz

version=$(dpkg-query -W -f '${Version}' linux-source-6.1)
hash=$(cat "$here/uml.config" "$here/kernel.sh" | sha256sum | cut -c1-12)
kernel=$keep/linux-uml-$version-$hash

if [ ! -x "$kernel" ]; then
	exec 9>"$keep/lock"
	flock 9
fi
if [ ! -x "$kernel" ]; then
	echo "building $(basename "$kernel"): some minutes, once" >&2
	rm -rf "$keep/source"
	mkdir "$keep/source"
	{
		tar -C "$keep/source" --strip-components=1 -xf "$tarball"
		cd "$keep/source"
		make ARCH=um defconfig
		ARCH=um scripts/kconfig/merge_config.sh -m .config "$here/uml.config"
		make ARCH=um olddefconfig
		nice make ARCH=um -j"$(nproc)" linux
	} >"$keep/kernel.log" 2>&1 9>&- </dev/null || { tail -n 30 "$keep/kernel.log" >&2; exit 1; }
	# What Kconfig dropped silently would be missed much later, and look like a fault of BlueZ.
	for want in HOSTFS BT_HCIVHCI BT_LE UML_TIME_TRAVEL_SUPPORT CRYPTO_USER_API_HASH UHID; do
		grep -q "^CONFIG_$want=y" .config || { echo "the kernel has no CONFIG_$want" >&2; exit 1; }
	done
	strip -o "$kernel.part" linux
	cd "$keep"
	rm -rf "$keep/source"
	mv "$kernel.part" "$kernel"
fi
echo "$kernel"
