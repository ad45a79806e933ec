#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/error.h"

namespace nsbox {

// A time span as Go's time.ParseDuration reads it: "300ms", "1.5h", "2h45m", "0"; in nanoseconds, and never
// below zero. Units: ns, us (also with a micro sign), ms, s, m, h.
Result<uint64_t> parse_duration(std::string_view text);

}  // namespace nsbox
