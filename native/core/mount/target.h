#pragma once

#include "core/mount/mount.h"

namespace nsbox {

enum class TargetKind : uint8_t { kDirectory, kFile };

struct Target {
  UniqueFd place;  // O_PATH
  bool made = false;
};

// The place beneath the root where the mount goes; made when it is missing. `source` is what is bound there,
// -1 for a file system. Refuses what would put something else in the place of the container's own procfs
// (CVE-2019-16884, CVE-2019-19921, CVE-2023-27561), whatever name leads there.
Result<Target> open_target(int root, const Mount& mount, TargetKind kind, int source = -1);

bool is_directory(int fd);

}  // namespace nsbox
