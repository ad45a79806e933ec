#include "core/container/split_root.h"

#include <dirent.h>
#include <fcntl.h>

#include <cerrno>

#include "core/mount/mount.h"
#include "core/mount/rootfs.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr int kMaxDepth = 4;

class Splitter {
 public:
  Splitter(OverlayMaker& overlays, const Vector<Mount>& mounts) : overlays_(overlays), mounts_(mounts) {}

  // Shows what is in `lower` in `shown`, a directory of the tmpfs with the container's path `path`.
  Status split(int lower, int shown, const String& path, int depth) {
    UniqueFd listing = TRY(sys::openat(lower, ".", O_RDONLY | O_DIRECTORY));
    for (const DirectoryEntry& entry : TRY(read_directory(listing.get()))) {
      const String inside = format(path, "/", entry.name);
      auto done = show(lower, shown, entry, inside, depth);
      // A place that this user may not look into is not shown.
      if (!done && done.err() != EACCES) return done.error().while_doing("show ", inside);
    }
    return Ok{};
  }

 private:
  Status show(int lower, int shown, const DirectoryEntry& entry, const String& inside, int depth) {
    const char* name = entry.name.c_str();
    if (entry.type == DT_LNK) return copy_link(lower, shown, name);
    if (entry.type == DT_REG) return bind_file(lower, shown, name);
    if (entry.type != DT_DIR) return Ok{};
    const auto info = TRY(sys::statx(lower, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS));
    TRY(sys::mkdirat(shown, name, info.stx_mode & 07777));
    if (is_covered(inside)) return Ok{};
    UniqueFd source = TRY(sys::openat(lower, name, O_PATH | O_DIRECTORY | O_NOFOLLOW));
    UniqueFd target = TRY(sys::openat(shown, name, O_PATH | O_DIRECTORY | O_NOFOLLOW));
    auto made = overlays_.make(inside, source.get(), MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID);
    if (made) return attach_mount(made->get(), target.get());
    const bool has_mounts_below = made.err() == EINVAL || made.err() == EPERM;
    if (!has_mounts_below || depth == kMaxDepth) return made.error();
    return split(source.get(), target.get(), inside, depth + 1);
  }

  bool is_covered(std::string_view path) const {
    for (const Mount& mount : mounts_)
      if (mount.destination == path) return true;
    return false;
  }

  static Status copy_link(int lower, int shown, const char* name) {
    char target[4096];
    const size_t length = TRY(sys::readlinkat(lower, name, target, sizeof target - 1));
    target[length] = '\0';
    return sys::symlinkat(target, shown, name);
  }

  static Status bind_file(int lower, int shown, const char* name) {
    UniqueFd source = TRY(copy_mount(lower, name, false));
    TRY(set_mount_attributes(source.get(), MOUNT_ATTR_RDONLY, 0, false));
    TRY(sys::openat(shown, name, O_CREAT | O_EXCL | O_WRONLY, 0644));
    UniqueFd target = TRY(sys::openat(shown, name, O_PATH | O_NOFOLLOW));
    return attach_mount(source.get(), target.get());
  }

  OverlayMaker& overlays_;
  const Vector<Mount>& mounts_;
};

}  // namespace

namespace {

Result<UniqueFd> make_skeleton() {
  Vector<std::string_view> options;
  options.push_back("mode=755");
  options.push_back("size=1m");
  return make_filesystem("tmpfs", "nsbox-root", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

}  // namespace

Status split_directory(int lower, int target, std::string_view path, OverlayMaker& overlays,
                       const Vector<Mount>& mounts) {
  UniqueFd skeleton = TRY(make_skeleton());
  TRY(attach_mount(skeleton.get(), target));
  return Splitter(overlays, mounts).split(lower, skeleton.get(), String(path), 0);
}

Result<UniqueFd> make_split_root(int lower, OverlayMaker& overlays, const Vector<Mount>& mounts) {
  UniqueFd root = TRY(make_skeleton());
  TRY(stage_root(root.get()));
  TRY(Splitter(overlays, mounts).split(lower, root.get(), String(), 0));
  return root;
}

}  // namespace nsbox
