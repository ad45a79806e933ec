#pragma once

#include "core/cgroup/stats.h"

// What v1 alone tells, and the pressure that v2 alone tells. runc's `events` has them, nothing of ours needs
// them: read apart from Stats, which is read often.
namespace nsbox::cgroup {

struct V1Counter {
  Count limit, current, peak, limit_hits;
};

// One line of a *.pressure file; the averages as the kernel writes them: "0.12".
struct PressureLine {
  String avg10, avg60, avg300;
  uint64_t total_us = 0;
};
struct Pressure {
  PressureLine some, full;
};

struct FurtherStats {
  Vector<uint64_t> cpu_ns, cpu_system_ns, cpu_user_ns;  // Per processor.
  V1Counter swap;                                       // Memory and swap together.
  V1Counter kernel, kernel_tcp;
  std::optional<Pressure> cpu_pressure, memory_pressure, io_pressure;
};

FurtherStats read_further_stats(const GroupSet& set);

// A *.pressure file's text; nothing when it has another form.
std::optional<Pressure> parse_pressure(std::string_view text);

}  // namespace nsbox::cgroup
