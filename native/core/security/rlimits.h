#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/error.h"

namespace nsbox {

inline constexpr uint64_t kNoLimit = ~uint64_t{0};

struct Rlimit {
  unsigned resource = 0;
  uint64_t soft = kNoLimit;
  uint64_t hard = kNoLimit;
};

// The number of "RLIMIT_NOFILE"; nothing for another text.
std::optional<unsigned> rlimit_number(std::string_view name);
std::string_view rlimit_name(unsigned resource);

// Of this process (0) or another. An error names the limit and both values:
// "set RLIMIT_NOFILE to 1024:1048576 (here 1024:20000): EPERM (Operation not permitted)".
Status set_rlimits(std::span<const Rlimit> limits, int pid = 0);

}  // namespace nsbox
