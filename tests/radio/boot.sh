#!/bin/sh
# The first process of the radio bench's machine. The host's root is its root, read-only; what may be written is memory,
# and $RADIO_OUT of the host, seen at /run/out. It runs $RADIO_RUN there and turns the machine off.
#
# The kernel hands RADIO_* from its command line to us as environment.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/run LANG=C.UTF-8 TMPDIR=/run/tmp

mount -t proc proc /proc
mount -t sysfs sys /sys
[ -e /dev/null ] || mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o ptmxmode=666 pts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
mount -t tmpfs lib /var/lib
mount -t cgroup2 cgroup /sys/fs/cgroup 2>/dev/null
mkdir -p /run/out /run/tmp /run/lock
chmod 1777 /run/tmp /dev/shm
case $RADIO_KIND in
uml) mount -t hostfs -o "$RADIO_OUT" none /run/out ;;
qemu) mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 out9p /run/out ;;
esac
ip link set lo up 2>/dev/null || ifconfig lo up
chmod 666 /dev/null /dev/zero /dev/urandom /dev/random /dev/full

cd "$RADIO_TREE" || exit
/usr/bin/python3 -B tests/radio/"$RADIO_RUN".py >/run/out/"$RADIO_RUN".log 2>&1
echo $? >/run/out/"$RADIO_RUN".code
# Whoever is left over would be in the way: on the free clock one that spins lets nobody else run.
kill -KILL -1
sync
echo o >/proc/sysrq-trigger
sleep 60
