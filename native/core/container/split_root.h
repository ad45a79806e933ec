#pragma once

#include "core/container/overlay_maker.h"

namespace nsbox {

// A root for "/" in a user namespace, where an overlay of "/" itself is refused because the mounts below it
// are locked (mount_namespaces(7)): a small tmpfs with one overlay for each top-level directory. A directory
// that has mounts below it is split in the same way. What a later mount covers is only made. The root comes
// staged over "/".
Result<UniqueFd> make_split_root(int lower, OverlayMaker& overlays, const Vector<Mount>& mounts);

// The same for one directory with mounts below it: the tmpfs goes on `target`, the container's `path`.
Status split_directory(int lower, int target, std::string_view path, OverlayMaker& overlays,
                       const Vector<Mount>& mounts);

}  // namespace nsbox
