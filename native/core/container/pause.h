#pragma once

#include "core/container/status.h"

namespace nsbox {

// Stops every process of a created or running container, and lets them go on. "container not running" and
// "container not paused" for one in another status. EOPNOTSUPP with the remedy where the container's groups
// have no freezer.
Status pause_container(const StateDirectory& directory);
Status resume_container(const StateDirectory& directory);

}  // namespace nsbox
