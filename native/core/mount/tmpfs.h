#pragma once

#include "core/mount/mount.h"
#include "core/mount/target.h"

namespace nsbox {

// A tmpfs over a directory: mode and owner are those of the directory unless options say otherwise, and with
// tmpcopyup so is what is in it.
Result<UniqueFd> mount_tmpfs(const Mount& mount, const Target& target, CopyTree copy_tree);

}  // namespace nsbox
