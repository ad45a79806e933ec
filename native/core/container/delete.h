#pragma once

#include "core/cgroup/systemd.h"
#include "core/container/hooks.h"
#include "core/container/state.h"

namespace nsbox {

enum class DeleteMode : uint8_t { kStoppedOnly, kForce };

// Removes what is left of a container: processes, groups, state; and runs its poststop hooks, whose failures
// are `warnings`. A created container is ended first; a running one only by force. By force, a damaged or
// half-made container is removed as well.
struct DeleteRequest {
  DeleteMode mode = DeleteMode::kStoppedOnly;
  HookOutput hook_output = {};
  cgroup::BusEnvironment environment = {};  // Where the user's systemd is.
};
Status delete_container(const StateDirectory& directory, const DeleteRequest& request,
                        Vector<String>& warnings);

}  // namespace nsbox
