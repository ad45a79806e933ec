#include <fcntl.h>
#include <linux/openat2.h>

#include <cerrno>

#include "core/layer/changes.h"
#include "core/layer/copy.h"
#include "core/sys/beneath.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

// What was made inside must not gain power by coming out.
constexpr uint32_t kSafePermissions = 01777;

class Applier {
 public:
  Applier(int target, const Vector<std::string_view>& paths) : target_(target), paths_(paths) {}

  Result<uint64_t> apply(int upper) {
    UniqueFd top = TRY(sys::openat(upper, ".", O_RDONLY | O_DIRECTORY));
    TRY(apply_directory(top.get(), String(), 0));
    return changed_;
  }

 private:
  // Wanted itself, or on the way to something that is.
  bool is_wanted(std::string_view path) const {
    for (std::string_view wanted : paths_)
      if (wanted.empty() || path == wanted ||
          (path.starts_with(wanted) && path.size() > wanted.size() && path[wanted.size()] == '/'))
        return true;
    return false;
  }
  bool leads_to_wanted(std::string_view path) const {
    for (std::string_view wanted : paths_)
      if (wanted.starts_with(path) && wanted.size() > path.size() && wanted[path.size()] == '/') return true;
    return false;
  }

  Status apply_directory(int from, const String& path, int depth) {
    if (depth > kMaxTreeDepth) return Error::plain(ELOOP, path, ": nested too deeply");
    for (const DirectoryEntry& entry : TRY(read_directory(from))) {
      const String inside = path.empty() ? entry.name : format(path, "/", entry.name);
      const bool wanted = is_wanted(inside);
      if (!wanted && !leads_to_wanted(inside)) continue;
      auto done = apply_entry(from, path, entry.name.c_str(), inside, wanted, depth);
      if (!done) return done.error().while_doing("apply ", inside);
    }
    return Ok{};
  }

  Result<UniqueFd> open_target(const String& path) const {
    const String name = path.empty() ? String(".") : path;
    return sys::openat2(target_, name.c_str(), O_RDONLY | O_DIRECTORY, 0,
                        RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
  }

  Status apply_entry(int from, const String& parent, const char* name, const String& path, bool wanted,
                     int depth) {
    const auto info = TRY(sys::statx(from, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS));
    if (S_ISDIR(info.stx_mode)) return apply_subdirectory(from, parent, name, path, info, wanted, depth);
    UniqueFd to = TRY(open_target(parent));
    if (is_whiteout(info.stx_mode, info.stx_rdev_major, info.stx_rdev_minor)) {
      changed_++;
      return remove_tree_at(to.get(), name);
    }
    return replace(from, to.get(), name, info);
  }

  Status apply_subdirectory(int from, const String& parent, const char* name, const String& path,
                            const struct statx& info, bool wanted, int depth) {
    UniqueFd source = TRY(sys::openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    UniqueFd to = TRY(open_target(parent));
    // An opaque directory stands in the place of the one below it.
    if (wanted && is_opaque(source.get())) TRY(remove_tree_at(to.get(), name));
    auto made = sys::mkdirat(to.get(), name, 0755);
    if (made.err() == EEXIST) {
      auto there = sys::statx(to.get(), name, AT_SYMLINK_NOFOLLOW, STATX_TYPE);
      if (there && !S_ISDIR(there->stx_mode) && wanted) {
        TRY(remove_tree_at(to.get(), name));
        made = sys::mkdirat(to.get(), name, 0755);
      }
    }
    if (!made && made.err() != EEXIST) return made;
    if (made) changed_++;
    TRY(apply_directory(source.get(), path, depth + 1));
    if (!wanted) return Ok{};
    // By descriptor: the name may be a link by now.
    auto there = open_target(path);
    if (there) (void)sys::fchmod(there->get(), info.stx_mode & kSafePermissions);
    return Ok{};
  }

  // Written aside and renamed: whoever looks sees the old file or the new one.
  Status replace(int from, int to, const char* name, const struct statx& info) {
    const String aside = format(".nsbox-apply-", sys::gettid(), "-", changed_);
    auto made = make_aside(from, to, name, aside.c_str(), info);
    if (!made && made.err() == EOPNOTSUPP) return Ok{};
    if (made) made = move_into_place(to, aside.c_str(), name);
    if (!made) {
      (void)sys::unlinkat(to, aside.c_str(), 0);
      return made;
    }
    changed_++;
    return Ok{};
  }

  static Status move_into_place(int to, const char* aside, const char* name) {
    auto moved = sys::renameat2(to, aside, to, name, 0);
    if (moved.err() != EISDIR) return moved;
    TRY(remove_tree_at(to, name));
    return sys::renameat2(to, aside, to, name, 0);
  }

  static Status make_aside(int from, int to, const char* name, const char* aside, const struct statx& info) {
    if (S_ISREG(info.stx_mode)) {
      TRY(copy_file(from, name, to, aside, info.stx_mode & kSafePermissions));
      UniqueFd made = TRY(sys::openat(to, aside, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
      (void)sys::fremovexattr(made.get(), "security.capability");
      return Ok{};
    }
    if (!S_ISLNK(info.stx_mode)) return Error(EOPNOTSUPP);
    char target[4096];
    const size_t length = TRY(sys::readlinkat(from, name, target, sizeof target - 1));
    target[length] = '\0';
    return sys::symlinkat(target, to, aside);
  }

  int target_;
  const Vector<std::string_view>& paths_;
  uint64_t changed_ = 0;
};

}  // namespace

Result<uint64_t> apply_changes(int upper, int target, const Vector<std::string_view>& paths) {
  return Applier(target, paths).apply(upper);
}

}  // namespace nsbox
