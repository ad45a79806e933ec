#pragma once

#include <fcntl.h>
#include <sys/types.h>

#include <cerrno>
#include <utility>

#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/cgroup/files.h"
#include "core/sys/syscalls.h"

namespace nsbox::cgroup {

// The groups directly below; none when the group itself is gone.
Result<Vector<String>> names_below(int dir);

// Calls `visit(dir)`, which gives a Status, for the group and for all below it. A group that vanishes is
// skipped. One descriptor and no stack, whatever the depth: a box that may make groups can nest them without
// end.
template <typename Visit>
Status walk(int dir, const Visit& visit) {
  const auto gone = [](int err) { return err == ENOENT || err == ENODEV; };
  Vector<Vector<String>> to_do(1);  // For each level, the names not visited yet.
  TRY(visit(dir));
  to_do.back() = TRY(names_below(dir));
  for (UniqueFd here; !to_do.empty();) {
    const int at = to_do.size() == 1 ? dir : here.get();
    if (to_do.back().empty()) {
      to_do.pop_back();
      if (to_do.size() < 2) continue;
      auto up = sys::openat(at, "..", O_PATH | O_DIRECTORY);
      if (gone(up.err())) return Ok{};
      here = TRY(std::move(up));
      continue;
    }
    const String name = std::move(to_do.back().back());
    to_do.back().pop_back();
    auto inside = sys::openat(at, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW);
    if (gone(inside.err())) continue;
    here = TRY(std::move(inside));
    TRY(visit(here.get()));
    to_do.push_back(TRY(names_below(here.get())));
  }
  return Ok{};
}

// The processes of one hierarchy's group and of those below it.
Status add_procs(int dir, Vector<pid_t>& out);

}  // namespace nsbox::cgroup
