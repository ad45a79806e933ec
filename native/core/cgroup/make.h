#pragma once

#include "core/cgroup/cgroup.h"

namespace nsbox::cgroup {

enum class Made : uint8_t { kNew, kThereBefore };

// One hierarchy's group `name`, ready for processes. On failure it is not left behind. The error is bare.
Result<Hierarchy> make_in(const Hierarchy& parent, const char* name, Made& made);

}  // namespace nsbox::cgroup
