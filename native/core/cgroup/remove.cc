#include <fcntl.h>
#include <poll.h>

#include <cerrno>

#include "core/cgroup/cgroup.h"
#include "core/cgroup/files.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox::cgroup {

namespace {

enum class Outcome : uint8_t { kGone, kBusy };

Result<Outcome> remove_directory(int parent, const char* name) {
  auto gone = sys::unlinkat(parent, name, AT_REMOVEDIR);
  if (gone || gone.err() == ENOENT || gone.err() == ENODEV) return Outcome::kGone;
  if (gone.err() == EBUSY || gone.err() == ENOTEMPTY) return Outcome::kBusy;
  return gone.error();
}

// From the leaves up, with one descriptor whatever the depth: a box may have nested groups as deep as it
// liked.
Result<Outcome> remove_tree(int parent, const char* name) {
  auto top = sys::openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (top.err() == ENOENT || top.err() == ENODEV) return Outcome::kGone;
  if (!top) return top.error();
  UniqueFd here = std::move(top).value();
  Vector<String> way;  // From the group `name` down to `here`.
  for (;;) {
    auto below = directories_in(here.get());
    if (!below && below.err() != ENOENT && below.err() != ENODEV) return below.error();
    if (below && !below->empty()) {
      auto inside = sys::openat(here.get(), below->front().c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW);
      if (inside.err() == ENOENT || inside.err() == ENODEV) continue;
      if (!inside) return inside.error();
      here = std::move(inside).value();
      way.push_back(std::move(below->front()));
      continue;
    }
    if (way.empty()) return remove_directory(parent, name);
    auto up = sys::openat(here.get(), "..", O_PATH | O_DIRECTORY);
    if (!up) return up.error();
    here = std::move(up).value();
    if (TRY(remove_directory(here.get(), way.back().c_str())) == Outcome::kBusy) return Outcome::kBusy;
    way.pop_back();
  }
}

// True when the group is gone from all hierarchies. A busy one does not keep the others.
template <typename Remove>
Result<bool> remove_from_all(const GroupSet& parents, const char* name, const Remove& remove_one) {
  bool all = true;
  for (const Hierarchy& parent : parents.hierarchies)
    if (TRY(remove_one(parent.dir.get(), name)) == Outcome::kBusy) all = false;
  return all;
}

// Until the last process has left: by cgroup.events in v2; v1 has no event, so a while.
void wait_until_empty(const GroupSet& group, Deadline& deadline) {
  const int dir = group.unified();
  if (dir >= 0) {
    auto events = sys::openat(dir, "cgroup.events", O_RDONLY);
    char text[256];
    auto size = events ? sys::pread(events->get(), text, sizeof text, 0) : Result<size_t>(Error(ENOENT));
    if (size && value_of({text, *size}, "populated") == 1) {
      // Not longer than this at once: a process that was not in the group when it was killed may be now.
      constexpr int kAtMostMs = 100;
      sys::Pollfd wait = {events->get(), POLLPRI, 0};
      (void)sys::poll(&wait, 1, std::min(kAtMostMs, deadline.left_ms()));
      return;
    }
  }
  deadline.pause();
}

String left_behind(const GroupSet& group) {
  auto pids = procs(group);
  if (!pids || pids->empty()) return String("it stays busy");
  return format(pids->size(), " processes do not end, such as ", pids->front());
}

}  // namespace

Status remove(const GroupSet& parents, const char* name, uint64_t timeout_ns) {
  auto first = remove_from_all(parents, name, remove_directory);  // What is left to do after an orderly end.
  if (first && *first) return Ok{};
  Deadline deadline(timeout_ns);
  for (;;) {
    const GroupSet group = TRY(open_group(parents, name));
    auto killed = kill_all(group);
    auto gone = remove_from_all(parents, name, remove_tree);
    if (!gone) return gone.error().while_doing("remove the group ", name);
    if (*gone) return Ok{};
    if (deadline.passed()) {
      if (!killed) return killed.error().while_doing("remove the group ", name);
      return Error::plain(ETIMEDOUT, "remove the group ", name, ": ", left_behind(group));
    }
    wait_until_empty(group, deadline);
  }
}

}  // namespace nsbox::cgroup
