#pragma once

#include "core/base/error.h"

namespace nsbox::cgroup {

// v1: a new cpuset has neither processors nor memory nodes, and no process can enter it before it has. Copies
// them from the group above, unless cgroup.clone_children has done so.
Status inherit_cpuset(int parent, int group);
// Lets the groups that will be made below inherit without our reading and writing.
Status pass_on_cpuset(int group);

}  // namespace nsbox::cgroup
