#include "core/container/processes.h"

#include <linux/sched.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

// "pid:[4026531836]"; empty for a process that is gone or may not be looked at.
String process_namespace(pid_t pid) {
  char text[64];
  auto size = sys::readlinkat(AT_FDCWD, format("/proc/", pid, "/ns/pid").c_str(), text, sizeof text);
  return size ? String(std::string_view(text, *size)) : String();
}

Result<Vector<pid_t>> sharing_namespace(pid_t init) {
  Vector<pid_t> out;
  const String wanted = process_namespace(init);
  if (wanted.empty()) return out;
  const UniqueFd proc = TRY(sys::open("/proc", O_RDONLY | O_DIRECTORY));
  for (const DirectoryEntry& entry : TRY(read_directory(proc.get()))) {
    const auto number = parse_id(entry.name);
    if (number && process_namespace(static_cast<pid_t>(*number)).view() == wanted.view())
      out.push_back(static_cast<pid_t>(*number));
  }
  return out;
}

Result<Vector<pid_t>> unsorted(const StateDirectory& directory, const State& state) {
  const cgroup::GroupSet groups = TRY(open_groups(state));
  if (!groups.hierarchies.empty()) return cgroup::procs(groups);
  const pid_t init = living_pid(state, TRY(current_status(directory, state)));
  if (init && (state.namespaces & CLONE_NEWPID)) return sharing_namespace(init);
  Vector<pid_t> out;
  if (init) out.push_back(init);
  return out;
}

}  // namespace

Result<Vector<pid_t>> container_processes(const StateDirectory& directory, const State& state) {
  Vector<pid_t> out = TRY(unsorted(directory, state));
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace nsbox
