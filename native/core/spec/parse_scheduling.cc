#include "core/base/number_list.h"
#include "core/spec/parts.h"

namespace nsbox {

namespace {

constexpr uint32_t kFifo = 1, kRoundRobin = 2, kDeadline = 6;  // SCHED_*

// sched_setattr(2) ignores some of these and refuses others without saying which.
Status refuse_foreign(const Reader& object, const Scheduler& scheduler) {
  if (scheduler.nice < -20 || scheduler.nice > 19) return object.refuse("nice", "expected -20 to 19");
  if (scheduler.priority > 99) return object.refuse("priority", "expected 0 to 99");
  if (scheduler.priority != 0 && scheduler.policy != kFifo && scheduler.policy != kRoundRobin)
    return object.refuse("priority", "is only for SCHED_FIFO and SCHED_RR");
  if (scheduler.policy == kDeadline) return Ok{};
  if (scheduler.runtime_ns != 0) return object.refuse("runtime", "is only for SCHED_DEADLINE");
  if (scheduler.deadline_ns != 0) return object.refuse("deadline", "is only for SCHED_DEADLINE");
  if (scheduler.period_ns != 0) return object.refuse("period", "is only for SCHED_DEADLINE");
  return Ok{};
}

Status read_scheduler(const Reader& object, std::optional<Scheduler>& out) {
  Scheduler scheduler;
  TRY(read_named(object, "policy", scheduler_policy, scheduler.policy));
  TRY(read_flags(object, scheduler_flag, scheduler.flags));
  TRY(object.read("nice", scheduler.nice));
  TRY(object.read("priority", scheduler.priority));
  TRY(object.read("runtime", scheduler.runtime_ns));
  TRY(object.read("deadline", scheduler.deadline_ns));
  TRY(object.read("period", scheduler.period_ns));
  TRY(refuse_foreign(object, scheduler));
  out = scheduler;
  return Ok{};
}

Status read_io_priority(const Reader& object, std::optional<IoPriority>& out) {
  IoPriority priority;
  TRY(read_named(object, "class", io_priority_class, priority.io_class));
  TRY(object.read("priority", priority.priority));
  if (priority.priority > 7) return object.refuse("priority", "expected 0 to 7");
  out = priority;
  return Ok{};
}

Status read_cpu_list(const Reader& object, std::string_view field, std::string_view& out) {
  TRY(object.read(field, out));
  if (auto list = parse_number_list(out); !list) return object.refuse(field, list.error().message());
  return Ok{};
}

}  // namespace

Status read_scheduling(const Reader& process, ProcessSpec& out) {
  TRY(process.with_object("scheduler",
                          [&](const Reader& object) { return read_scheduler(object, out.scheduler); }));
  TRY(process.with_object("ioPriority",
                          [&](const Reader& object) { return read_io_priority(object, out.io_priority); }));
  return process.with_object("execCPUAffinity", [&](const Reader& object) -> Status {
    TRY(read_cpu_list(object, "initial", out.initial_affinity));
    return read_cpu_list(object, "final", out.final_affinity);
  });
}

}  // namespace nsbox
