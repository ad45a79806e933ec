#pragma once

#include "core/base/arena.h"
#include "core/container/status.h"
#include "core/mount/mount.h"

namespace nsbox {

// A JSON array of mounts, in the form of config.json's. The texts live in the arena.
Result<Vector<Mount>> parse_mounts(std::string_view text, Arena& arena);

// Puts mounts into a container that has not ended: sources are the host's, opened with our own privileges,
// destinations are looked up beneath the container's root and nowhere else. All of them, or none.
Status add_mounts(const StateDirectory& directory, const Vector<Mount>& mounts);
// Takes away what is mounted on their destinations, the topmost where there are several.
Status remove_mounts(const StateDirectory& directory, const Vector<Mount>& mounts);

}  // namespace nsbox
