#include "core/container/join.h"

#include <linux/prctl.h>
#include <linux/sched.h>
#include <signal.h>

#include <cerrno>

#include "core/sys/syscalls.h"

namespace nsbox {

Status join_container(int pidfd, uint64_t namespaces) {
  const int flags = static_cast<int>(namespaces);
  if (!flags) return Ok{};
  auto done = sys::setns(pidfd, flags);
  // Where the container's user namespace is our own already, there is nothing to join.
  if (done.err() == EINVAL && (flags & CLONE_NEWUSER)) done = sys::setns(pidfd, flags & ~CLONE_NEWUSER);
  if (!done) return done.error().while_doing("join the container's namespaces");
  if (!(flags & CLONE_NEWUSER)) return Ok{};
  (void)sys::setgroups(nullptr, 0);
  (void)sys::setresgid(0);
  (void)sys::setresuid(0);
  // The kernel takes both back from who changes its ids.
  TRY(sys::prctl(PR_SET_PDEATHSIG, SIGKILL));
  TRY(sys::prctl(PR_SET_DUMPABLE, 0));
  return Ok{};
}

}  // namespace nsbox
