#pragma once

#include <cstdint>
#include <optional>

#include "core/base/string.h"

namespace nsbox::runtime {

// Whom a container without the caller's privileges maps to its root.
struct RootlessUser {
  uint32_t user = 0;
  uint32_t group = 0;
};

// The config.json that a bundle begins with: a shell on a terminal, in a read-only root of its own, with
// three capabilities. The defaults are those of runc's `spec`.
String default_spec(const std::optional<RootlessUser>& rootless);

}  // namespace nsbox::runtime
