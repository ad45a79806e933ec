#pragma once

#include <optional>

#include "core/base/json.h"
#include "core/cgroup/systemd.h"
#include "core/container/status.h"

namespace nsbox {

struct UpdateRequest {
  cgroup::Limits limits;
  std::string_view l3_cache_schema;  // Of Intel's resource director; empty: as it is.
  std::string_view mem_bw_schema;
  cgroup::BusEnvironment environment = {};  // Where the user's systemd is.
};

// New limits of a container that has not ended; what is not set stays as it is. When the kernel refuses one
// of them, those before it are taken back. "container not running" for a stopped one.
Status update_container(const StateDirectory& directory, UpdateRequest request);

}  // namespace nsbox
