#!/bin/busybox sh
# The first process of the machine: loads the disk's driver and hands over to the real root.
# A root that is an initramfs would not do, because pivot_root refuses it.
/bin/busybox mount -t devtmpfs dev /dev
for module in $(/bin/busybox cat /modules/order); do
  /bin/busybox insmod "/modules/$module" || echo "initrd: cannot load $module"
done
/bin/busybox mkdir -p /root
until /bin/busybox mount -t ext4 -o rw,noatime /dev/vda /root 2>/dev/null; do
  /bin/busybox sleep 0.1
done
/bin/busybox umount /dev
exec /bin/busybox switch_root /root /lib/systemd/systemd
