#include "core/container/overlay_maker.h"

#include <fcntl.h>
#include <linux/sched.h>

#include <cerrno>

#include "core/mount/mount.h"
#include "core/mount/rootfs.h"
#include "core/sys/syscalls.h"

namespace nsbox {

OverlayMarks OverlayMaker::marks() const {
  return plan_.config.has_namespace(CLONE_NEWUSER) ? OverlayMarks::kUser : OverlayMarks::kTrusted;
}

Status OverlayMaker::open_snapshot(std::string_view target, Vector<UniqueFd>& out) {
  for (const SnapshotLayers& snapshot : plan_.snapshots) {
    if (snapshot.target != target) continue;
    for (std::string_view path : snapshot.lowers) {
      auto layer = sys::open(String(path).c_str(), O_PATH | O_DIRECTORY);
      if (!layer) return layer.error().while_doing("open the snapshot's layer ", path);
      out.push_back(std::move(*layer));
    }
  }
  return Ok{};
}

Result<UniqueFd> OverlayMaker::make(std::string_view target, int lower, uint64_t attributes) {
  if (!scratch_)
    scratch_ = TRY(plan_.scratch_path.empty() ? Scratch::create(plan_.scratch_size)
                                              : Scratch::use(plan_.scratch_path));
  Vector<UniqueFd> frozen;
  TRY(open_snapshot(target, frozen));
  Vector<int> lowers;
  for (const UniqueFd& one : frozen) lowers.push_back(one.get());
  lowers.push_back(lower);
  Scratch::Layer layer = TRY(scratch_->add_layer(lowers[0]));
  const OverlayOptions options = {
      .lowers = lowers,
      .upper = layer.upper.get(),
      .work = layer.work.get(),
      .marks = marks(),
      .attributes =
          attributes |
          (plan_.root == RootKind::kSplit && plan_.config.root_readonly ? uint64_t{MOUNT_ATTR_RDONLY} : 0)};
  auto made = make_overlay(options);
  if (made.err() == EINVAL && scratch_->attach()) made = make_overlay(options);
  if (!made) return made;
  layers_.push_back({String(target), std::move(layer.upper)});
  return made;
}

}  // namespace nsbox
