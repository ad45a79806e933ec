#pragma once

#include "core/container/hooks.h"
#include "core/container/state.h"

namespace nsbox {

// Lets a created container's program begin, and runs the poststart hooks. An error when it is not created.
Status start_container(const StateDirectory& directory, const HookOutput& output);

// The poststart hooks: a failing one is an error, and the container goes on.
Status run_poststart(const StateDirectory& directory, const State& state, const HookOutput& output);

}  // namespace nsbox
