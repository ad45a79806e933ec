#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/error.h"
#include "core/base/vector.h"

namespace nsbox {

// Copies the tree below `from` into the directory `to` as it is: modes, times, overlay's marks, whiteouts;
// owners where this user may set them. What cannot be copied (a device, for an ordinary user) is left out.
// Stops with ENOSPC and the like; the caller removes what is half made.
Status copy_tree(int from, int to);

// The content, mode and times of one file into a new one.
Status copy_file(int from_dir, const char* from, int to_dir, const char* to, uint32_t mode);

// Carries the changes in an overlay's upper directory out into the directory it was made over: those whose
// path is one of `paths` or below one ("" is everything). Names are resolved beneath `target`, following no
// link. Set-user-ID bits and capabilities stay behind, and so do devices and sockets. Answers how many
// entries it has changed.
Result<uint64_t> apply_changes(int upper, int target, const Vector<std::string_view>& paths);

}  // namespace nsbox
