#pragma once

#include "core/container/plan.h"
#include "core/mount/overlay.h"

namespace nsbox {

// One overlay of the box: where it is seen, and where its writes are.
struct OverlayLayer {
  String target;
  UniqueFd upper;
};

struct Rootfs {
  UniqueFd root;                  // The mount that is the container's "/".
  UniqueFd proc;                  // The container's procfs: the only one that is ever written to.
  UniqueFd sysctls;               // Its sys, where the configuration sets any: below what covers it.
  UniqueFd console;               // A file where the terminal goes, if the process has one.
  Vector<OverlayLayer> overlays;  // In the order of mounting.
};

// What the caller enters meanwhile, each as late as can be. Called once each, the network first.
struct EntryHooks {
  // Before the first sysfs is mounted, which shows the devices of its network (or when all else is done).
  Status (*network)(void* context) = nullptr;
  // Before the first cgroup is mounted: the namespace of groups begins where its process is.
  Status (*groups)(void* context) = nullptr;
  void* context = nullptr;
};

// How the root becomes "/".
enum class RootEntry : uint8_t {
  kPivot,  // pivot_root(2)
  kMove,   // MS_MOVE and chroot(2), for a caller on a ramfs (--no-pivot).
};

// Builds all that the container sees, in a mount namespace of its own, on the root's own place in the host's
// tree: there hooks find it.
class RootfsBuilder {
 public:
  explicit RootfsBuilder(const Plan& plan);
  ~RootfsBuilder();
  RootfsBuilder(const RootfsBuilder&) = delete;
  RootfsBuilder& operator=(const RootfsBuilder&) = delete;

  Status build(const EntryHooks& hooks);
  // Makes it the root; what lay outside is out of reach from then on.
  Result<Rootfs> enter(RootEntry entry);

  class Builder;

 private:
  Builder* builder_;
};

// Both at once, with the root mounted over "/", where nothing of the host's tree is above it.
Result<Rootfs> enter_rootfs(const Plan& plan);

}  // namespace nsbox
