#pragma once

#include "core/container/hooks.h"
#include "core/container/state.h"

namespace nsbox {

enum class DeleteMode : uint8_t { kStoppedOnly, kForce };

// Removes what is left of a container: processes, groups, state; and runs its poststop hooks, whose failures
// are `warnings`. A created container is ended first; a running one only by force. By force, a damaged or
// half-made container is removed as well.
Status delete_container(const StateDirectory& directory, DeleteMode mode, const HookOutput& output,
                        Vector<String>& warnings);

}  // namespace nsbox
