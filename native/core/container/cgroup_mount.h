#pragma once

#include "core/base/error.h"
#include "core/mount/mount.h"

namespace nsbox {

// What a mount of type "cgroup" shows, which OCI leaves to the runtime: the unified hierarchy where that is
// the host's, else a directory with each hierarchy of the host's; in both the container's own group is the
// root. An ordinary user, whom the kernel lets mount none, gets the host's view. Read-only always: what could
// be written there is not the container's to change (CVE-2023-25809).
Status mount_cgroups(int root, const Mount& mount);

}  // namespace nsbox
