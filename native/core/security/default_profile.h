#pragma once

#include <cstdint>

#include "core/security/architecture.h"
#include "core/security/seccomp_profile.h"

namespace nsbox {

struct DefaultProfileOptions {
  uint64_t capabilities = 0;  // The container's bounding set.
  Architecture native = kNativeArchitecture;
};

// The calls that Docker's default profile allows to a container with these capabilities. All that the profile
// points to is constant.
SeccompProfile default_seccomp_profile(const DefaultProfileOptions& options);

}  // namespace nsbox
