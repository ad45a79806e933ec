#pragma once

#include <optional>

#include "core/container/plan.h"
#include "core/container/rootfs.h"
#include "core/mount/overlay.h"

namespace nsbox {

// Makes the overlays of one box: their uppers in one scratch space, their lowers with the snapshot's layers
// on top.
class OverlayMaker {
 public:
  explicit OverlayMaker(const Plan& plan) : plan_(plan) {}

  // A detached overlay over `lower`, to be attached at `target`.
  Result<UniqueFd> make(std::string_view target, int lower, uint64_t attributes);
  // All overlays are made: what is left of the making goes with the old root.
  void finish() {
    if (scratch_) scratch_->leave_to_old_root();
  }
  Vector<OverlayLayer> take() { return std::move(layers_); }

 private:
  Status open_snapshot(std::string_view target, Vector<UniqueFd>& out);
  OverlayMarks marks() const;

  const Plan& plan_;
  std::optional<Scratch> scratch_;
  Vector<OverlayLayer> layers_;
};

}  // namespace nsbox
