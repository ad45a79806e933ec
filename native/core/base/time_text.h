#pragma once

#include <cstdint>

#include "core/base/string.h"

namespace nsbox {

// RFC 3339 in UTC: "2026-11-24T00:30:00.123456789Z", or without the fraction.
String time_text(uint64_t nanoseconds_since_1970);
String seconds_text(uint64_t nanoseconds_since_1970);

}  // namespace nsbox
