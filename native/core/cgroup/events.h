#pragma once

#include <cstdint>
#include <optional>

#include "core/base/error.h"
#include "core/sys/unique_fd.h"

// What an event loop can wait for: poll fd() for poll_events(), and call read() when it is ready, which also
// rearms. poll_events() is POLLIN (v1: an eventfd) or POLLPRI (v2: the file itself, which is always
// readable).
namespace nsbox::cgroup {

struct GroupSet;

// The kernel ran out of memory in the group. v1 also reports once when the group is removed.
class OomWatch {
 public:
  // Nothing when the group is in no memory hierarchy.
  static Result<std::optional<OomWatch>> open(const GroupSet& set);

  int fd() const { return event_ ? event_.get() : counter_.get(); }
  short poll_events() const;
  // The kills since the group was made.
  Result<uint64_t> read();

 private:
  UniqueFd counter_;  // memory.events, or memory.oom_control.
  UniqueFd event_;    // v1 only.
};

struct Population {
  bool populated = false;
  bool frozen = false;
};

// The group became empty, or not; it stands still, or not.
class PopulationWatch {
 public:
  // Nothing when the group has no v2 directory: v1 has no such event.
  static Result<std::optional<PopulationWatch>> open(const GroupSet& set);

  int fd() const { return file_.get(); }
  short poll_events() const;
  Result<Population> read();

 private:
  UniqueFd file_;
};

}  // namespace nsbox::cgroup
