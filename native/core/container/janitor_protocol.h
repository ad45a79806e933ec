#pragma once

#include <cstdint>

namespace nsbox {

// A charge to the janitor: remove the entry, whose name follows, from the directory whose descriptor comes
// along.
struct JanitorCharge {
  uint32_t is_group = 0;     // A cgroup: what is in it is killed first.
  uint32_t controllers = 0;  // cgroup::Controllers
  uint32_t version = 0;      // 1 or 2
};

}  // namespace nsbox
