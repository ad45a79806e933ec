#include "core/container/rootfs.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "core/container/cgroup_mount.h"
#include "core/container/overlay_maker.h"
#include "core/container/split_root.h"
#include "core/layer/copy.h"
#include "core/mount/masks.h"
#include "core/mount/rootfs.h"
#include "core/sys/beneath.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {

class RootfsBuilder::Builder {
 public:
  // Where the new root is mounted until it is entered.
  enum class Place : uint8_t { kOverSlash, kOnItself };

  Builder(const Plan& plan, Place place)
      : plan_(plan), config_(plan.config), place_(place), overlays_(plan) {}

  Status build(const EntryHooks& hooks) {
    hooks_ = hooks;
    if (place_ == Place::kOverSlash) TRY(detach_from_host(kPrivate));
    TRY(make_root());
    const size_t late = first_late_mount();
    TRY(mount_those(0, late));
    TRY(make_dev());
    TRY(find_proc());
    TRY(find_sysctls());
    TRY(mask_paths(root_.get(), config_.masked_paths));
    TRY(make_paths_readonly(root_.get(), config_.readonly_paths));
    TRY(mount_those(late, config_.mounts.size()));
    make_working_directory();
    TRY(seal());
    return join_groups();
  }

  Result<Rootfs> enter(RootEntry entry) {
    overlays_.finish();
    const uint64_t propagation = config_.rootfs_propagation;
    TRY(entry == RootEntry::kMove ? move_into(root_.get(), propagation)
                                  : pivot_into(root_.get(), propagation));
    TRY(finish_propagation(propagation, root_.get()));
    return Rootfs{std::move(root_), std::move(proc_), std::move(sysctls_), std::move(console_),
                  overlays_.take()};
  }

 private:
  static constexpr uint64_t kPrivate = uint64_t{1} << 18, kSlave = uint64_t{1} << 19;
  // Such a root goes on receiving what is mounted on the host.
  static constexpr uint64_t kReceiving = kSlave | uint64_t{1} << 20;

  Status join_network() {
    const auto enter = std::exchange(hooks_.network, nullptr);
    return enter ? enter(hooks_.context) : Status(Ok{});
  }

  Status join_groups() {
    TRY(join_network());
    const auto enter = std::exchange(hooks_.groups, nullptr);
    return enter ? enter(hooks_.context) : Status(Ok{});
  }

  Status stage(int made, int place) {
    return place_ == Place::kOverSlash ? stage_root(made) : stage_root_on(made, place);
  }

  Status make_root() {
    auto lower = sys::open(String(config_.root_path).c_str(), O_PATH | O_DIRECTORY);
    if (!lower) return lower.error().while_doing("open the root ", config_.root_path);
    if (place_ == Place::kOnItself) TRY(prepare_propagation(config_.rootfs_propagation, lower->get()));
    auto made = make_root_mount(lower->get());
    if (!made) return made.error().while_doing("make the root from ", config_.root_path);
    root_ = std::move(*made);
    return Ok{};
  }

  Result<UniqueFd> make_root_mount(int lower) {
    switch (plan_.root) {
      case RootKind::kOverlay: {
        UniqueFd made = TRY(overlays_.make("/", lower, root_attributes()));
        TRY(stage(made.get(), lower));
        return made;
      }
      case RootKind::kSplit:
        return make_split_root(lower, overlays_, config_.mounts);
      case RootKind::kBind:
        break;
    }
    UniqueFd made = TRY(copy_mount(lower, "", true));
    TRY(stage(made.get(), lower));
    return made;
  }

  // Device nodes in a root of the host's, or made in a box, open nothing: /dev alone has nodes that work.
  static uint64_t root_attributes() { return MOUNT_ATTR_NODEV; }

  Status mount_those(size_t from, size_t end) {
    for (size_t i = from; i < end; i++) TRY(mount_one(config_.mounts[i]));
    return Ok{};
  }

  // The view of the groups mostly comes last, and waits for them: what else there is to do is done before,
  // unless it could meet that view.
  size_t first_late_mount() const {
    const size_t count = config_.mounts.size();
    if (count == 0 || !shows_groups(config_.mounts[count - 1])) return count;
    const std::string_view place = config_.mounts[count - 1].destination;
    // What can be read in two ways ("/sys//fs", "/sys/x/../fs") says nothing.
    const auto is_plain = [](std::string_view path) {
      return path.find("//") == std::string_view::npos && path.find("/.") == std::string_view::npos;
    };
    const auto is_apart = [&](std::string_view path) {
      const bool is_kernels = path.starts_with("/proc/") || path.starts_with("/sys/");
      return is_kernels && is_plain(path) && !path.starts_with(place) && !place.starts_with(path);
    };
    const auto is_device = [](const Device& device) { return device.path.starts_with("/dev/"); };
    const bool all_apart =
        place.starts_with("/sys/") && is_plain(place) &&
        std::all_of(config_.masked_paths.begin(), config_.masked_paths.end(), is_apart) &&
        std::all_of(config_.readonly_paths.begin(), config_.readonly_paths.end(), is_apart) &&
        std::all_of(config_.devices.begin(), config_.devices.end(), is_device);
    return all_apart ? count - 1 : count;
  }

  static bool shows_groups(const Mount& mount) {
    return (mount.type == "cgroup" || mount.type == "cgroup2") && !mount.bind;
  }

  Status mount_one(const Mount& mount) {
    if (mount.scratch_upper) {
      auto made = mount_scratch_overlay(mount);
      if (!made) return made.error().while_doing("mount overlay on ", mount.destination);
      return Ok{};
    }
    if (mount.destination == "/dev" && !mount.bind) return mount_dev(mount);
    if (shows_groups(mount)) {
      TRY(join_groups());
      return mount_cgroups(root_.get(), mount, plan_.cgroup_layout ? &*plan_.cgroup_layout : nullptr);
    }
    if (mount.type == "sysfs" && !mount.bind) TRY(join_network());
    UniqueFd made = TRY(mount_beneath(root_.get(), mount, &copy_tree));
    if (mount.type == "proc" && !mount.bind) proc_ = std::move(made);
    return Ok{};
  }

  // Its nodes are made when all mounts are there; only then can it become read-only.
  Status mount_dev(const Mount& mount) {
    Mount writable = mount;
    writable.set &= ~uint64_t{MOUNT_ATTR_RDONLY};
    dev_readonly_ = mount.set & MOUNT_ATTR_RDONLY;
    dev_ = TRY(mount_beneath(root_.get(), writable, &copy_tree));
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
    TRY(make_devices(root_.get(), config_.devices));
    if (!dev_ || !config_.process || !config_.process->terminal) return Ok{};
    auto console = make_console_place(root_.get());
    if (!console) return console.error().while_doing("make /dev/console");
    console_ = std::move(*console);
    return Ok{};
  }

  // Where it cannot be made, entering it says so.
  void make_working_directory() {
    if (!plan_.make_cwd || !config_.process || config_.process->cwd.empty()) return;
    (void)make_directories_in_root(root_.get(), config_.process->cwd, 0755);
  }

  Status find_proc() {
    if (proc_) return Ok{};
    // Without a mount of it in the configuration there is one that nobody sees.
    auto made = make_filesystem("proc", "proc", {}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    if (made) proc_ = std::move(*made);
    return Ok{};
  }

  // They are set when hooks have made the network's devices, and most callers want /proc/sys to be read-only,
  // which lies over it by then.
  Status find_sysctls() {
    if (config_.sysctls.empty()) return Ok{};
    auto found = sys::openat2(proc_.get(), "sys", O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
                              RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH);
    if (!found) return found.error().while_doing("open the kernel parameters");
    sysctls_ = std::move(*found);
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
  Place place_;
  EntryHooks hooks_;
  OverlayMaker overlays_;
  UniqueFd root_;
  UniqueFd proc_;
  UniqueFd sysctls_;
  UniqueFd console_;
  UniqueFd dev_;
  bool dev_readonly_ = false;
};

RootfsBuilder::RootfsBuilder(const Plan& plan) : builder_(new Builder(plan, Builder::Place::kOnItself)) {}
RootfsBuilder::~RootfsBuilder() { delete builder_; }
Status RootfsBuilder::build(const EntryHooks& hooks) { return builder_->build(hooks); }
Result<Rootfs> RootfsBuilder::enter(RootEntry entry) { return builder_->enter(entry); }

Result<Rootfs> enter_rootfs(const Plan& plan) {
  using Builder = RootfsBuilder::Builder;
  Builder builder(plan, Builder::Place::kOverSlash);
  TRY(builder.build({}));
  return builder.enter(RootEntry::kPivot);
}

}  // namespace nsbox
