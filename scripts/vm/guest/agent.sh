#!/bin/sh
# Lives in the image. Says that the machine is up (which is when its state is saved to a file), waits for
# the host's word, and hands over to run.sh, which comes with the checkout.
exec 3<>/dev/vport0p1

# Touched once, these pages are in the saved memory, and no run has to wait for them.
cat /bin/systemd-run /usr/bin/timeout /usr/bin/setpriv /lib/x86_64-linux-gnu/libstdc++.so.6 >/dev/null
sync
echo '@vm ready' >&3

read -r now <&3
date --set="@$now" >/dev/null
if ! mount -o ro,noatime /dev/vdb /nsbox; then
  echo '@vm broken cannot mount the checkout' >&3
  systemctl poweroff --force --force
fi
/bin/sh /nsbox/guest/run.sh </dev/null >&3 2>&1
sync
systemctl poweroff --force --force
