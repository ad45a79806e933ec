#pragma once

#include "core/base/error.h"
#include "core/mount/mount.h"

namespace nsbox {

// Whether this process may do for a container's user namespace what that one's root may not.
bool may_mount_outside();

// The binds that are to be made outside (Mount::prepare), detached, in their order: by a process with our own
// rights, in a copy of our mounts that belongs to the container's user namespace (a descriptor; -1 where it
// has none). There the kernel locks what the host's mounts forbid, and nothing is shared with the host; a
// copy made of the host's mounts themselves could be made writable, or show its mounts to the host.
// `rootfs_propagation`: MS_*, as the configuration has it.
Result<Vector<UniqueFd>> make_outside_mounts(const Vector<Mount>& mounts, int user_namespace,
                                             uint64_t rootfs_propagation);

}  // namespace nsbox
