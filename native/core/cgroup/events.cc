#include "core/cgroup/events.h"

#include <fcntl.h>
#include <poll.h>

#include <cerrno>

#include "core/cgroup/cgroup.h"
#include "core/cgroup/files.h"
#include "core/sys/syscalls.h"

namespace nsbox::cgroup {

namespace {

// From the start: reading is what rearms the file's POLLPRI.
Result<uint64_t> value_at_start(int fd, std::string_view key) {
  char text[1024];
  const size_t size = TRY(sys::pread(fd, text, sizeof text, 0));
  return value_of({text, size}, key).value_or(0);
}

}  // namespace

Result<std::optional<OomWatch>> OomWatch::open(const GroupSet& set) {
  const Hierarchy* memory = set.find(Controller::kMemory);
  if (!memory) return std::optional<OomWatch>();
  const int dir = memory->dir.get();
  OomWatch watch;
  const char* file = memory->version == Version::kV1 ? "memory.oom_control" : "memory.events";
  auto counter = sys::openat(dir, file, O_RDONLY);
  if (!counter) return counter.error().while_doing("open ", file);
  watch.counter_ = std::move(counter).value();
  if (memory->version == Version::kV1) {
    watch.event_ = TRY(sys::eventfd(0, O_NONBLOCK));
    auto done =
        write_value(dir, "cgroup.event_control", format(watch.event_.get(), ' ', watch.counter_.get()));
    if (!done) return done.error().while_doing("watch memory.oom_control");
  } else {
    TRY(watch.read());  // What was before is no news.
  }
  return std::optional<OomWatch>(std::move(watch));
}

short OomWatch::poll_events() const { return event_ ? POLLIN : POLLPRI; }

Result<uint64_t> OomWatch::read() {
  if (event_) {
    uint64_t count = 0;
    (void)sys::read(event_.get(), &count, sizeof count);  // EAGAIN: nothing has happened.
  }
  auto kills = value_at_start(counter_.get(), "oom_kill");
  if (!kills) return kills.error().while_doing("read the count of OOM kills");
  return kills;
}

Result<std::optional<PopulationWatch>> PopulationWatch::open(const GroupSet& set) {
  const Hierarchy* unified = set.find(Controller::kUnified);
  if (!unified) return std::optional<PopulationWatch>();
  auto file = sys::openat(unified->dir.get(), "cgroup.events", O_RDONLY);
  if (!file) return file.error().while_doing("open cgroup.events");
  PopulationWatch watch;
  watch.file_ = std::move(file).value();
  TRY(watch.read());
  return std::optional<PopulationWatch>(std::move(watch));
}

short PopulationWatch::poll_events() const { return POLLPRI; }

Result<Population> PopulationWatch::read() {
  auto populated = value_at_start(file_.get(), "populated");
  // A group that was removed has nobody in it.
  if (populated.err() == ENODEV) return Population{};
  if (!populated) return populated.error().while_doing("read cgroup.events");
  auto frozen = value_at_start(file_.get(), "frozen");
  if (frozen.err() == ENODEV) return Population{};
  if (!frozen) return frozen.error().while_doing("read cgroup.events");
  return Population{.populated = *populated == 1, .frozen = *frozen == 1};
}

}  // namespace nsbox::cgroup
