#include "core/process/clone.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/sys/file.h"
#include "support/forked.h"
#include "support/workspace.h"

using namespace nsbox;
using namespace nsbox::test;

namespace {

siginfo_t end_of(int pidfd) {
  siginfo_t info = {};
  (void)sys::waitid(P_PIDFD, pidfd, &info, WEXITED | __WALL, nullptr);
  return info;
}

int answer_42(void* seen) {
  *static_cast<pid_t*>(seen) = sys::getpid();
  return 42;
}

int tell_mask(void* out) {
  uint64_t mask = 0;
  (void)sys::sigprocmask(SIG_SETMASK, ~uint64_t{0}, &mask);
  *static_cast<uint64_t*>(out) = mask;
  return 0;
}

int run_shell(void*) {
  const char* argv[] = {"sh", "-c", "exit 7", nullptr};
  const char* envp[] = {nullptr};
  (void)sys::execveat(AT_FDCWD, "/bin/sh", argv, envp, 0);
  return 99;
}

uint64_t blocked_now() {
  uint64_t mask = 0;
  (void)sys::sigprocmask(SIG_BLOCK, 0, &mask);
  return mask;
}

}  // namespace

TEST("clone: the child shares our memory until it ends, and we wait for it") {
  pid_t seen = 0;
  MUST(child, clone_vfork({}, &answer_42, &seen));
  EXPECT(seen == child.pid && seen > 0 && seen != getpid());
  EXPECT_EQ(fcntl(child.pidfd.get(), F_GETFD), FD_CLOEXEC);
  const siginfo_t end = end_of(child.pidfd.get());
  EXPECT(end.si_code == CLD_EXITED && end.si_status == 42);
}

TEST("clone: a child that execs frees us, and ends by itself") {
  MUST(child, clone_vfork({.flags = CLONE_CLEAR_SIGHAND}, &run_shell, nullptr));
  EXPECT_EQ(end_of(child.pidfd.get()).si_status, 7);
}

TEST("clone: every signal is blocked in the child, and our own mask comes back") {
  (void)sys::sigprocmask(SIG_BLOCK, uint64_t{1} << (SIGUSR1 - 1));
  const uint64_t before = blocked_now();
  uint64_t inside = 0;
  MUST(child, clone_vfork({}, &tell_mask, &inside));
  (void)end_of(child.pidfd.get());
  const uint64_t never = uint64_t{1} << (SIGKILL - 1) | uint64_t{1} << (SIGSTOP - 1);
  EXPECT_EQ(inside | never, ~uint64_t{0});
  EXPECT_EQ(blocked_now(), before);
  (void)sys::sigprocmask(SIG_UNBLOCK, uint64_t{1} << (SIGUSR1 - 1));
}

TEST("clone: a failure is told, and leaves nothing") {
  const size_t before = open_descriptors();
  const uint64_t mask = blocked_now();
  pid_t seen = 0;
  EXPECT_EQ(code_of(clone_vfork({.flags = CLONE_FS | CLONE_NEWNS}, &answer_42, &seen)), "EINVAL");
  EXPECT_EQ(code_of(clone_vfork({.cgroup = 1000000}, &answer_42, &seen)), "EBADF");
  EXPECT_EQ(seen, 0);
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(blocked_now(), mask);
}

TEST("clone: makes namespaces on the way") {
  if (!is_privileged()) return skip("needs root");
  pid_t seen = 0;
  MUST(child, clone_vfork({.flags = CLONE_NEWPID | CLONE_NEWNS}, &answer_42, &seen));
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(end_of(child.pidfd.get()).si_status, 42);
}

TEST("clone: without a pidfd there is none") {
  pid_t seen = 0;
  MUST(child, clone_vfork({.exit_signal = SIGCHLD, .want_pidfd = false}, &answer_42, &seen));
  EXPECT(!child.pidfd);
  EXPECT_EQ(exit_status_of(child.pid), 42);
}
