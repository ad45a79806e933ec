#pragma once

#include "core/container/hooks.h"
#include "core/container/new_container.h"
#include "core/container/rootfs.h"

namespace nsbox {

struct CreateRequest : NewContainer {
  int console_socket = -1;  // Gets the terminal.
  int pidfd_socket = -1;
  unsigned preserved_fds = 0;
  bool new_keyring = true;
  RootEntry root_entry = RootEntry::kPivot;
  HookOutput hook_output;
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
