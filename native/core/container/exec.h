#pragma once

#include "core/container/state.h"
#include "core/spec/config.h"

namespace nsbox {

struct ExecRequest {
  const ProcessSpec* process = nullptr;
  const Config* config = nullptr;  // The container's: personality and memory policy.
  std::string_view sub_group;      // --cgroup: below the container's own group.
  bool ignore_paused = false;
  unsigned preserved_fds = 0;
};

struct ExecutedProcess {
  pid_t pid = -1;
  UniqueFd pidfd;
  UniqueFd terminal;
};

// Starts a process in a living container: in its namespaces, its groups and under its filter; returns when
// its exec has worked. `exit_status` is what a shell would give for a failure.
Result<ExecutedProcess> exec_in_container(const StateDirectory& directory, const ExecRequest& request,
                                          int& exit_status);

}  // namespace nsbox
