#include <cerrno>

#include "core/cgroup/files.h"
#include "core/cgroup/limit_writer.h"

namespace nsbox::cgroup {

namespace {

// 0 is how callers without an optional say "not set".
bool is_set(const std::optional<int64_t>& value) { return value && *value != 0; }

Status check_swap(const MemoryLimits& memory) {
  if (!is_set(memory.swap) || *memory.swap < 0 || !is_set(memory.limit)) return Ok{};
  if (*memory.limit < 0)
    return Error::invalid("set memory swap limit to ", *memory.swap,
                          ": it is the sum of memory and swap, and the", " memory limit is unlimited");
  if (*memory.swap < *memory.limit)
    return Error::invalid("set memory swap limit to ", *memory.swap,
                          ": it is the sum of memory and swap, so it", " cannot be below the memory limit ",
                          *memory.limit);
  return Ok{};
}

Status check_usage(const Hierarchy& group, const MemoryLimits& memory, const char* usage_file) {
  if (!memory.check_before_update || !is_set(memory.limit) || *memory.limit < 0) return Ok{};
  const auto usage = read_number(group.dir.get(), usage_file);
  if (!usage || *usage <= static_cast<uint64_t>(*memory.limit)) return Ok{};
  return Error::plain(EBUSY, "set memory limit to ", *memory.limit, ": the group uses ", *usage, " bytes");
}

// --- v1 ---

constexpr const char* kLimit = "memory.limit_in_bytes";
constexpr const char* kSwapLimit = "memory.memsw.limit_in_bytes";

// The kernel refuses (EINVAL) each state in which memory alone may exceed memory and swap together: lowering
// wants memory first, raising wants swap first. Trying spares reading what is there.
Status set_both_v1(const Hierarchy& group, int64_t limit, int64_t swap) {
  const String memory_text = format(limit), swap_text = format(swap);
  auto memory_first = write_value(group.dir.get(), kLimit, memory_text);
  if (!memory_first && memory_first.err() != EINVAL)
    return limit_error("memory limit", kLimit, memory_text, memory_first.error());
  TRY(set_limit(group, "memory swap limit", kSwapLimit, swap_text));
  if (memory_first) return Ok{};
  return set_limit(group, "memory limit", kLimit, memory_text);
}

Status set_limits_v1(const Hierarchy& group, const MemoryLimits& memory) {
  if (is_set(memory.limit) && is_set(memory.swap)) return set_both_v1(group, *memory.limit, *memory.swap);
  if (is_set(memory.swap)) return set_limit(group, "memory swap limit", kSwapLimit, format(*memory.swap));
  if (!is_set(memory.limit)) return Ok{};
  if (*memory.limit > 0) return set_limit(group, "memory limit", kLimit, format(*memory.limit));
  // No limit on memory with one on memory and swap together would be none at all.
  auto done = write_value(group.dir.get(), kSwapLimit, "-1");
  if (!done && done.err() != ENOENT) return limit_error("memory swap limit", kSwapLimit, "-1", done.error());
  return set_limit(group, "memory limit", kLimit, "-1");
}

Status apply_v1(const Hierarchy& group, const MemoryLimits& memory) {
  TRY(check_usage(group, memory, "memory.usage_in_bytes"));
  TRY(set_limits_v1(group, memory));
  if (is_set(memory.reservation))
    TRY(set_limit(group, "memory reservation", "memory.soft_limit_in_bytes", format(*memory.reservation)));
  if (is_set(memory.kernel_tcp))
    TRY(set_limit(group, "kernel TCP memory limit", "memory.kmem.tcp.limit_in_bytes",
                  format(*memory.kernel_tcp)));
  if (memory.swappiness)
    TRY(set_limit(group, "memory swappiness", "memory.swappiness", format(*memory.swappiness)));
  if (memory.disable_oom_killer) TRY(set_limit(group, "disableOOMKiller", "memory.oom_control", "1"));
  return Ok{};
}

// --- v2 ---

// v2 counts swap alone.
Status set_swap_v2(const Hierarchy& group, const MemoryLimits& memory) {
  String value("max");
  if (is_set(memory.swap) && *memory.swap > 0) {
    if (!is_set(memory.limit))
      return Error::invalid("set memory swap limit to ", *memory.swap,
                            ": cgroup v2 limits swap alone, so this sum of",
                            " both needs a memory limit beside it");
    value = format(*memory.swap - *memory.limit);
  } else if (!is_set(memory.swap) && (!is_set(memory.limit) || *memory.limit > 0)) {
    return Ok{};
  }
  auto done = write_value(group.dir.get(), "memory.swap.max", value);
  // A kernel without swap gives none, and takes none away.
  if (done.err() == ENOENT && (value.view() == "max" || value.view() == "0")) return Ok{};
  if (!done) return limit_error("memory swap limit", "memory.swap.max", value, done.error());
  return done;
}

Status apply_v2(const Hierarchy& group, const MemoryLimits& memory) {
  if (memory.swappiness) return not_in_v2("memory swappiness");
  if (memory.disable_oom_killer) return not_in_v2("disableOOMKiller");
  if (is_set(memory.kernel_tcp)) return not_in_v2("kernel TCP memory limit");
  TRY(check_usage(group, memory, "memory.current"));
  TRY(set_swap_v2(group, memory));
  if (is_set(memory.limit)) TRY(set_limit(group, "memory limit", "memory.max", number_or_max(*memory.limit)));
  if (is_set(memory.reservation))
    TRY(set_limit(group, "memory reservation", "memory.low", number_or_max(*memory.reservation)));
  return Ok{};
}

}  // namespace

bool limits_memory(const MemoryLimits& memory) {
  return is_set(memory.limit) || is_set(memory.reservation) || is_set(memory.swap) ||
         is_set(memory.kernel_tcp) || memory.swappiness || memory.disable_oom_killer;
}

Status apply_memory(const GroupSet& set, const MemoryLimits& memory) {
  if (!limits_memory(memory)) return Ok{};
  const Hierarchy* group = TRY(hierarchy_for(set, Controller::kMemory, "memory limits"));
  TRY(check_swap(memory));
  return group->version == Version::kV1 ? apply_v1(*group, memory) : apply_v2(*group, memory);
}

}  // namespace nsbox::cgroup
