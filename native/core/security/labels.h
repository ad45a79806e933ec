#pragma once

#include <string_view>

#include "core/base/error.h"

namespace nsbox {

struct SecurityModules {
  bool apparmor = false;
  bool selinux = false;
};

// Which modules are at work, from two statfs calls on fixed paths. Ask before the root is changed.
SecurityModules security_modules();

// What the next exec of this thread runs under. `thread_self` is a descriptor of a trusted /proc/thread-self
// (or of its directory in a procfs of ours).
Status set_apparmor_exec_profile(int thread_self, std::string_view profile);
Status set_selinux_exec_label(int thread_self, std::string_view label);
// The label of keyrings that this thread makes.
Status set_selinux_key_label(int thread_self, std::string_view label);

}  // namespace nsbox
