#pragma once

#include <string_view>

#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/security/capabilities.h"

namespace nsbox {

// One thing that a box may need, found out by trying it in a child that then ends. Never by a version number.
struct Probe {
  std::string_view name;
  bool ok = false;
  String detail;  // The error, when it is not.
};

// user-namespace, pid-namespace, mount-namespace, network-namespace, overlay, overlay-userxattr, proc-mount,
// new-mount-api, seccomp, pidfd, clone3, openat2.
Vector<Probe> run_probes();

}  // namespace nsbox
