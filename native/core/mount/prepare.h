#pragma once

#include "core/mount/mount.h"

namespace nsbox {

// The detached mount of a bind, with all its attributes and its ids mapped as `user_namespace` maps them (-1
// for none): what a process of the host's does for a container whose user namespace may not. Only a process
// that is privileged over the file system can map ids (mount_setattr(2)); and only one outside can open a
// source that the container's root may not reach. It is no peer of the host's mount, unless
// `rootfs_propagation` (MS_*) shares. The descriptor goes into Mount::prepared, in the process that attaches
// it.
Result<UniqueFd> prepare_bind(const Mount& mount, int user_namespace, uint64_t rootfs_propagation);

// Opens the source of a bind as the mount says, O_PATH.
Result<UniqueFd> open_source(const Mount& mount);

}  // namespace nsbox
