#pragma once

#include <cstdint>
#include <optional>

#include "core/base/error.h"
#include "core/base/vector.h"

// What a group uses, in the same words for v1 and v2. What the kernel does not tell, or what belongs to a
// hierarchy that the group is not in, is absent.
namespace nsbox::cgroup {

struct GroupSet;

using Count = std::optional<uint64_t>;

// A limit that is not there.
inline constexpr uint64_t kUnlimited = UINT64_MAX;

struct Counter {
  String name;
  uint64_t value;
};

struct MemoryStats {
  Count current, peak, limit;
  Count swap_current, swap_limit;  // Swap alone, in v1 too.
  Count oom_kills;
  Count limit_hits;  // v1 failcnt; v2 the "max" events.
  Count anonymous, file, inactive_file;
  Vector<Counter> detail;  // memory.stat as it is.
};

struct CpuStats {
  Count usage_ns, user_ns, system_ns;
  Count periods, throttled_periods, throttled_ns;
};

struct PidsStats {
  Count current, peak, limit;
  Count limit_hits;  // Forks that were refused.
};

struct IoDeviceStats {
  uint32_t major = 0, minor = 0;
  uint64_t read_bytes = 0, write_bytes = 0, read_operations = 0, write_operations = 0;
};

struct HugepageStats {
  String page_size;
  Count current, peak, limit_hits;
};

struct Stats {
  MemoryStats memory;
  CpuStats cpu;
  PidsStats pids;
  Vector<IoDeviceStats> io;
  Vector<HugepageStats> hugepages;
};

Result<Stats> read_stats(const GroupSet& set);

// How many processes the kernel has killed in the group (v2: and below it) for want of memory; nothing when
// the group is in no memory hierarchy.
Result<Count> oom_kill_count(const GroupSet& set);

}  // namespace nsbox::cgroup
