#pragma once

#include "core/cgroup/systemd.h"
#include "core/container/bundle_config.h"
#include "core/container/groups.h"
#include "core/container/state.h"

namespace nsbox {

// What is asked of a container that is to be, made or restored.
struct NewContainer {
  std::string_view root;  // Where state lies.
  std::string_view id;
  std::string_view bundle;  // Absolute; the caller is in it.
  LoadedConfig* loaded = nullptr;
  CgroupManager manager = CgroupManager::kCgroupfs;
  cgroup::Manager bus = cgroup::Manager::kSystem;
  cgroup::BusEnvironment environment = {};
  std::string_view pid_file;  // Absolute; empty: none.
};

// Its state before anything of it is there.
State state_of(const NewContainer& request);
// The groups that it asks for, of the process that will be in them.
GroupRequest groups_of(const NewContainer& request, pid_t init);

}  // namespace nsbox
