#include "core/layer/attributes.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

namespace nsbox {
namespace {

constexpr const char* kOwnerRecord = "user.containers.override_stat";

bool is_overlays(std::string_view name) {
  return name.starts_with("trusted.overlay.") || name.starts_with("user.overlay.");
}

// Overlay's marks and the record of an owner are ours to write: in a layer they would be orders to the
// kernel. A label of SELinux is that of the machine that made the image, and means nothing on this one.
bool is_kept_out(std::string_view name) {
  return is_overlays(name) || name == kOwnerRecord || name == "security.selinux";
}

// A file system without attributes unpacks all the same, and a user may set few of them.
bool may_lack(int err, std::string_view name, UnpackAs as) {
  if (err == EOPNOTSUPP) return true;
  return err == EPERM && (as == UnpackAs::kUser || name.starts_with("user."));
}

template <typename Set>
Status set_xattrs(const TarEntry& entry, UnpackAs as, Set set) {
  for (const PaxRecord& one : entry.xattrs) {
    const std::string_view name = one.key;
    if (is_kept_out(name)) continue;
    auto done = set(one.key.c_str(), one.value);
    if (!done && !may_lack(done.err(), name, as)) return done.error().while_doing("set ", name);
  }
  return Ok{};
}

// A file system may have none.
Status copy_xattrs(int from, int to) {
  char names[4096], value[4096];
  auto size = sys::flistxattr(from, names, sizeof names);
  if (!size) return size.err() == EOPNOTSUPP ? Status(Ok{}) : Status(size.error());
  for (size_t at = 0; at < *size; at += strlen(names + at) + 1) {
    const char* const name = names + at;
    if (is_overlays(name)) continue;
    const size_t length = TRY(sys::fgetxattr(from, name, value, sizeof value));
    auto done = sys::fsetxattr(to, name, value, length, 0);
    if (!done && done.err() != EPERM) return done.error().while_doing("set ", name);
  }
  return Ok{};
}

Status record_owner(int fd, const TarEntry& entry) {
  if (entry.user == 0 && entry.group == 0) return Ok{};
  const String value = format(entry.user, ':', entry.group, ":0", Octal{entry.mode});
  auto done = sys::fsetxattr(fd, kOwnerRecord, value.c_str(), value.size(), 0);
  if (!done && done.err() != EOPNOTSUPP) return done.error().while_doing("record the owner");
  return Ok{};
}

Status set_owner(int fd, const TarEntry& entry, UnpackAs as) {
  if (as == UnpackAs::kUser) return record_owner(fd, entry);
  auto done = sys::fchown(fd, entry.user, entry.group);
  if (!done) return done.error().while_doing("give to ", entry.user, ':', entry.group);
  return Ok{};
}

}  // namespace

sys::Times times_of(const TarTime& time) {
  return {time.seconds, time.nanoseconds, time.seconds, time.nanoseconds};
}

Status set_owner_and_xattrs(int fd, const TarEntry& entry, UnpackAs as) {
  TRY(set_owner(fd, entry, as));
  return set_xattrs(entry, as, [&](const char* name, const String& value) {
    return sys::fsetxattr(fd, name, value.c_str(), value.size(), 0);
  });
}

Status set_file_attributes(int fd, const TarEntry& entry, UnpackAs as) {
  TRY(set_owner_and_xattrs(fd, entry, as));
  TRY(sys::fchmod(fd, entry.mode));
  return sys::utimensat(fd, nullptr, times_of(entry.modified), 0);
}

Status set_special_attributes(int parent, const char* name, const TarEntry& entry, UnpackAs as) {
  if (as == UnpackAs::kRoot) TRY(sys::fchownat(parent, name, entry.user, entry.group, AT_SYMLINK_NOFOLLOW));
  const String path = format("/proc/self/fd/", parent, '/', name);
  TRY(set_xattrs(entry, as, [&](const char* key, const String& value) {
    return sys::lsetxattr(path.c_str(), key, value.c_str(), value.size(), 0);
  }));
  if (entry.type != TarType::kSymlink) TRY(sys::fchmodat(parent, name, entry.mode));
  return sys::utimensat(parent, name, times_of(entry.modified), AT_SYMLINK_NOFOLLOW);
}

Status copy_attributes(int from, int to, UnpackAs as) {
  const auto info = TRY(sys::statx(from, "", AT_EMPTY_PATH, STATX_BASIC_STATS));
  if (as == UnpackAs::kRoot) TRY(sys::fchown(to, info.stx_uid, info.stx_gid));
  TRY(copy_xattrs(from, to));
  TRY(sys::fchmod(to, info.stx_mode & 07777U));
  return sys::utimensat(to, nullptr, times_of({info.stx_mtime.tv_sec, info.stx_mtime.tv_nsec}), 0);
}

Status mark_opaque(int directory, UnpackAs as) {
  const char* name = as == UnpackAs::kRoot ? "trusted.overlay.opaque" : "user.overlay.opaque";
  auto done = sys::fsetxattr(directory, name, "y", 1, 0);
  if (!done) return done.error().while_doing("set ", name);
  return Ok{};
}

}  // namespace nsbox
