#!/bin/sh
# Runs in the guest, as root: checks that the machine is what it should be, then runs each lane that the
# host has put beside this file. A line that begins with @vm is for the host, all others are for people.
here=/vm/guest
user_group=/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service

main() {
  check_machine
  prepare_node
  load_profile
  mkdir -m 1777 /run/vite-temp
  [ ! -f $here/root.sh ] || lane root run_as_root
  [ ! -f $here/user.sh ] || lane user run_as_user
  echo '@vm done'
}

check_machine() {
  [ "$(cat /sys/module/apparmor/parameters/enabled)" = Y ] || broken 'AppArmor is off'
  grep -q . /sys/kernel/security/apparmor/profiles || broken 'AppArmor has no profiles'
  [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || broken '/sys/fs/cgroup is not cgroup v2'
  for controller in cpu cpuset io memory pids; do
    for group in /sys/fs/cgroup $user_group; do
      grep -qw $controller $group/cgroup.controllers || broken "$group has no $controller controller"
    done
  done
  [ "$(stat -c %U $user_group/cgroup.subtree_control)" = tester ] || broken "$user_group is not the user's"
}

broken() {
  echo "@vm broken $1"
  exit 1
}

# The host's node, and those of its libraries that this system has not.
prepare_node() {
  ln -sf /vm/bin/node /usr/local/bin/node
  if [ -d /vm/node-libraries ]; then
    echo /vm/node-libraries >/etc/ld.so.conf.d/vm-node.conf
    ldconfig
  fi
}

# For the tests of AppArmor's labels.
load_profile() {
  apparmor_parser --replace --skip-cache $here/apparmor.profile || broken 'the AppArmor profile cannot be loaded'
}

lane() {
  echo "@vm begin $1"
  $2
  echo "@vm end $1 $?"
}

# An ordinary service: root needs no delegation.
run_as_root() {
  systemd-run $service --unit=test-root --setenv=HOME=/root /bin/sh $here/root.sh
}

# A service of the user's own manager, with its cgroup delegated.
run_as_user() {
  setpriv --reuid=1000 --regid=1000 --init-groups env XDG_RUNTIME_DIR=/run/user/1000 \
    systemd-run --user $service --unit=test-user --property=Delegate=yes /bin/sh $here/delegated.sh $here/user.sh
}

service='--quiet --pipe --wait --collect --working-directory=/vm/checkout --property=OOMPolicy=continue
  --property=LimitNOFILE=1048576:1048576 --property=TasksMax=infinity
  --setenv=NSBOX_MUST_WORK=1 --setenv=NSBOX_VM=1 --setenv=CI=true --setenv=LANG=C.UTF-8
  --setenv=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
main
