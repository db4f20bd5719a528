#!/bin/sh
# What QEMU boots when User-Mode Linux does not: Debian's own kernel and a small first file system with the modules that
# the bench needs. Prints the two paths.
#
#   qemu.sh FOLDER        FOLDER is where they are kept (build/radio)
#
# The kernel's package is unpacked and not installed. The first file system brings up the host's root by 9p.
set -eu

keep=$(mkdir -p "$1" && readlink -f "$1")
here=$(dirname "$(readlink -f "$0")")
package=$(apt-cache depends linux-image-amd64 | awk '/Depends:/ { print $2; exit }')
version=${package#linux-image-}
hash=$(cat "$here/qemu.sh" | sha256sum | cut -c1-12)
kernel=$keep/vmlinuz-$version initrd=$keep/initrd-$version-$hash

if [ ! -f "$kernel" ] || [ ! -f "$initrd" ]; then
	exec 9>"$keep/lock"
	flock 9
fi
if [ ! -f "$kernel" ] || [ ! -f "$initrd" ]; then
	rm -rf "$keep/qemu"
	mkdir "$keep/qemu"
	cd "$keep/qemu"
	apt-get -q download "$package" >&2
	dpkg -x "$package"_*.deb x
	depmod -b x "$version"
	mkdir -p root/bin root/mnt root/m
	cp /bin/busybox root/bin/
	for module in virtio_pci 9p 9pnet_virtio hmac sha256_generic sha512_generic ctr aes_generic jitterentropy_rng drbg cmac ecb ccm ecdh_generic hci_vhci uhid algif_hash algif_skcipher; do
		modprobe -d "$PWD/x" -S "$version" --show-depends "$module"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >list
	while read -r file; do
		cp "$file" root/m/
		basename "$file"
	done <list >root/order
	cat >root/init <<-'INIT'
		#!/bin/busybox sh
		b=/bin/busybox
		$b mkdir -p /proc /dev
		$b mount -t proc proc /proc
		$b mount -t devtmpfs dev /dev
		while read -r m; do $b insmod /m/$m; done </order
		$b mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=262144,cache=loose root9p /mnt
		$b mount --move /dev /mnt/dev
		for w in $($b cat /proc/cmdline); do case $w in RADIO_TREE=*) tree=${w#*=} ;; RADIO_*) ;; esac; done
		for w in $($b cat /proc/cmdline); do case $w in RADIO_*=*) export "$w" ;; esac; done
		$b umount /proc
		exec $b switch_root /mnt $tree/tests/radio/boot.sh
	INIT
	chmod +x root/init
	(cd root && find . | cpio -o -H newc --quiet) | gzip -1 >"$initrd.part"
	cp x/boot/vmlinuz-"$version" "$kernel.part"
	cd "$keep"
	rm -rf qemu
	mv "$kernel.part" "$kernel"
	mv "$initrd.part" "$initrd"
fi
echo "$kernel $initrd"
