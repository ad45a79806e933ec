#include "core/container/rootfs.h"

#include <fcntl.h>
#include <linux/sched.h>

#include <cerrno>
#include <optional>

#include "core/container/cgroup_mount.h"
#include "core/container/overlay_maker.h"
#include "core/container/split_root.h"
#include "core/mount/masks.h"
#include "core/mount/rootfs.h"
#include "core/sys/beneath.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

class Builder {
 public:
  explicit Builder(const Plan& plan) : plan_(plan), config_(plan.config), overlays_(plan) {}

  Result<Rootfs> build() {
    TRY(detach_from_host(private_propagation()));
    TRY(make_root());
    TRY(mount_all());
    TRY(make_dev());
    TRY(mask_paths(root_.get(), config_.masked_paths));
    TRY(make_paths_readonly(root_.get(), config_.readonly_paths));
    TRY(find_proc());
    TRY(seal());
    overlays_.finish();
    TRY(pivot_into(root_.get()));
    return Rootfs{std::move(root_), std::move(proc_), overlays_.take()};
  }

 private:
  static uint64_t private_propagation() { return uint64_t{1} << 18; }  // MS_PRIVATE

  Status make_root() {
    auto lower = sys::open(String(config_.root_path).c_str(), O_PATH | O_DIRECTORY);
    if (!lower) return lower.error().while_doing("open the root ", config_.root_path);
    auto made = make_root_mount(lower->get());
    if (!made) return made.error().while_doing("make the root from ", config_.root_path);
    root_ = std::move(*made);
    return Ok{};
  }

  Result<UniqueFd> make_root_mount(int lower) {
    switch (plan_.root) {
      case RootKind::kOverlay: {
        UniqueFd made = TRY(overlays_.make("/", lower, root_attributes()));
        TRY(stage_root(made.get()));
        return made;
      }
      case RootKind::kSplit:
        return make_split_root(lower, overlays_, config_.mounts);
      case RootKind::kBind:
        break;
    }
    UniqueFd made = TRY(copy_mount(lower, "", true));
    TRY(stage_root(made.get()));
    return made;
  }

  // Device nodes in a root of the host's, or made in a box, open nothing: /dev alone has nodes that work.
  static uint64_t root_attributes() { return MOUNT_ATTR_NODEV; }

  Status mount_all() {
    for (const Mount& mount : config_.mounts) TRY(mount_one(mount));
    return Ok{};
  }

  Status mount_one(const Mount& mount) {
    if (mount.scratch_upper) {
      auto made = mount_scratch_overlay(mount);
      if (!made) return made.error().while_doing("mount overlay on ", mount.destination);
      return Ok{};
    }
    if (mount.destination == "/dev" && !mount.bind) return mount_dev(mount);
    if (mount.type == "cgroup" && !mount.bind) return mount_cgroups(root_.get(), mount);
    UniqueFd made = TRY(mount_beneath(root_.get(), mount));
    if (mount.type == "proc" && !mount.bind) proc_ = std::move(made);
    return Ok{};
  }

  // Its nodes are made when all mounts are there; only then can it become read-only.
  Status mount_dev(const Mount& mount) {
    Mount writable = mount;
    writable.set &= ~uint64_t{MOUNT_ATTR_RDONLY};
    dev_readonly_ = mount.set & MOUNT_ATTR_RDONLY;
    dev_ = TRY(mount_beneath(root_.get(), writable));
    return Ok{};
  }

  Status mount_scratch_overlay(const Mount& mount) {
    UniqueFd lower = TRY(sys::open(String(mount.source).c_str(), O_PATH | O_DIRECTORY));
    UniqueFd target = TRY(make_directories_in_root(root_.get(), mount.destination, 0755));
    auto made = overlays_.make(mount.destination, lower.get(), mount.set);
    // In a user namespace, the mounts below it are locked.
    if ((made.err() == EINVAL || made.err() == EPERM) && config_.has_namespace(CLONE_NEWUSER))
      return split_directory(lower.get(), target.get(), mount.destination, overlays_, config_.mounts);
    if (!made) return made.error();
    return attach_mount(made->get(), target.get());
  }

  Status make_dev() {
    // A configuration that binds its own /dev keeps it as it is.
    if (dev_) TRY(make_default_devices(root_.get()));
    return make_devices(root_.get(), config_.devices);
  }

  Status find_proc() {
    if (proc_) return Ok{};
    // Without a mount of it in the configuration there is one that nobody sees.
    auto made = make_filesystem("proc", "proc", {}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    if (made) proc_ = std::move(*made);
    return Ok{};
  }

  Status seal() {
    if (dev_readonly_) TRY(set_mount_attributes(dev_.get(), MOUNT_ATTR_RDONLY, 0, false));
    if (!config_.root_readonly) return Ok{};
    auto done = set_mount_attributes(root_.get(), MOUNT_ATTR_RDONLY, 0, false);
    if (!done) return done.error().while_doing("make the root read-only");
    return Ok{};
  }

  const Plan& plan_;
  const Config& config_;
  OverlayMaker overlays_;
  UniqueFd root_;
  UniqueFd proc_;
  UniqueFd dev_;
  bool dev_readonly_ = false;
};

}  // namespace

Result<Rootfs> enter_rootfs(const Plan& plan) { return Builder(plan).build(); }

}  // namespace nsbox
