#pragma once

#include "core/base/json.h"
#include "core/cgroup/limits.h"

namespace nsbox {

// Reads linux.resources; its texts stay in the document.
Result<cgroup::Limits> parse_resources(const json::Value& value);

}  // namespace nsbox
