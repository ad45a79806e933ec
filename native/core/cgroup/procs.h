#pragma once

#include <fcntl.h>
#include <sys/types.h>

#include <cerrno>

#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/cgroup/files.h"
#include "core/sys/syscalls.h"

namespace nsbox::cgroup {

// How deep groups are looked for. A box that may make groups could nest them without end; what lies deeper is
// found by remove(), which has no such bound.
inline constexpr int kMaxGroupDepth = 64;

// Calls `visit(dir)`, which gives a Status, for the group and for all below it. A group that vanishes is
// skipped.
template <typename Visit>
Status walk(int dir, const Visit& visit, int depth = kMaxGroupDepth) {
  TRY(visit(dir));
  auto names = directories_in(dir);
  if (names.err() == ENOENT || names.err() == ENODEV) return Ok{};
  if (!names) return names.error();
  for (const String& name : *names) {
    auto inside = sys::openat(dir, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW);
    if (inside.err() == ENOENT || inside.err() == ENODEV) continue;
    if (!inside) return inside.error();
    if (depth > 0) TRY(walk(inside->get(), visit, depth - 1));
  }
  return Ok{};
}

// The processes of one hierarchy's group and of those below it.
Status add_procs(int dir, Vector<pid_t>& out);

}  // namespace nsbox::cgroup
