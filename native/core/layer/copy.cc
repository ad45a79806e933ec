#include "core/layer/copy.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "core/layer/changes.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr uint32_t kPermissions = 07777;
constexpr const char* kCapability = "security.capability";

sys::Times times_of(const struct statx& info) {
  return {info.stx_atime.tv_sec, info.stx_atime.tv_nsec, info.stx_mtime.tv_sec, info.stx_mtime.tv_nsec};
}

Status copy_bytes(int from, int to, uint64_t size) {
  // In the kernel where it can (reflinks, too); by hand between file systems that it cannot copy between.
  uint64_t done = 0;
  while (done < size) {
    auto copied = sys::copy_file_range(from, nullptr, to, nullptr, size - done);
    if (!copied && done == 0) break;
    if (!copied) return copied.error();
    if (*copied == 0) break;
    done += *copied;
  }
  char buffer[65536];
  for (;;) {
    const size_t got = TRY(sys::read(from, buffer, sizeof buffer));
    if (!got) return Ok{};
    TRY(write_all(to, buffer, got));
  }
}

// Overlay's marks and the user's own attributes; what this user may not set is left out.
void copy_xattrs(int from, int to) {
  char names[8192];
  auto size = sys::flistxattr(from, names, sizeof names);
  if (!size) return;
  char value[65536];
  for (size_t at = 0; at < *size;) {
    const std::string_view name(names + at);
    auto length = sys::fgetxattr(from, names + at, value, sizeof value);
    if (length) (void)sys::fsetxattr(to, names + at, value, *length, 0);
    at += name.size() + 1;
  }
}

class TreeCopy {
 public:
  Status copy(int from, int to, int depth) {
    if (depth > kMaxTreeDepth) return Error::plain(ELOOP, "nested too deeply");
    for (const DirectoryEntry& entry : TRY(read_directory(from))) {
      auto done = copy_entry(from, to, entry.name.c_str(), depth);
      if (!done) return done.error().while_doing("copy ", entry.name);
    }
    return Ok{};
  }

 private:
  Status copy_entry(int from, int to, const char* name, int depth) {
    const auto info = TRY(sys::statx(from, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS));
    switch (info.stx_mode & S_IFMT) {
      case S_IFDIR:
        return copy_directory(from, to, name, info, depth);
      case S_IFREG:
        TRY(copy_file(from, name, to, name, info.stx_mode & kPermissions));
        break;
      case S_IFLNK:
        TRY(copy_link(from, to, name));
        break;
      default:
        if (!make_special(to, name, info)) return Ok{};
    }
    (void)sys::fchownat(to, name, info.stx_uid, info.stx_gid, AT_SYMLINK_NOFOLLOW);
    if (S_ISREG(info.stx_mode)) TRY(restore_power(from, to, name, info));
    return sys::utimensat(to, name, times_of(info), AT_SYMLINK_NOFOLLOW);
  }

  // The kernel takes set-user-ID bits and capabilities from a file whose owner changes.
  static Status restore_power(int from, int to, const char* name, const struct statx& info) {
    if (info.stx_mode & 06000) (void)sys::fchmodat(to, name, info.stx_mode & kPermissions);
    UniqueFd source = TRY(sys::openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    char value[64];
    auto size = sys::fgetxattr(source.get(), kCapability, value, sizeof value);
    if (!size) return Ok{};
    UniqueFd made = TRY(sys::openat(to, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    (void)sys::fsetxattr(made.get(), kCapability, value, *size, 0);
    return Ok{};
  }

  Status copy_directory(int from, int to, const char* name, const struct statx& info, int depth) {
    UniqueFd source = TRY(sys::openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    TRY(sys::mkdirat(to, name, 0700));
    UniqueFd made = TRY(sys::openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    TRY(copy(source.get(), made.get(), depth + 1));
    copy_xattrs(source.get(), made.get());
    (void)sys::fchown(made.get(), info.stx_uid, info.stx_gid);
    TRY(sys::fchmod(made.get(), info.stx_mode & kPermissions));
    return sys::utimensat(to, name, times_of(info), AT_SYMLINK_NOFOLLOW);
  }

  static Status copy_link(int from, int to, const char* name) {
    char target[4096];
    const size_t length = TRY(sys::readlinkat(from, name, target, sizeof target - 1));
    target[length] = '\0';
    return sys::symlinkat(target, to, name);
  }

  // A whiteout may be made by anybody (Linux 5.8); a device not.
  static bool make_special(int to, const char* name, const struct statx& info) {
    const uint64_t device = (info.stx_rdev_minor & 0xFF) | uint64_t{info.stx_rdev_major} << 8 |
                            uint64_t{info.stx_rdev_minor & ~0xFFU} << 12;
    return static_cast<bool>(sys::mknodat(to, name, info.stx_mode, device));
  }
};

}  // namespace

Status copy_file(int from_dir, const char* from, int to_dir, const char* to, uint32_t mode) {
  UniqueFd source = TRY(sys::openat(from_dir, from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  const auto info = TRY(sys::statx(source.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS));
  UniqueFd made = TRY(sys::openat(to_dir, to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  TRY(copy_bytes(source.get(), made.get(), info.stx_size));
  copy_xattrs(source.get(), made.get());
  TRY(sys::fchmod(made.get(), mode));
  return sys::utimensat(to_dir, to, times_of(info), AT_SYMLINK_NOFOLLOW);
}

Status copy_tree(int from, int to) {
  UniqueFd source = TRY(sys::openat(from, ".", O_RDONLY | O_DIRECTORY));
  TRY(TreeCopy().copy(source.get(), to, 0));
  copy_xattrs(source.get(), to);
  const auto info = TRY(sys::statx(source.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS));
  (void)sys::fchown(to, info.stx_uid, info.stx_gid);
  return sys::fchmod(to, info.stx_mode & kPermissions);
}

}  // namespace nsbox
