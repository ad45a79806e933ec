#pragma once

#include <sys/types.h>

#include "core/base/error.h"
#include "core/sys/unique_fd.h"
#include "runtime/arguments.h"

namespace nsbox::runtime {

// A process that we started and stay with: our signals go on to it, and between our terminal and its own
// (`terminal`: the master; may be absent) everything is copied.
struct Foreground {
  pid_t pid = -1;
  int pidfd = -1;
  int terminal = -1;
};

// Must be called before the process is started, so that no signal is lost in between.
Status take_signals();
// The same, and whatever the process leaves behind comes to us, unless the caller wants --no-subreaper.
Status take_signals_and_orphans(const Arguments& arguments);

// Its exit code, or 128 and its signal. Other children that end meanwhile are reaped.
Result<int> stay_with(const Foreground& process);

}  // namespace nsbox::runtime
