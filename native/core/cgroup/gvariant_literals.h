#pragma once

#include <string_view>

#include "core/base/error.h"
#include "core/cgroup/gvariant_tree.h"

namespace nsbox::cgroup {

// A boolean, a number or a text at the start of `rest`, which moves behind it.
Result<GVariant> parse_literal(std::string_view& rest);

}  // namespace nsbox::cgroup
