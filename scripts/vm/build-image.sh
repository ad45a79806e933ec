#!/bin/sh
# Makes the machine's root disk, kernel and initial ram disk: build-image.sh OUT SUITE MIRROR PACKAGES.
set -eu
out=$1 suite=$2 mirror=$3 packages=$4
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "$out/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/root

install_root() {
  mmdebstrap --quiet --variant=minbase --include="$packages" --format=tar \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --customize-hook="sh '$here/guest/customize.sh' \"\$1\" '$here/guest'" \
    "$suite" "$work/root.tar" "$mirror"
}

# Who is not root keeps the owners of files in fakeroot's head, so one fakeroot must do both.
make_disk() {
  as_root sh -euc '
    mkdir "$1"
    tar -C "$1" -xf "$2"
    mv "$1"/boot/vmlinuz-* "$3/kernel"
    /sbin/mke2fs -q -t ext4 -O ^has_journal,^metadata_csum -m 0 -N 65536 -d "$1" "$3/root.ext4" 2G >/dev/null
  ' sh "$root" "$work/root.tar" "$out"
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else fakeroot -- "$@"; fi
}

# What virtio_blk and virtio_console need, in the order in which they load, is in modules.dep.
make_initrd() {
  tree=$work/initrd
  modules=$(echo "$root"/lib/modules/*)
  mkdir -p "$tree/bin" "$tree/dev" "$tree/modules"
  cp "$root/bin/busybox" "$tree/bin/busybox"
  cp "$here/guest/initrd.sh" "$tree/init"
  chmod 755 "$tree/init"
  for name in virtio_pci virtio_blk virtio_console; do
    with_dependencies "$modules/modules.dep" "$name"
  done | awk '!seen[$0]++' >"$work/order"
  while read -r path; do
    cp "$modules/$path" "$tree/modules/"
    basename "$path" >>"$tree/modules/order"
  done <"$work/order"
  (cd "$tree" && find . | "$root/bin/busybox" cpio -o -H newc 2>/dev/null) >"$out/initrd"
}

# modules.dep lists a module's dependencies nearest first: the last one loads first.
with_dependencies() {
  awk -F '[: ]+' -v name="/$2.ko" 'index($1, name) { for (i = NF; i > 0; i--) if ($i != "") print $i }' "$1"
}

install_root
make_disk
make_initrd
