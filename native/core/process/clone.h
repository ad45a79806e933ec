#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>

#include "core/sys/syscalls.h"

namespace nsbox {

struct CloneOptions {
  uint64_t flags = 0;   // CLONE_NEW*, and CLONE_CLEAR_SIGHAND in a program with handlers.
  int exit_signal = 0;  // 0: no signal to the parent; it waits by the pidfd, with __WALL.
  int cgroup = -1;      // A cgroup v2 directory to start in (CLONE_INTO_CGROUP).
  bool want_pidfd = true;
};

struct Cloned {
  pid_t pid = -1;
  UniqueFd pidfd;
};

// clone3(2) the way posix_spawn does it: the child shares our memory and runs `body` on a stack of its own,
// and we wait until it has called exec or exited. So the body may only make raw system calls: another thread
// of ours may hold any lock. All signals are blocked in the child; exec keeps them so, and the program that
// follows unblocks. The body's return value is the child's exit status.
Result<Cloned> clone_vfork(const CloneOptions& options, int (*body)(void*), void* argument);

// The same without waiting: the caller goes on while the child is on its way to its exec. The child's stack,
// and all that `body` touches, must stay where they are until it has called exec or exited, which the caller
// learns in its own way. `stack` is aligned to 16 bytes.
Result<Cloned> clone_sharing_memory(const CloneOptions& options, std::span<char> stack, int (*body)(void*),
                                    void* argument);

}  // namespace nsbox
