#pragma once

#include <string_view>

#include "core/base/error.h"
#include "core/base/vector.h"

// runtime-spec config-linux.md, "Masked Paths" and "Readonly Paths". Each path is opened once, beneath the
// root, and the mount is put on that descriptor; a path that is absent is passed over.
namespace nsbox {

// A file is covered by the null device, a directory by an empty read-only one. Needs the root's own /dev/null
// or the host's; which is checked to be that device.
Status mask_paths(int root, const Vector<std::string_view>& paths);
Status make_paths_readonly(int root, const Vector<std::string_view>& paths);

}  // namespace nsbox
