#!/bin/sh
# Runs a script in <delegated group>/main. The group itself is then without processes, as it must be before
# controllers can be enabled for its children. (DelegateSubgroup= does this from systemd 254 on.)
set -eu
group=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
mkdir "$group/main"
echo $$ >"$group/main/cgroup.procs"
exec /bin/sh "$@"
