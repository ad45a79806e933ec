#pragma once

#include <cstdint>

#include "core/base/error.h"
#include "core/sys/unique_fd.h"

namespace nsbox {

// Stops mounts of ours from reaching the host: everything becomes private (or a slave) in this mount
// namespace.
Status detach_from_host(uint64_t propagation);

// For a runtime under other engines (linux.rootfsPropagation, MS_* with MS_REC; 0 for none): the mounts of
// this namespace take that propagation before anything is mounted, so that binds of them share or receive as
// asked; rslave when nothing is said. `lower` is the directory that becomes the root: what is mounted on it
// reaches nobody.
Status prepare_propagation(uint64_t requested, int lower);
// At the very end, when the root is entered: the root's own propagation.
Status finish_propagation(uint64_t requested, int root);

// Puts the detached mount over "/" so that it can become the root.
Status stage_root(int root);
// The same over the directory it was made from, whose mount prepare_propagation has seen to.
Status stage_root_on(int root, int lower);

// Makes the staged mount the root and the working directory, and lets go of the old one, which shares what
// prepare_propagation was asked for.
Status pivot_into(int root, uint64_t propagation);
// Without pivot_root, for a root that lies in an initramfs: the mount staged by stage_root_on is moved over
// "/". The old root stays below it, without its procfs and sysfs: these would let a user namespace mount new
// ones.
Status move_into(int root, uint64_t propagation);

}  // namespace nsbox
