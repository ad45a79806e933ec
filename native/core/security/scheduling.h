#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/error.h"
#include "core/base/vector.h"

// When the kernel lets a process run, and in what order it serves its input and output.
namespace nsbox {

// struct sched_attr of sched_setattr(2), by runtime-spec's process.scheduler.
struct Scheduler {
  uint32_t policy = 0;  // SCHED_*
  uint64_t flags = 0;   // SCHED_FLAG_*
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime_ns = 0;  // The three of SCHED_DEADLINE.
  uint64_t deadline_ns = 0;
  uint64_t period_ns = 0;
};

// ioprio_set(2)
struct IoPriority {
  uint32_t io_class = 0;  // IOPRIO_CLASS_*
  uint32_t priority = 0;  // 0 to 7
};

// "SCHED_BATCH" and "IOPRIO_CLASS_IDLE", as the configuration has them; nothing for another word.
std::optional<uint32_t> scheduler_policy(std::string_view name);
std::optional<uint64_t> scheduler_flag(std::string_view name);
std::optional<uint32_t> io_priority_class(std::string_view name);
std::optional<uint32_t> memory_policy_mode(std::string_view name);
std::optional<uint32_t> memory_policy_flag(std::string_view name);

// What memory_policy_mode and memory_policy_flag know.
Vector<std::string_view> memory_policy_modes();
Vector<std::string_view> memory_policy_flags();

// For the calling process.
Status set_scheduler(const Scheduler& scheduler);
Status set_io_priority(const IoPriority& priority);
// "0-3,7": the caller and its children run there alone.
Status set_cpu_affinity(std::string_view cpus);
// set_mempolicy(2): mode and flags together, and the list of nodes.
Status set_memory_policy(uint32_t mode_and_flags, std::string_view nodes);
Status set_personality(uint64_t personality);

}  // namespace nsbox
