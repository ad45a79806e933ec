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
  Vector<OverlayLayer> overlays;  // In the order of mounting.
};

// Builds all that the container sees, in a mount namespace of its own, and makes it the root.
Result<Rootfs> enter_rootfs(const Plan& plan);

}  // namespace nsbox
