#pragma once

#include <span>

#include "core/container/hooks.h"
#include "core/container/plan.h"
#include "core/container/rootfs.h"
#include "core/security/seccomp_install.h"

namespace nsbox {

// What the first process of an OCI container inherits from the one that creates it.
struct InitRequest {
  Plan* plan = nullptr;
  State* state = nullptr;  // For what hooks are told.
  int channel = -1;
  int start_socket = -1;
  bool wait_for_maps = false;
  bool new_keyring = true;
  bool make_time_namespace = false;
  bool network_comes = false;  // The creator makes its network namespace.
  int state_directory = -1;  // Where this process puts the last state into its place, and goes on by itself.
  RootEntry root_entry = RootEntry::kPivot;
  unsigned preserved_fds = 0;
  bool keep_groups = false;  // The caller's supplementary groups (run.oci.keep_original_groups).
  HookOutput hook_output;
  const sock_filter* filter = nullptr;  // Shared memory that the creator fills.
  SeccompInstallOptions filter_options;
  int listener_socket = -1;  // Where the listener of a filter goes, with …
  std::string_view listener_metadata;
};

// Its life up to the exec of the container's program. Never returns.
[[noreturn]] void run_container_init(const InitRequest& request);

}  // namespace nsbox
