#pragma once

#include "core/base/error.h"
#include "core/sys/unique_fd.h"

namespace nsbox {

// Stops mounts of ours from reaching the host: everything becomes private (or a slave) in this mount
// namespace.
Status detach_from_host(uint64_t propagation);

// Puts the detached mount over "/" so that it can become the root.
Status stage_root(int root);

// Makes the staged mount the root and the working directory, and lets go of the old one.
Status pivot_into(int root);
// The same by MS_MOVE and chroot, where the old root is a ramfs, which cannot be pivoted.
Status move_into(int root);

}  // namespace nsbox
