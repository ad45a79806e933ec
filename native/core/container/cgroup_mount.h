#pragma once

#include "core/base/error.h"
#include "core/cgroup/layout.h"
#include "core/mount/mount.h"

namespace nsbox {

// What a mount of type "cgroup" shows, which OCI leaves to the runtime: the unified hierarchy where that is
// the host's (and always with the type "cgroup2"), else a directory with each hierarchy of the host's; in
// both the container's own group is the root. Writable is at most that group, where the mount is not "ro";
// what else is seen, by a user whom the kernel lets mount none, is read-only (CVE-2023-25809). `known`: the
// hierarchies as the container's process is in them, before it has a namespace of groups; null: they are
// read.
Status mount_cgroups(int root, const Mount& mount, const cgroup::Layout* known = nullptr);

}  // namespace nsbox
