#include "core/cgroup/procs.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "core/base/text.h"
#include "core/cgroup/cgroup.h"
#include "core/cgroup/files.h"
#include "core/sys/syscalls.h"

namespace nsbox::cgroup {

namespace {

// The listing of one group. Numbers that are 0 belong to processes outside of our PID namespace.
Status add_listed(int dir, Vector<pid_t>& out) {
  auto text = read_value(dir, "cgroup.procs");
  // A threaded v2 group: its processes are listed in its domain, above. A group that is gone has none.
  if (text.err() == EOPNOTSUPP || text.err() == ENODEV || text.err() == ENOENT) return Ok{};
  if (!text) return text.error().while_doing("read cgroup.procs");
  std::string_view rest = *text;
  while (!rest.empty())
    if (const auto pid = parse_unsigned(cut(rest, '\n')); pid && *pid)
      out.push_back(static_cast<pid_t>(*pid));
  return Ok{};
}

}  // namespace

Result<Vector<String>> names_below(int dir) {
  auto names = directories_in(dir);
  if (names.err() == ENOENT || names.err() == ENODEV) return Vector<String>();
  return names;
}

Status add_procs(int dir, Vector<pid_t>& out) {
  return walk(dir, [&](int each) { return add_listed(each, out); });
}

Result<Vector<pid_t>> procs(const GroupSet& set) {
  Vector<pid_t> out;
  const Hierarchy* one = set.find(Controller::kUnified);
  if (!one && !set.hierarchies.empty()) one = &set.hierarchies.front();
  if (one) TRY(add_procs(one->dir.get(), out));
  return out;
}

Result<bool> populated(const GroupSet& set) {
  for (const Hierarchy& each : set.hierarchies) {
    if (each.version == Version::kV2) {
      // The root of v2 has no cgroup.events; nobody makes boxes of it.
      const String events = TRY(read_value(each.dir.get(), "cgroup.events"));
      if (value_of(events, "populated") == 1) return true;
      continue;
    }
    Vector<pid_t> found;
    TRY(add_procs(each.dir.get(), found));
    if (!found.empty()) return true;
  }
  return false;
}

Result<Vector<String>> children(const GroupSet& set) {
  Vector<String> all;
  for (const Hierarchy& each : set.hierarchies) {
    for (String& name : TRY(directories_in(each.dir.get()))) {
      const auto same = [&](const String& known) { return known.view() == name.view(); };
      if (std::none_of(all.begin(), all.end(), same)) all.push_back(std::move(name));
    }
  }
  return all;
}

}  // namespace nsbox::cgroup
