#pragma once

#include "core/sys/unique_fd.h"
#include "runtime/arguments.h"

namespace nsbox::runtime {

// Where the caller of create, run and exec wants to hear of the new process.
struct CallersFiles {
  String pid_file;  // Absolute; empty: none.
  UniqueFd console_socket;
  UniqueFd pidfd_socket;
};

// Paths are the caller's: before anybody changes the directory.
Result<CallersFiles> open_callers_files(const Arguments& arguments);

// Who is left to itself needs a socket for its terminal, and only then.
Status check_terminal(const CallersFiles& files, bool terminal, bool detached);

}  // namespace nsbox::runtime
