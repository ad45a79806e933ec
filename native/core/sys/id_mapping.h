#pragma once

#include <cstdint>

namespace nsbox {

// One range of a user namespace's id map: user_namespaces(7), "User and group ID mappings". Here because
// namespaces and idmapped mounts both have them.
struct IdMapping {
  uint32_t container = 0;
  uint32_t host = 0;
  uint32_t size = 0;
};

}  // namespace nsbox
