#include "core/security/scheduling.h"

#include <linux/mempolicy.h>
#include <linux/sched.h>

#include <algorithm>
#include <span>

#include "core/base/number_list.h"
#include "core/sys/syscalls.h"

namespace nsbox {

namespace {

// Of ioprio_set(2). <linux/ioprio.h> of some kernels is C alone: a parameter of its is called "class".
constexpr uint32_t kIoRealTime = 1, kIoBestEffort = 2, kIoIdle = 3;
constexpr uint32_t kIoClassShift = 13;
constexpr int kOfProcess = 1;  // IOPRIO_WHO_PROCESS

struct Named {
  std::string_view name;
  uint32_t value;
};

constexpr Named kPolicies[] = {
    {"SCHED_OTHER", 0}, {"SCHED_FIFO", 1},     {"SCHED_RR", 2},
    {"SCHED_BATCH", 3}, {"SCHED_ISO", 4},  // Reserved: the kernel has never had it, and says so.
    {"SCHED_IDLE", 5},  {"SCHED_DEADLINE", 6},
};
constexpr Named kFlags[] = {
    {"SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK},
    {"SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM},
    {"SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN},
    {"SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY},
    {"SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS},
    {"SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN},
    {"SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX},
};
constexpr Named kIoClasses[] = {
    {"IOPRIO_CLASS_RT", kIoRealTime},
    {"IOPRIO_CLASS_BE", kIoBestEffort},
    {"IOPRIO_CLASS_IDLE", kIoIdle},
};
// By number: some of these are younger than the headers of some distributions.
constexpr Named kMemoryModes[] = {
    {"MPOL_DEFAULT", 0},
    {"MPOL_PREFERRED", 1},
    {"MPOL_BIND", 2},
    {"MPOL_INTERLEAVE", 3},
    {"MPOL_LOCAL", 4},
    {"MPOL_PREFERRED_MANY", 5},
    {"MPOL_WEIGHTED_INTERLEAVE", 6},
};
constexpr Named kMemoryFlags[] = {
    {"MPOL_F_STATIC_NODES", 1U << 15},
    {"MPOL_F_RELATIVE_NODES", 1U << 14},
    {"MPOL_F_NUMA_BALANCING", 1U << 13},
};

std::optional<uint32_t> value_of(std::span<const Named> table, std::string_view name) {
  for (const Named& one : table)
    if (one.name == name) return one.value;
  return std::nullopt;
}

std::string_view name_of(std::span<const Named> table, uint32_t value) {
  for (const Named& one : table)
    if (one.value == value) return one.name;
  return "?";
}

}  // namespace

std::optional<uint32_t> scheduler_policy(std::string_view name) { return value_of(kPolicies, name); }
std::optional<uint64_t> scheduler_flag(std::string_view name) { return value_of(kFlags, name); }
std::optional<uint32_t> io_priority_class(std::string_view name) { return value_of(kIoClasses, name); }
std::optional<uint32_t> memory_policy_mode(std::string_view name) { return value_of(kMemoryModes, name); }
std::optional<uint32_t> memory_policy_flag(std::string_view name) { return value_of(kMemoryFlags, name); }

namespace {

Vector<std::string_view> names_of(std::span<const Named> table) {
  Vector<std::string_view> out;
  for (const Named& one : table) out.push_back(one.name);
  return out;
}

}  // namespace

Vector<std::string_view> memory_policy_modes() { return names_of(kMemoryModes); }
Vector<std::string_view> memory_policy_flags() { return names_of(kMemoryFlags); }

Status set_scheduler(const Scheduler& scheduler) {
  const sys::SchedAttributes attributes = {.policy = scheduler.policy,
                                           .flags = scheduler.flags,
                                           .nice = scheduler.nice,
                                           .priority = scheduler.priority,
                                           .runtime = scheduler.runtime_ns,
                                           .deadline = scheduler.deadline_ns,
                                           .period = scheduler.period_ns};
  if (auto done = sys::sched_setattr(0, attributes); !done)
    return done.error().while_doing("set the scheduler ", name_of(kPolicies, scheduler.policy));
  return Ok{};
}

Status set_io_priority(const IoPriority& priority) {
  const uint32_t value = priority.io_class << kIoClassShift | priority.priority;
  if (auto done = sys::ioprio_set(kOfProcess, 0, static_cast<int>(value)); !done)
    return done.error().while_doing("set the io priority ", name_of(kIoClasses, priority.io_class), " ",
                                    priority.priority);
  return Ok{};
}

Status set_cpu_affinity(std::string_view cpus) {
  const NumberSet set = TRY(parse_number_list(cpus));
  if (auto done = sys::sched_setaffinity(0, set.words(), set.bytes()); !done)
    return done.error().while_doing("set the CPU affinity ", cpus);
  return Ok{};
}

Status set_memory_policy(uint32_t mode_and_flags, std::string_view nodes) {
  const NumberSet set = TRY(parse_number_list(nodes));
  // The kernel takes one from the number of bits that it is given.
  const size_t bits = set.empty() ? 0 : set.size() + 1;
  const auto* mask = set.empty() ? nullptr : set.words();
  if (auto done = sys::set_mempolicy(static_cast<int>(mode_and_flags), mask, bits); !done)
    return done.error().while_doing("set the memory policy ",
                                    name_of(kMemoryModes, mode_and_flags & ((1U << 13) - 1)), " on nodes ",
                                    nodes.empty() ? std::string_view("(none)") : nodes);
  return Ok{};
}

Status set_personality(uint64_t personality) {
  if (auto done = sys::personality(personality); !done)
    return done.error().while_doing("set the personality ", personality);
  return Ok{};
}

}  // namespace nsbox
