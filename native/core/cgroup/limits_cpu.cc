#include <cerrno>

#include "core/base/text.h"
#include "core/cgroup/files.h"
#include "core/cgroup/limit_writer.h"

namespace nsbox::cgroup {

namespace {

bool is_set(const std::optional<uint64_t>& value) { return value && *value != 0; }
bool is_set(const std::optional<int64_t>& value) { return value && *value != 0; }

// cpu.idle and a weight exclude each other: the kernel refuses shares (EINVAL) while the group is idle.
Status set_share(const Hierarchy& group, const CpuLimits& cpu) {
  if (cpu.idle && *cpu.idle == 0) TRY(set_limit(group, "cpu idle", "cpu.idle", "0"));
  if (is_set(cpu.shares)) {
    if (group.version == Version::kV1)
      TRY(set_limit(group, "cpu shares", "cpu.shares", format(*cpu.shares)));
    else
      TRY(set_limit(group, "cpu shares", "cpu.weight", format(cpu_weight(*cpu.shares))));
  }
  if (cpu.idle && *cpu.idle != 0) TRY(set_limit(group, "cpu idle", "cpu.idle", format(*cpu.idle)));
  return Ok{};
}

// --- v1 ---

constexpr const char* kPeriod = "cpu.cfs_period_us";
constexpr const char* kQuota = "cpu.cfs_quota_us";
constexpr const char* kBurst = "cpu.cfs_burst_us";

// Each of the three is checked against the two that are there (a burst may not exceed the quota, the quota's
// part of the period not that of the group above): what is refused at first is right after the others have
// been set.
Status set_bandwidth_v1(const Hierarchy& group, const CpuLimits& cpu) {
  const int dir = group.dir.get();
  bool period_later = false, burst_later = false;
  if (cpu.burst) {
    auto done = write_value(dir, kBurst, format(*cpu.burst));
    burst_later = done.err() == EINVAL;
    if (!done && !burst_later) return limit_error("cpu burst", kBurst, format(*cpu.burst), done.error());
  }
  if (is_set(cpu.period)) {
    auto done = write_value(dir, kPeriod, format(*cpu.period));
    period_later = done.err() == EINVAL && is_set(cpu.quota);
    if (!done && !period_later) return limit_error("cpu period", kPeriod, format(*cpu.period), done.error());
  }
  if (is_set(cpu.quota)) TRY(set_limit(group, "cpu quota", kQuota, format(*cpu.quota)));
  if (period_later) TRY(set_limit(group, "cpu period", kPeriod, format(*cpu.period)));
  if (burst_later) TRY(set_limit(group, "cpu burst", kBurst, format(*cpu.burst)));
  return Ok{};
}

Status set_realtime_v1(const Hierarchy& group, const CpuLimits& cpu) {
  if (is_set(cpu.realtime_period))
    TRY(set_limit(group, "cpu realtime period", "cpu.rt_period_us", format(*cpu.realtime_period)));
  if (is_set(cpu.realtime_runtime))
    TRY(set_limit(group, "cpu realtime runtime", "cpu.rt_runtime_us", format(*cpu.realtime_runtime)));
  return Ok{};
}

// --- v2 ---

// cpu.max is "quota period"; written without a period, it keeps the one that it has.
Result<String> bandwidth_v2(const Hierarchy& group, const CpuLimits& cpu) {
  String text;
  if (is_set(cpu.quota)) {
    text = number_or_max(*cpu.quota);
  } else {
    const String now = TRY(read_value(group.dir.get(), "cpu.max"));
    std::string_view rest = now;
    text = String(cut(rest, ' '));
  }
  if (is_set(cpu.period)) append(text, ' ', *cpu.period);
  return text;
}

Status set_bandwidth_v2(const Hierarchy& group, const CpuLimits& cpu) {
  bool burst_later = false;
  if (cpu.burst) {
    auto done = write_value(group.dir.get(), "cpu.max.burst", format(*cpu.burst));
    burst_later = done.err() == EINVAL;
    if (!done && !burst_later)
      return limit_error("cpu burst", "cpu.max.burst", format(*cpu.burst), done.error());
  }
  if (is_set(cpu.quota) || is_set(cpu.period))
    TRY(set_limit(group, "cpu quota and period", "cpu.max", TRY(bandwidth_v2(group, cpu))));
  if (burst_later) TRY(set_limit(group, "cpu burst", "cpu.max.burst", format(*cpu.burst)));
  return Ok{};
}

Status apply_time(const Hierarchy& group, const CpuLimits& cpu) {
  const bool realtime = is_set(cpu.realtime_period) || is_set(cpu.realtime_runtime);
  if (group.version == Version::kV2 && realtime) return not_in_v2("cpu realtime limits");
  TRY(set_share(group, cpu));
  if (group.version == Version::kV2) return set_bandwidth_v2(group, cpu);
  TRY(set_bandwidth_v1(group, cpu));
  return set_realtime_v1(group, cpu);
}

Status apply_sets(const GroupSet& set, const CpuLimits& cpu) {
  if (cpu.cpus.empty() && cpu.mems.empty()) return Ok{};
  const Hierarchy* group = TRY(hierarchy_for(set, Controller::kCpuset, "cpu set"));
  if (!cpu.cpus.empty()) TRY(set_limit(*group, "cpu set", "cpuset.cpus", cpu.cpus));
  if (!cpu.mems.empty()) TRY(set_limit(*group, "memory nodes", "cpuset.mems", cpu.mems));
  return Ok{};
}

}  // namespace

uint64_t cpu_weight(uint64_t shares) {
  if (shares < 2) shares = 2;
  if (shares > 262144) shares = 262144;
  return 1 + (shares - 2) * 9999 / 262142;
}

bool limits_cpu_time(const CpuLimits& cpu) {
  return is_set(cpu.shares) || is_set(cpu.quota) || is_set(cpu.period) || cpu.burst ||
         is_set(cpu.realtime_period) || is_set(cpu.realtime_runtime) || cpu.idle;
}

Status apply_cpu(const GroupSet& set, const CpuLimits& cpu) {
  if (limits_cpu_time(cpu)) TRY(apply_time(*TRY(hierarchy_for(set, Controller::kCpu, "cpu limits")), cpu));
  return apply_sets(set, cpu);
}

}  // namespace nsbox::cgroup
