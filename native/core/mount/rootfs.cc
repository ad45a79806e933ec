#include "core/mount/rootfs.h"

#include <fcntl.h>

#include "core/mount/mount.h"
#include "core/sys/syscalls.h"

namespace nsbox {

namespace {
constexpr uint64_t kRecursive = 16384;  // MS_REC
}

Status detach_from_host(uint64_t propagation) {
  UniqueFd root = TRY(sys::open("/", O_PATH | O_DIRECTORY));
  auto done = set_propagation(root.get(), propagation | kRecursive);
  if (!done) return done.error().while_doing("make the host's mounts private");
  return Ok{};
}

Status stage_root(int root) {
  UniqueFd place = TRY(sys::open("/", O_PATH | O_DIRECTORY));
  auto done = attach_mount(root, place.get());
  if (!done) return done.error().while_doing("attach the new root");
  return Ok{};
}

Status pivot_into(int root) {
  constexpr int kDetach = 2;
  TRY(sys::fchdir(root));
  if (auto done = sys::pivot_root(".", "."); !done) return done.error().while_doing("pivot_root");
  // The old root is stacked on the new one, so "." is the only name left for it.
  if (auto done = sys::umount2(".", kDetach); !done) return done.error().while_doing("unmount the old root");
  if (auto done = sys::chdir("/"); !done) return done.error().while_doing("enter the new root");
  return Ok{};
}

Status move_into(int root) {
  constexpr unsigned long kMove = 8192;
  TRY(sys::fchdir(root));
  if (auto done = sys::mount(".", "/", nullptr, kMove, nullptr); !done)
    return done.error().while_doing("move the new root to /");
  TRY(sys::chroot("."));
  return sys::chdir("/");
}

}  // namespace nsbox
