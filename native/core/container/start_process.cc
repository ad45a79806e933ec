#include "core/container/start_process.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>

#include <cerrno>
#include <optional>

#include "core/container/container_terminal.h"
#include "core/mount/dev.h"
#include "core/process/clone.h"
#include "core/sys/beneath.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

// Runs in the child, which shares our memory until it execs: what it leaves in `failure` we read.
struct Child {
  NewProcess process;
  std::optional<Error> failure;

  static int run(void* self) {
    auto& child = *static_cast<Child*>(self);
    auto done = child.become();
    if (!done) child.failure = done.error();
    return 1;
  }

  Status become() {
    TRY(process.prepare());
    return process.execute();
  }
};

// The box's own: whoever has the host's could change its mode for everybody.
Result<UniqueFd> open_null(int root) {
  auto null = open_in_root_nofollow(root, "/dev/null", O_RDWR);
  if (!null) return null.error().while_doing("open /dev/null");
  TRY(check_device(null->get(), 1, 3));
  return null;
}

}  // namespace

Result<StartedProcess> start_process(const ProcessSpec& process, std::span<const UniqueFd> stdio,
                                     const ProcessContext& context, int& exit_status) {
  exit_status = 125;
  const Identity who = TRY(find_identity(process, context.root));
  const ExecTexts texts(process, who);
  Terminal terminal;
  UniqueFd null;
  int ends[3] = {-1, -1, -1};
  if (process.terminal) {
    terminal = TRY(make_terminal(process, context.root, who));
    for (int& end : ends) end = terminal.slave.get();
  } else {
    if (stdio.size() < 3) return Error::invalid("the descriptors of stdin, stdout and stderr are missing");
    if (process.null_stdio) null = TRY(open_null(context.root));
    for (size_t i = 0; i < 3; i++) ends[i] = process.null_stdio >> i & 1 ? null.get() : stdio[i].get();
  }

  Child child{NewProcess(process, context, who, texts, ends), {}};
  auto cloned = clone_vfork({.flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD, .want_pidfd = false},
                            &Child::run, &child);
  if (!cloned) return cloned.error().while_doing("start a process");
  if (child.failure) {
    exit_status = child.process.exit_status();
    (void)sys::wait4(cloned->pid, nullptr, 0, nullptr);
    return *child.failure;
  }
  return StartedProcess{cloned->pid, std::move(terminal.master)};
}

}  // namespace nsbox
