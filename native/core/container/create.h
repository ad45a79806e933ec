#pragma once

#include "core/cgroup/systemd.h"
#include "core/container/bundle_config.h"
#include "core/container/hooks.h"
#include "core/container/rootfs.h"
#include "core/container/state.h"

namespace nsbox {

struct CreateRequest {
  std::string_view root;  // Where state lies.
  std::string_view id;
  std::string_view bundle;  // Absolute; the caller is in it.
  LoadedConfig* loaded = nullptr;
  CgroupManager manager = CgroupManager::kCgroupfs;
  int console_socket = -1;  // Gets the terminal.
  int pidfd_socket = -1;
  std::string_view pid_file;  // Absolute; empty: none.
  unsigned preserved_fds = 0;
  bool new_keyring = true;
  RootEntry root_entry = RootEntry::kPivot;
  HookOutput hook_output;
  cgroup::Manager bus = cgroup::Manager::kSystem;
  cgroup::BusEnvironment environment;
  bool start = false;  // Go on at once, as run does.
};

struct CreatedContainer {
  StateDirectory directory;
  State state;
  UniqueFd pidfd;
  UniqueFd terminal;  // Where no socket took it.
  Vector<String> warnings;
};

// Makes a container, up to where its program is about to start; with `start`, up to where it runs. A failure
// leaves nothing behind.
Result<CreatedContainer> create_container(const CreateRequest& request);

}  // namespace nsbox
