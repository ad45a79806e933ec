#pragma once

#include <span>

#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/sys/unique_fd.h"

// Overlay file systems (Documentation/filesystems/overlayfs.rst): lower layers shown copy-on-write.
namespace nsbox {

// Where a container's writes go: a file system with one numbered directory an overlay, each with an upper
// directory "u" and a work directory "w".
class Scratch {
 public:
  // A tmpfs that lives and dies with the container's mounts; `size` in bytes, 0 for the kernel's default
  // (half of the memory). What is written there counts as the container's memory.
  static Result<Scratch> create(uint64_t size);
  // An empty directory of the host's, for kernels whose tmpfs cannot hold an ordinary user's overlay marks
  // (before 6.6).
  static Result<Scratch> use(std::string_view path);

  struct Layer {
    UniqueFd upper;  // O_PATH
    UniqueFd work;
  };
  // The directories of the next overlay; the upper one gets the mode, owner and times of `like`.
  Result<Layer> add_layer(int like);

  // Puts it in the mount namespace, for kernels whose overlay wants its upper there (before 6.15). Says
  // whether that was new.
  bool attach();
  // Leaves it to the old root, which is let go as a whole: a detached mount that is closed by itself waits
  // for a grace period of its own. Nothing may be looked up in the host's /proc after this.
  void leave_to_old_root();

  int fd() const { return mount_.get(); }

 private:
  Scratch(UniqueFd mount, bool attached) : mount_(std::move(mount)), attached_(attached) {}

  UniqueFd mount_;
  unsigned layers_ = 0;
  bool attached_;
};

// How overlay keeps its marks: trusted.overlay.* takes CAP_SYS_ADMIN in the first user namespace.
enum class OverlayMarks { kTrusted, kUser };

struct OverlayOptions {
  std::span<const int> lowers;  // Directories, the topmost first.
  int upper = -1;               // -1: read-only.
  int work = -1;
  OverlayMarks marks = OverlayMarks::kTrusted;
  uint64_t attributes = 0;  // MOUNT_ATTR_*
};

// A detached overlay mount.
Result<UniqueFd> make_overlay(const OverlayOptions& options);

}  // namespace nsbox
