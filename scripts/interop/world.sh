#!/bin/sh
# Makes the machine that one client's tests see, and becomes their command, as root: `world.sh GROUP RUNTIME command ...`.
# It has mounts, processes, network interfaces and control groups of its own, so whatever lies about at the end was left by
# the tests, and all of it ends with the last process. First call: enter the groups, unshare. Second call: inside.
set -eu

group=$1
runtime=$2

if [ "${NSBOX_INTEROP_INSIDE-}" = "" ]; then
  for hierarchy in /sys/fs/cgroup/*/; do
    [ -e "$hierarchy/cgroup.procs" ] || continue
    mkdir -p "$hierarchy/$group"
    # A cpuset is born empty on cgroup v1, and takes nobody then.
    for name in cpuset.cpus cpuset.mems; do
      [ -e "$hierarchy/$name" ] && cat "$hierarchy/$name" >"$hierarchy/$group/$name"
    done
    echo $$ >"$hierarchy/$group/cgroup.procs"
  done
  export NSBOX_INTEROP_INSIDE=1
  exec unshare --mount --net --uts --ipc --pid --cgroup --fork --kill-child --mount-proc "$0" "$@"
fi
shift 2

# The same hierarchies at the same places, with our groups as their roots.
hierarchies=$(grep -o ' /sys/fs/cgroup/[^ ]* ' /proc/mounts)
umount -R /sys/fs/cgroup
mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
for place in $hierarchies; do
  mkdir "$place"
  case ${place##*/} in
    unified) mount -t cgroup2 cgroup2 "$place" ;;
    systemd) mount -t cgroup -o none,name=systemd cgroup "$place" ;;
    *) mount -t cgroup -o "${place##*/}" cgroup "$place" ;;
  esac
done
mount -o remount,ro /sys/fs/cgroup

ip link set lo up

# Where the clients keep what they know. The images are small, so memory is enough, and leaves nothing.
for place in /run /dev/shm /etc/containers /etc/cni /etc/docker /var/lib/containers /var/lib/containerd \
  /var/lib/docker /var/lib/cni /var/tmp; do
  mkdir -p "$place"
  mount -t tmpfs -o mode=755 tmpfs "$place"
done
mkdir /run/lock /run/tmp
chmod 1777 /run/lock /run/tmp /dev/shm /var/tmp

# Every user may execute it here, wherever the checkout is.
mkdir /run/under-test
cp "$runtime" /run/under-test/
chmod 755 "/run/under-test/${runtime##*/}"
export NSBOX_INTEROP_RUNTIME="/run/under-test/${runtime##*/}"

# slirp4netns makes an ordinary user's network with it.
if [ -c /dev/net/tun ]; then
  mknod -m 666 /run/tun c 10 200
  mount --bind /run/tun /dev/net/tun
fi
mount --make-rshared /

# The shell stays: somebody must bury the processes that engines leave to the first one.
"$@"
