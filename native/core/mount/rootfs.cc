#include "core/mount/rootfs.h"

#include <fcntl.h>

#include <cerrno>

#include "core/mount/flags.h"
#include "core/mount/mount.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr int kDetach = 2;  // MNT_DETACH

bool is_mount_root(int dir) {
  auto info = sys::statx(dir, "", AT_EMPTY_PATH, STATX_TYPE);
  return info && (info->stx_attributes_mask & info->stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

bool is_same(int a, int b) {
  auto one = sys::statx(a, "", AT_EMPTY_PATH, STATX_INO), other = sys::statx(b, "", AT_EMPTY_PATH, STATX_INO);
  return one && other && one->stx_ino == other->stx_ino && one->stx_dev_major == other->stx_dev_major &&
         one->stx_dev_minor == other->stx_dev_minor;
}

// The root of the mount that the directory is in.
Result<UniqueFd> root_of_mount(int dir) {
  UniqueFd at = TRY(sys::openat(dir, ".", O_PATH | O_DIRECTORY));
  while (!is_mount_root(at.get())) {
    UniqueFd up = TRY(sys::openat(at.get(), "..", O_PATH | O_DIRECTORY));
    if (is_same(at.get(), up.get())) break;
    at = std::move(up);
  }
  return at;
}

// Before set-up. An unbindable mount could not be bound into the container: it is made so at the end.
uint64_t first_propagation(uint64_t requested) {
  if (!requested) return kMsSlave | kMsRecursive;
  if (requested & kMsUnbindable) return kMsPrivate | (requested & kMsRecursive);
  return requested;
}

// Whatever is unmounted in a peer of a mount of the host's, or moved on to it, is so on the host as well.
// What was asked for may be of the root alone; where nothing was, nothing is shared.
Status stop_sharing(int old_root, uint64_t requested, uint64_t recursive) {
  if (!requested) return Ok{};
  auto done = set_propagation(old_root, kMsSlave | recursive);
  if (!done) return done.error().while_doing("part the old root from the host's");
  return Ok{};
}

// Unmounting in a peer of the host's would unmount there as well.
void drop(const char* path) {
  auto place = sys::open(path, O_PATH | O_DIRECTORY);
  if (!place || !is_mount_root(place->get())) return;
  if (!set_propagation(place->get(), kMsPrivate | kMsRecursive)) return;
  if (sys::umount2(path, kDetach)) return;
  // Locked, in a user namespace: it can be covered only.
  auto cover = make_filesystem("tmpfs", "tmpfs", {}, MOUNT_ATTR_RDONLY);
  if (cover) (void)attach_mount(cover->get(), place->get());
}

}  // namespace

Status detach_from_host(uint64_t propagation) {
  UniqueFd root = TRY(sys::open("/", O_PATH | O_DIRECTORY));
  auto done = set_propagation(root.get(), propagation | kMsRecursive);
  if (!done) return done.error().while_doing("make the host's mounts private");
  return Ok{};
}

Status prepare_propagation(uint64_t requested, int lower) {
  UniqueFd root = TRY(sys::open("/", O_PATH | O_DIRECTORY));
  auto done = set_propagation(root.get(), first_propagation(requested));
  if (!done) return done.error().while_doing("set the propagation of the root");
  // What holds the new root must share with nobody: pivot_root(2) refuses it, and the host would see us
  // mount.
  UniqueFd parent = TRY(root_of_mount(lower));
  done = set_propagation(parent.get(), kMsPrivate);
  if (!done) return done.error().while_doing("make the mount below the root private");
  return Ok{};
}

Status finish_propagation(uint64_t requested, int root) {
  if (!requested) return Ok{};
  // The mounts below it have their own by now.
  auto done = set_propagation(root, requested & ~uint64_t{kMsRecursive});
  if (!done) return done.error().while_doing("set the root's propagation");
  return Ok{};
}

Status stage_root(int root) {
  UniqueFd place = TRY(sys::open("/", O_PATH | O_DIRECTORY));
  return stage_root_on(root, place.get());
}

Status stage_root_on(int root, int lower) {
  auto done = attach_mount(root, lower);
  if (!done) return done.error().while_doing("attach the new root");
  return Ok{};
}

Status pivot_into(int root, uint64_t propagation) {
  UniqueFd old = TRY(sys::open("/", O_PATH | O_DIRECTORY));
  TRY(sys::fchdir(root));
  if (auto done = sys::pivot_root(".", "."); !done) return done.error().while_doing("pivot_root");
  TRY(stop_sharing(old.get(), propagation, kMsRecursive));
  // The old root is stacked on the new one, so "." is the only name left for it.
  if (auto done = sys::umount2(".", kDetach); !done) return done.error().while_doing("unmount the old root");
  if (auto done = sys::chdir("/"); !done) return done.error().while_doing("enter the new root");
  return Ok{};
}

Status move_into(int root, uint64_t propagation) {
  UniqueFd place = TRY(sys::open("/", O_PATH | O_DIRECTORY));
  TRY(stop_sharing(place.get(), propagation, 0));
  TRY(sys::fchdir(root));
  drop("/sys");
  drop("/proc");
  auto moved = sys::move_mount(AT_FDCWD, ".", place.get(), "", MOVE_MOUNT_T_EMPTY_PATH);
  if (moved.err() == ENOSYS) moved = sys::mount(".", "/", nullptr, kMsMove, nullptr);
  if (!moved) return moved.error().while_doing("move the new root over the old one");
  if (auto done = sys::chroot("."); !done) return done.error().while_doing("enter the new root");
  if (auto done = sys::chdir("/"); !done) return done.error().while_doing("enter the new root");
  return Ok{};
}

}  // namespace nsbox
