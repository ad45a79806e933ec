#pragma once

#include "core/container/bundle_config.h"
#include "core/container/criu.h"
#include "core/container/groups.h"

namespace nsbox {

struct RestoreRequest {
  std::string_view root;  // Where state lies.
  std::string_view id;
  std::string_view bundle;  // Absolute; the caller is in it.
  LoadedConfig* loaded = nullptr;
  CgroupManager manager = CgroupManager::kCgroupfs;
  cgroup::Manager bus = cgroup::Manager::kSystem;
  cgroup::BusEnvironment environment = {};
  std::string_view pid_file;  // Absolute; empty: none.
  CriuOptions criu;
};

struct RestoredContainer {
  StateDirectory directory;
  State state;
  UniqueFd pidfd;
};

// A container from the images of a checkpoint: it runs on where it was. Our own standard streams take the
// place of those that it had. A failure leaves nothing behind.
Result<RestoredContainer> restore_container(const RestoreRequest& request);

}  // namespace nsbox
