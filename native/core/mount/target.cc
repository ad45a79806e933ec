#include "core/mount/target.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "core/sys/beneath.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr long kProcMagic = 0x9fa0;
constexpr uint64_t kProcRootInode = 1;

// What lxcfs shows in the place of the kernel's own, and what engines set for FIPS and CRIU; anything else in
// /proc is the container's view of itself, and what this program writes there must reach the kernel.
constexpr std::string_view kProcFiles[] = {"/proc/cpuinfo",
                                           "/proc/diskstats",
                                           "/proc/loadavg",
                                           "/proc/meminfo",
                                           "/proc/slabinfo",
                                           "/proc/stat",
                                           "/proc/swaps",
                                           "/proc/uptime",
                                           "/proc/sys/kernel/ns_last_pid",
                                           "/proc/sys/crypto/fips_enabled"};

bool is_proc(int fd) {
  sys::KernelStatfs info = {};
  return sys::fstatfs(fd, info) && info.type == kProcMagic;
}

bool is_proc_root(int fd) {
  auto info = sys::statx(fd, "", AT_EMPTY_PATH, STATX_INO);
  return is_proc(fd) && info && info->stx_ino == kProcRootInode;
}

bool is_same_place(int a, int b) {
  auto one = sys::statx(a, "", AT_EMPTY_PATH, STATX_INO);
  auto other = sys::statx(b, "", AT_EMPTY_PATH, STATX_INO);
  return one && other && one->stx_ino == other->stx_ino && one->stx_dev_major == other->stx_dev_major &&
         one->stx_dev_minor == other->stx_dev_minor;
}

bool is_on_proc(int root, int place) {
  auto proc = open_in_root(root, "/proc", O_PATH);
  return proc && is_same_place(place, proc->get());
}

Status refuse(int root, const Mount& mount, int place, int source) {
  if (is_on_proc(root, place)) {
    if (source < 0 ? mount.type == "proc" : is_proc_root(source)) return Ok{};
    return Error::plain(EPERM, "nothing but proc may be mounted on /proc");
  }
  if (!is_proc(place)) return Ok{};
  if (std::find(std::begin(kProcFiles), std::end(kProcFiles), mount.destination) != std::end(kProcFiles))
    return Ok{};
  return Error::plain(EPERM, "nothing may be mounted inside /proc but what lxcfs shows");
}

// These two are never reached through a link: whoever made it could have them land where the container's
// protections do not look.
bool wants_plain_directory(const Mount& mount) {
  return !mount.bind && (mount.type == "proc" || mount.type == "sysfs");
}

Result<UniqueFd> open_existing(int root, const Mount& mount, TargetKind kind) {
  const bool plain = wants_plain_directory(mount);
  const int flags =
      O_PATH | (kind == TargetKind::kDirectory && !mount.dest_nofollow && !plain ? O_DIRECTORY : 0);
  auto place = plain || mount.dest_nofollow ? open_in_root_nofollow(root, mount.destination, flags)
                                            : open_in_root(root, mount.destination, flags);
  if (place && plain && !is_directory(place->get()))
    return Error::plain(ENOTDIR, "it must be mounted on a directory itself, not on a link or file");
  return place;
}

}  // namespace

bool is_directory(int fd) {
  auto info = sys::statx(fd, "", AT_EMPTY_PATH, STATX_TYPE);
  return info && S_ISDIR(info->stx_mode);
}

Result<Target> open_target(int root, const Mount& mount, TargetKind kind, int source) {
  auto place = open_existing(root, mount, kind);
  const bool missing = place.err() == ENOENT;
  if (missing)
    place = kind == TargetKind::kDirectory ? make_absent_directories_in_root(root, mount.destination, 0755)
                                           : make_file_in_root(root, mount.destination, 0644);
  if (!place) return place.error();
  // Also of what was absent: somebody else may have been faster, with a link.
  TRY(refuse(root, mount, place->get(), source));
  return Target{std::move(*place), missing};
}

}  // namespace nsbox
