#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "core/base/text.h"
#include "core/cgroup/cgroup.h"
#include "core/cgroup/files.h"
#include "core/cgroup/make.h"
#include "core/sys/syscalls.h"

namespace nsbox::cgroup {

namespace {

Status check_name(std::string_view name) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string_view::npos)
    return Error::invalid("not a name for a cgroup: ", name);
  return Ok{};
}

// "the memory group", for messages.
String described(const Hierarchy& hierarchy) {
  if (hierarchy.controllers.has(Controller::kUnified)) return String("the v2 group");
  return format("the ", names_of(hierarchy.controllers), " group");
}

void take_back(const GroupSet& parents, const GroupSet& made, const char* name) {
  for (const Hierarchy& parent : parents.hierarchies)
    if (made.controllers().has_any(parent.controllers))
      (void)sys::unlinkat(parent.dir.get(), name, AT_REMOVEDIR);
}

Error attach_error(const Hierarchy& hierarchy, const Error& error) {
  const String where = described(hierarchy);
  if (error.err() == EOPNOTSUPP)
    return Error::plain(EBUSY, "enter ", where, ": it is threaded, or part of a threaded group");
  if (error.err() == EBUSY)
    return Error::plain(EBUSY, "enter ", where,
                        ": it passes controllers on, so it cannot have processes (EBUSY)");
  return error.while_doing("enter ", where);
}

Status attach_to(const GroupSet& set, std::string_view pid, const char* v1_file, Skip skip) {
  for (const Hierarchy& each : set.hierarchies) {
    if (each.version == Version::kV2 && skip == Skip::kUnified) continue;
    const char* file = each.version == Version::kV1 ? v1_file : "cgroup.procs";
    auto done = write_value(each.dir.get(), file, pid);
    if (!done) return attach_error(each, done.error());
  }
  return Ok{};
}

// Attaches what is listed in one hierarchy and missing in another; true when nothing was missing.
Result<bool> attach_missing(const GroupSet& from, const GroupSet& to) {
  const Vector<pid_t> wanted = TRY(procs(from));
  Vector<pid_t> there = TRY(procs(to));
  std::sort(there.begin(), there.end());
  bool complete = true;
  for (const pid_t pid : wanted) {
    if (std::binary_search(there.begin(), there.end(), pid)) continue;
    complete = false;
    auto done = attach(to, pid);
    if (!done && done.err() != ESRCH) return done.error();
  }
  return complete;
}

}  // namespace

Controllers GroupSet::controllers() const {
  Controllers all;
  for (const Hierarchy& each : hierarchies) all = all | each.controllers;
  return all;
}

const Hierarchy* GroupSet::find(Controller controller) const {
  for (const Hierarchy& each : hierarchies)
    if (each.controllers.has(controller)) return &each;
  return nullptr;
}

int GroupSet::unified() const {
  const Hierarchy* found = find(Controller::kUnified);
  return found ? found->dir.get() : -1;
}

Result<GroupSet> create_group(const GroupSet& parents, const char* name, Controllers wanted,
                              IfExists if_exists) {
  TRY(check_name(name));
  GroupSet set;
  set.hierarchies.reserve(parents.hierarchies.size());
  for (const Hierarchy& parent : parents.hierarchies) {
    if (!parent.controllers.has_any(wanted)) continue;
    Made made = Made::kThereBefore;
    auto group = make_in(parent, name, made);
    if (group && made == Made::kThereBefore && if_exists == IfExists::kFail) group = Error(EEXIST);
    if (!group) {
      if (if_exists == IfExists::kFail) take_back(parents, set, name);
      return group.error().while_doing("make ", described(parent), " ", name);
    }
    set.hierarchies.push_back(std::move(group).value());
  }
  return set;
}

Result<GroupSet> open_group(const GroupSet& parents, const char* name) {
  TRY(check_name(name));
  GroupSet set;
  for (const Hierarchy& parent : parents.hierarchies) {
    auto dir = sys::openat(parent.dir.get(), name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    if (dir.err() == ENOENT) continue;
    if (!dir) return dir.error().while_doing("open ", described(parent), " ", name);
    set.hierarchies.push_back({parent.controllers, parent.version, std::move(dir).value()});
  }
  return set;
}

// "0" in v1's `tasks` moves the calling thread. For that the kernel need not keep other threads from being
// made meanwhile, and takes no cgroup_threadgroup_rwsem, whose first writer waits for an RCU grace period.
Status attach_self(const GroupSet& set, Skip skip) { return attach_to(set, "0", "tasks", skip); }

Status attach(const GroupSet& set, pid_t pid, Skip skip) {
  return attach_to(set, format(pid), "cgroup.procs", skip);
}

// Children are born where their parent is, so each pass leaves fewer outside; only a chain of processes that
// fork and end at once could go on for ever.
Status move_all(const GroupSet& from, const GroupSet& to) {
  Deadline deadline(kFreezeTimeoutNs);
  while (!TRY(attach_missing(from, to)))
    if (deadline.passed())
      return Error::plain(ETIMEDOUT, "move all processes to the ", names_of(to.controllers()), " group");
  return Ok{};
}

Status join(GroupSet& set, const GroupSet& parents, const char* name, Controllers further) {
  further = further - set.controllers();
  GroupSet added = TRY(create_group(parents, name, further, IfExists::kUse));
  if (!added.controllers().has_all(further))
    return Error::plain(kNoController, "no cgroup controller ", names_of(further - added.controllers()));
  TRY(move_all(set, added));
  for (Hierarchy& each : added.hierarchies) set.hierarchies.push_back(std::move(each));
  return Ok{};
}

}  // namespace nsbox::cgroup
