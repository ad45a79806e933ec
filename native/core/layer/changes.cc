#include "core/layer/changes.h"

#include <fcntl.h>
#include <linux/openat2.h>

#include <cerrno>

#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {

bool is_whiteout(uint32_t mode, uint32_t major, uint32_t minor) {
  return (mode & S_IFMT) == S_IFCHR && major == 0 && minor == 0;
}

bool is_opaque(int directory) {
  char value[2] = {};
  for (const char* name : {"trusted.overlay.opaque", "user.overlay.opaque"}) {
    auto size = sys::fgetxattr(directory, name, value, sizeof value);
    if (size && *size == 1 && value[0] == 'y') return true;
  }
  return false;
}

namespace {

class Lister {
 public:
  Lister(std::span<const int> lowers, Vector<Change>& out) : lowers_(lowers), out_(out) {}

  // `hidden`: a directory above is opaque, so nothing below counts as existing.
  Status list(int dir, const String& path, bool hidden, int depth) {
    // A tree made to be endless is told by its directory: the rest of the changes must not be lost over it.
    if (depth > kMaxTreeDepth) return Ok{};
    for (const DirectoryEntry& entry : TRY(read_directory(dir))) {
      const String inside = path.empty() ? entry.name : format(path, "/", entry.name);
      auto done = list_entry(dir, entry.name.c_str(), inside, hidden, depth);
      if (!done) return done.error().while_doing("read the change ", inside);
    }
    return Ok{};
  }

 private:
  Status list_entry(int dir, const char* name, const String& path, bool hidden, int depth) {
    const auto info = TRY(sys::statx(dir, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS));
    if (is_whiteout(info.stx_mode, info.stx_rdev_major, info.stx_rdev_minor)) {
      out_.push_back({ChangeKind::kDeleted, path, 0, 0});
      return Ok{};
    }
    struct statx below = {};
    const bool exists = !hidden && find_below(path.c_str(), below);
    const ChangeKind kind = exists ? ChangeKind::kModified : ChangeKind::kAdded;
    if (!S_ISDIR(info.stx_mode)) {
      out_.push_back({kind, path, info.stx_mode, info.stx_size});
      return Ok{};
    }
    UniqueFd inner = TRY(sys::openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    const bool opaque = is_opaque(inner.get());
    const bool same = exists && !opaque && below.stx_mode == info.stx_mode && below.stx_uid == info.stx_uid &&
                      below.stx_gid == info.stx_gid;
    if (!same) out_.push_back({kind, path, info.stx_mode, 0});
    return list(inner.get(), path, hidden || opaque, depth + 1);
  }

  bool find_below(const char* path, struct statx& out) const {
    for (const int lower : lowers_) {
      auto fd = sys::openat2(lower, path, O_PATH | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
      if (!fd && hides(lower, path)) return false;
      if (!fd) continue;
      auto info = sys::statx(fd->get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS);
      if (!info) continue;
      out = *info;
      return !is_whiteout(out.stx_mode, out.stx_rdev_major, out.stx_rdev_minor);
    }
    return false;
  }

  // Whether a layer hides a path that it does not have from the layers below: by a directory on the way that
  // is opaque, or by anything there that is no directory.
  static bool hides(int lower, std::string_view path) {
    for (size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
      auto above =
          sys::openat2(lower, String(path.substr(0, slash)).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
                       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
      if (above.err() == ENOENT || above.err() == EACCES) return false;
      if (!above || is_opaque(above->get())) return true;
    }
    return false;
  }

  std::span<const int> lowers_;
  Vector<Change>& out_;
};

}  // namespace

Result<Vector<Change>> list_changes(int upper, std::span<const int> lowers) {
  UniqueFd top = TRY(sys::openat(upper, ".", O_RDONLY | O_DIRECTORY));
  Vector<Change> out;
  TRY(Lister(lowers, out).list(top.get(), String(), false, 0));
  return out;
}

}  // namespace nsbox
