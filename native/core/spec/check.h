#pragma once

#include "core/spec/config.h"

namespace nsbox {

// What a bundle's configuration must have, and what is sound by itself but cannot be had together.
Status check_bundle(const Config& config);

// Whether it wants kernel parameters of a network namespace that is not the container's own but the caller's:
// these would change the host. Looks at the namespace's path.
Status check_sysctls_are_not_ours(const Config& config);

}  // namespace nsbox
