#include <fcntl.h>

#include <cerrno>

#include "core/mount/flags.h"
#include "core/mount/mount.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

bool lacks_mount_setattr() { return sys::call(__NR_mount_setattr, -1, nullptr, 0, nullptr, 0) == -ENOSYS; }

// What the mount has stays as it is but for `clear`: in a user namespace its flags are locked
// (mount_namespaces(7)).
Status remount_bind(int mount, uint64_t set, uint64_t clear) {
  constexpr unsigned long kKept = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                                  MOUNT_ATTR_NOEXEC;  // As statfs(2) tells them.
  sys::KernelStatfs info = {};
  TRY(sys::fstatfs(mount, info));
  const unsigned long kept = static_cast<unsigned long>(info.flags) & kKept & ~clear;
  // A remount that names no access times leaves them as they are.
  const bool times = (set | clear) & (MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME);
  const unsigned long flags = times ? mount_flags(set) : mount_flags(set) & ~kAccessTimes;
  return sys::mount(nullptr, fd_path(mount).c_str(), nullptr, kMsRemount | kMsBind | kept | flags, nullptr);
}

}  // namespace

Result<UniqueFd> copy_mount(int dir, const char* source, bool recursive) {
  const unsigned empty = *source ? 0 : AT_EMPTY_PATH;
  return sys::open_tree(dir, source, OPEN_TREE_CLONE | empty | (recursive ? AT_RECURSIVE : 0));
}

Status attach_mount(int mount, int target) {
  return sys::move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

Status set_mount_attributes(int mount, uint64_t set, uint64_t clear, bool recursive) {
  if (!set && !clear) return Ok{};
  mount_attr attributes = {};
  attributes.attr_set = set;
  attributes.attr_clr = clear;
  auto done = sys::mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), attributes);
  if (done || done.err() != ENOSYS || recursive) return done;
  return remount_bind(mount, set, clear);
}

Status attach_with_attributes(int mount, int target, uint64_t set, uint64_t clear) {
  auto done = set_mount_attributes(mount, set, clear, false);
  // Before Linux 5.12 there is the remount alone, which wants the mount attached.
  const bool too_early = done.err() == EINVAL && lacks_mount_setattr();
  if (!done && !too_early) return done;
  TRY(attach_mount(mount, target));
  if (too_early) return remount_bind(mount, set, clear);
  return Ok{};
}

Status set_propagation(int mount, uint64_t propagation) {
  const bool recursive = propagation & kMsRecursive;
  mount_attr attributes = {};
  attributes.propagation = propagation & ~uint64_t{kMsRecursive};
  auto done = sys::mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), attributes);
  if (done || done.err() != ENOSYS) return done;
  return sys::mount(nullptr, fd_path(mount).c_str(), nullptr, propagation, nullptr);
}

Status remount(int mount, const Mount& how) {
  if (how.bind) return remount_bind(mount, how.set, how.clear);
  const String options = joined(how.data);
  return sys::mount(String(how.source).c_str(), fd_path(mount).c_str(), String(how.type).c_str(),
                    kMsRemount | mount_flags(how.set) | how.set_super, options.c_str());
}

}  // namespace nsbox
