#pragma once

#include "core/container/status.h"

namespace nsbox {

// The processes of a container, by their numbers here, in rising order: those in its groups; without groups,
// those that share its process namespace; and where it has none of its own, its first process alone.
Result<Vector<pid_t>> container_processes(const StateDirectory& directory, const State& state);

}  // namespace nsbox
