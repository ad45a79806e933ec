#include "core/mount/prepare.h"

#include <fcntl.h>

#include <cerrno>

#include "core/mount/flags.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

Status map_ids(int mount, int user_namespace, bool recursive) {
  mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_IDMAP;
  attributes.userns_fd = static_cast<uint64_t>(user_namespace);
  auto done = sys::mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), attributes);
  if (done.err() == EINVAL || done.err() == ENOSYS)
    return done.error().while_doing("map ids, which not every file system and kernel can");
  if (!done) return done.error().while_doing("map ids");
  return Ok{};
}

// As the container's own copies of the host's mounts have it: only what is asked for is shared with the host.
uint64_t first_propagation(uint64_t requested) {
  if (requested & (kMsPrivate | kMsUnbindable)) return kMsPrivate | kMsRecursive;
  return requested & kMsShared ? 0 : kMsSlave | kMsRecursive;
}

Result<UniqueFd> make(const Mount& mount, int user_namespace, uint64_t rootfs_propagation) {
  UniqueFd source = TRY(open_source(mount));
  UniqueFd copy = TRY(copy_mount(source.get(), "", mount.bind_recursive));
  if (const uint64_t first = first_propagation(rootfs_propagation)) TRY(set_propagation(copy.get(), first));
  if (mount.idmap) TRY(map_ids(copy.get(), user_namespace, mount.idmap_recursive));
  TRY(set_mount_attributes(copy.get(), mount.set, mount.clear, false));
  TRY(set_mount_attributes(copy.get(), mount.set_recursive, mount.clear_recursive, true));
  return copy;
}

}  // namespace

Result<UniqueFd> open_source(const Mount& mount) {
  auto source = sys::open(String(mount.source).c_str(), O_PATH | (mount.source_nofollow ? O_NOFOLLOW : 0));
  // In the words that callers of other runtimes look for.
  if (source.err() == ENOENT)
    return Error::plain(ENOENT, "open the source ", mount.source, ": no such file or directory");
  if (!source) return source.error().while_doing("open the source ", mount.source);
  return source;
}

Result<UniqueFd> prepare_bind(const Mount& mount, int user_namespace, uint64_t rootfs_propagation) {
  auto made = make(mount, user_namespace, rootfs_propagation);
  if (!made) return made.error().while_doing("mount ", mount.source, " on ", mount.destination);
  return made;
}

}  // namespace nsbox
