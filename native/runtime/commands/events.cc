#include "core/cgroup/events.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "core/base/duration.h"
#include "core/base/memory_mark.h"
#include "core/container/status.h"
#include "core/sys/syscalls.h"
#include "runtime/stats_json.h"
#include "runtime/verb.h"

namespace nsbox::runtime {
namespace {

constexpr uint64_t kMillisecond = 1'000'000;

constexpr OptionSpec kOptions[] = {
    {"stats", 0, Takes::kNothing, "tell once what the container uses, and end"},
    {"interval", 0, Takes::kValue, "TIME  between two tellings: 500ms, 5s, 1m30s  (default: 5s)"}};

class Watch {
 public:
  Watch(std::string_view id, cgroup::GroupSet& groups) : id_(id), groups_(groups) {}

  Status tell_stats() const {
    const MemoryMark mark;
    const cgroup::Stats stats = TRY(cgroup::read_stats(groups_));
    return print(stats_event(id_, groups_, stats, cgroup::read_further_stats(groups_)));
  }

  // Until the container has ended.
  Status stay(const UniqueFd& init, uint64_t interval_ns) {
    oom_ = TRY(cgroup::OomWatch::open(groups_));
    if (oom_) kills_ = TRY(oom_->read());
    uint64_t next = sys::monotonic_ns() + interval_ns;
    for (;;) {
      const bool ended = wait(init.get(), next);
      TRY(tell_oom());
      if (ended) return Ok{};
      if (sys::monotonic_ns() < next) continue;
      TRY(tell_stats());
      next = std::max(next + interval_ns, sys::monotonic_ns());
    }
  }

 private:
  // True when the container has ended.
  bool wait(int init, uint64_t until) const {
    const uint64_t now = sys::monotonic_ns();
    const uint64_t left_ms = until > now ? (until - now) / kMillisecond + 1 : 0;
    sys::Pollfd fds[3] = {{init, POLLIN, 0},
                          {oom_ ? oom_->fd() : -1, oom_ ? oom_->poll_events() : short{0}, 0},
                          {1, 0, 0}};  // Told of an error alone: nobody reads us any more.
    (void)sys::poll(fds, 3, static_cast<int>(std::min<uint64_t>(left_ms, 3'600'000)));
    return fds[0].revents != 0 || (fds[2].revents & (POLLERR | POLLNVAL));
  }

  // One notice for a kill or several.
  Status tell_oom() {
    if (!oom_) return Ok{};
    sys::Pollfd ready = {oom_->fd(), oom_->poll_events(), 0};
    auto count = sys::poll(&ready, 1, 0);
    if (!count || *count == 0) return Ok{};
    const MemoryMark mark;
    auto kills = oom_->read();
    if (!kills) {  // The group is gone.
      oom_.reset();
      return Ok{};
    }
    // v1 tells of the want of memory, before it kills; v2 of more than kills.
    if (oom_->poll_events() == POLLPRI && *kills == kills_) return Ok{};
    kills_ = *kills;
    return print(oom_event(id_));
  }

  std::string_view id_;
  cgroup::GroupSet& groups_;
  std::optional<cgroup::OomWatch> oom_;
  uint64_t kills_ = 0;
};

Result<uint64_t> interval_of(const Arguments& arguments) {
  const uint64_t interval = TRY(parse_duration(arguments.value("interval", "5s")));
  if (interval == 0) return usage_error("duration interval must be greater than 0");
  return interval;
}

// Whoever read us has gone: nothing to tell any more, and nothing wrong.
Status unless_unread(Status done) { return done.err() == EPIPE ? Status(Ok{}) : std::move(done); }

Result<int> run(Globals& globals, const Arguments& arguments) {
  const std::string_view id = TRY(only_id(arguments));
  const uint64_t interval = TRY(interval_of(arguments));
  const StateDirectory directory = TRY(StateDirectory::open(globals.root, id));
  const State state = TRY(directory.read());
  auto init = sys::pidfd_open(state.init.pid, 0);
  if (!init || living_pid(state, TRY(current_status(directory, state))) == 0)
    return Error::plain(ESRCH, "container with id ", id, " is not running");
  cgroup::GroupSet groups = TRY(open_groups(state));
  Watch watch(id, groups);
  TRY(unless_unread(arguments.has("stats") ? watch.tell_stats() : watch.stay(*init, interval)));
  return 0;
}

}  // namespace

const Verb kEvents = {
    "events", "[options] ID",   "tell of a container's use of resources, and of its lack of memory",
    kOptions, Operands::kMixed, run};

}  // namespace nsbox::runtime
