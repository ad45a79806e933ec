#include "core/mount/masks.h"

#include <fcntl.h>

#include <cerrno>
#include <optional>

#include "core/mount/dev.h"
#include "core/mount/mount.h"
#include "core/sys/beneath.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

bool is_absent(int err) { return err == ENOENT || err == ENOTDIR; }

// Covers made at their first use, for all paths of one container.
class Covers {
 public:
  explicit Covers(int root) : root_(root) {}

  Result<UniqueFd> for_file() {
    if (!null_) {
      null_ = TRY(open_in_root_nofollow(root_, "/dev/null", O_PATH));
      TRY(check_device(null_.get(), 1, 3));
    }
    return copy_mount(null_.get(), "", false);
  }

  Result<UniqueFd> for_directory() {
    if (!empty_) empty_ = empty_of_sysfs();
    if (empty_) return copy_mount(empty_.get(), "", false);
    Vector<std::string_view> options;
    options.push_back("size=0k");
    options.push_back("nr_inodes=2");
    options.push_back("mode=755");
    return make_filesystem("tmpfs", "tmpfs", options,
                           MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  }

  // A mount point that sysfs keeps empty for ever (sysfs_create_mount_point): where the container's sysfs is
  // read-only, it saves a file system of its own.
  UniqueFd empty_of_sysfs() const {
    constexpr long kSysfs = 0x62656572, kReadOnly = 1;
    auto empty = open_in_root_nofollow(root_, "/sys/fs/cgroup", O_PATH | O_DIRECTORY);
    sys::KernelStatfs info = {};
    if (!empty || !sys::fstatfs(empty->get(), info)) return UniqueFd();
    const bool fits = info.type == kSysfs && (info.flags & kReadOnly);
    return fits ? std::move(*empty) : UniqueFd();
  }

  // Copies can be made of an attached mount only.
  void keep_directory(UniqueFd attached) {
    if (!empty_) empty_ = std::move(attached);
  }

 private:
  int root_;
  UniqueFd null_;
  UniqueFd empty_;
};

Status mask(int root, std::string_view path, Covers& covers) {
  auto target = open_in_root(root, path, O_PATH);
  if (is_absent(target.err())) return Ok{};
  if (!target) return target.error();
  const auto info = TRY(sys::statx(target->get(), "", AT_EMPTY_PATH, STATX_TYPE));
  const bool directory = S_ISDIR(info.stx_mode);
  UniqueFd cover = TRY(directory ? covers.for_directory() : covers.for_file());
  TRY(attach_mount(cover.get(), target->get()));
  if (directory) covers.keep_directory(std::move(cover));
  return Ok{};
}

Status make_readonly(int root, std::string_view path) {
  auto target = open_in_root(root, path, O_PATH);
  if (is_absent(target.err())) return Ok{};
  if (!target) return target.error();
  UniqueFd copy = TRY(copy_mount(target->get(), "", true));
  auto done = set_mount_attributes(copy.get(), MOUNT_ATTR_RDONLY, 0, true);
  if (done) return attach_mount(copy.get(), target->get());
  if (done.err() != ENOSYS) return done;
  // Before Linux 5.12 one mount at a time becomes read-only: what is mounted below is then not shown at all.
  copy = TRY(copy_mount(target->get(), "", false));
  return attach_with_attributes(copy.get(), target->get(), MOUNT_ATTR_RDONLY, 0);
}

}  // namespace

Status mask_paths(int root, const Vector<std::string_view>& paths) {
  Covers covers(root);
  for (std::string_view path : paths)
    if (auto done = mask(root, path, covers); !done) return done.error().while_doing("mask ", path);
  return Ok{};
}

Status make_paths_readonly(int root, const Vector<std::string_view>& paths) {
  for (std::string_view path : paths)
    if (auto done = make_readonly(root, path); !done)
      return done.error().while_doing("make read-only ", path);
  return Ok{};
}

}  // namespace nsbox
