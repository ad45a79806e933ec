#pragma once

#include <sys/types.h>

#include <span>

#include "core/container/new_process.h"

namespace nsbox {

struct StartedProcess {
  pid_t pid = -1;
  UniqueFd terminal;  // The master, if it has a terminal.
};

// Why it did not start. `exit_status` is what a shell would give: 127 not found, 126 not executable, else
// 125.
struct StartFailure {
  int exit_status = 125;
  Error error{0};
};

// Starts it as a child of this process, in all its namespaces: identity, limits, privileges, filter, exec.
// `stdio` holds stdin, stdout and stderr, or nothing for a process with a terminal.
Result<StartedProcess> start_process(const ProcessSpec& process, std::span<const UniqueFd> stdio,
                                     const ProcessContext& context, int& exit_status);

}  // namespace nsbox
