#include <fcntl.h>
#include <poll.h>

#include <cerrno>

#include "core/base/text.h"
#include "core/cgroup/cgroup.h"
#include "core/cgroup/files.h"
#include "core/sys/syscalls.h"

namespace nsbox::cgroup {

namespace {

enum class Target : uint8_t { kThawed, kFrozen };

std::string_view word_of(Target target) { return target == Target::kFrozen ? "freeze" : "thaw"; }

Result<const Hierarchy*> freezer_of(const GroupSet& set) {
  if (const Hierarchy* unified = set.find(Controller::kUnified)) return unified;
  if (const Hierarchy* freezer = set.find(Controller::kFreezer)) return freezer;
  return Error::plain(kNoController, "no cgroup controller freezer: the group has not joined it");
}

// cgroup.events tells of each change by POLLPRI, counted from our last reading.
Status reach_v2(int dir, Target target, Deadline& deadline) {
  const UniqueFd events = TRY(sys::openat(dir, "cgroup.events", O_RDONLY));
  const bool frozen = target == Target::kFrozen;
  TRY(write_value(dir, "cgroup.freeze", frozen ? "1" : "0"));
  for (;;) {
    char text[256];
    const size_t size = TRY(sys::pread(events.get(), text, sizeof text, 0));
    if (value_of({text, size}, "frozen") == uint64_t{frozen}) return Ok{};
    if (deadline.passed()) return Error(ETIMEDOUT);
    sys::Pollfd wait = {events.get(), POLLPRI, 0};
    (void)sys::poll(&wait, 1, deadline.left_ms());
  }
}

// v1 has no event, and its freezer may stop half-way when a process is between states: asked again, it goes
// on.
Status reach_v1(int dir, Target target, Deadline& deadline) {
  const std::string_view wanted = target == Target::kFrozen ? "FROZEN" : "THAWED";
  for (;;) {
    TRY(write_value(dir, "freezer.state", wanted));
    const String state = TRY(read_value(dir, "freezer.state"));
    if (trim(state) == wanted) return Ok{};
    if (deadline.passed()) return Error(ETIMEDOUT);
    deadline.pause();
  }
}

Status reach(const GroupSet& set, Target target, uint64_t timeout_ns) {
  const Hierarchy* freezer = TRY(freezer_of(set));
  const int dir = freezer->dir.get();
  Deadline deadline(timeout_ns);
  auto done =
      freezer->version == Version::kV2 ? reach_v2(dir, target, deadline) : reach_v1(dir, target, deadline);
  if (done) return done;
  if (target == Target::kFrozen)  // Half a pause would be worse than none.
    (void)(freezer->version == Version::kV2 ? write_value(dir, "cgroup.freeze", "0")
                                            : write_value(dir, "freezer.state", "THAWED"));
  return done.error().while_doing(word_of(target), " the group");
}

}  // namespace

Status freeze(const GroupSet& set, uint64_t timeout_ns) { return reach(set, Target::kFrozen, timeout_ns); }

Status thaw(const GroupSet& set, uint64_t timeout_ns) { return reach(set, Target::kThawed, timeout_ns); }

Result<bool> is_frozen(const GroupSet& set) {
  const Hierarchy* freezer = TRY(freezer_of(set));
  if (freezer->version == Version::kV2)
    return value_of(TRY(read_value(freezer->dir.get(), "cgroup.events")), "frozen") == 1;
  return trim(TRY(read_value(freezer->dir.get(), "freezer.state"))) == "FROZEN";
}

}  // namespace nsbox::cgroup
