#pragma once

#include <string_view>

#include "core/process/clone.h"

namespace nsbox::addon {

struct SpawnRequest {
  int program;           // The executable's descriptor.
  const char* command;   // "init", "janitor"
  int channel;           // Becomes descriptor 3.
  uint64_t namespaces;   // CLONE_NEW*
  int cgroup = -1;
};

// The single place where the addon clones: vfork-style, and at once execveat of nsbox-runtime, with nothing but
// /dev/null and the channel open.
Result<Cloned> spawn_runtime(const SpawnRequest& request);

// A sealed copy of the file in memory: what is executed from it can be written by nobody, root in a box included.
Result<UniqueFd> load_sealed(const char* path);

}  // namespace nsbox::addon
