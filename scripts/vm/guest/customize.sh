#!/bin/sh
# Turns a freshly installed root into a test machine: customize.sh ROOT FILES. A hook of mmdebstrap.
set -eu
root=$1 files=$2

# Unpacked, not installed: no boot loader and no ramdisk tools come along.
add_kernel() {
  export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
  package=$(apt-cache show linux-image-cloud-amd64 |
    sed -n 's/^Depends: \(linux-image-[^ ,]*\).*/\1/p' | head -n 1)
  kernel=$(mktemp -d "$root/tmp/kernel.XXXXXX")
  (cd "$kernel" && apt-get -qq download "$package" 2>/dev/null)
  dpkg-deb -x "$kernel"/*.deb "$kernel/root"
  # Not unpacked in place: that would put a directory where /lib is a link.
  cp -a "$kernel/root/boot/." "$root/boot/"
  cp -a "$kernel/root/lib/modules" "$root/usr/lib/"
  rm -r "$kernel"
  chroot "$root" depmod "$(basename "$root"/lib/modules/*)"
  printf '%s\n' overlay veth bridge nf_tables tun fuse loop squashfs >"$root/etc/modules-load.d/vm.conf"
}

# An ordinary user whose manager runs from the start, with every controller delegated to it.
add_user() {
  chroot "$root" useradd --create-home --uid 1000 --shell /bin/bash tester
  echo tester:100000:65536 >"$root/etc/subuid"
  echo tester:100000:65536 >"$root/etc/subgid"
  mkdir -p "$root/var/lib/systemd/linger" "$root/etc/systemd/system/user@.service.d"
  : >"$root/var/lib/systemd/linger/tester"
  printf '[Service]\nDelegate=cpu cpuset io memory pids\n' \
    >"$root/etc/systemd/system/user@.service.d/delegate.conf"
}

add_agent() {
  mkdir -p "$root/vm" "$root/usr/local/lib/vm"
  cp "$files/agent.sh" "$root/usr/local/lib/vm/"
  cp "$files/agent.service" "$root/etc/systemd/system/vm-agent.service"
  chroot "$root" systemctl --quiet enable vm-agent.service
}

# Nothing may wake up in the middle of a test.
silence() {
  chroot "$root" systemctl --quiet set-default multi-user.target
  chroot "$root" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    e2scrub_all.timer e2scrub_reap.service fstrim.timer systemd-tmpfiles-clean.timer
  mkdir -p "$root/etc/systemd/journald.conf.d"
  printf '[Journal]\nStorage=volatile\n' >"$root/etc/systemd/journald.conf.d/vm.conf"
  echo vm >"$root/etc/hostname"
  printf '127.0.0.1 localhost vm\n' >"$root/etc/hosts"
}

add_kernel
add_user
add_agent
silence
