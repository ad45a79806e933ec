#pragma once

#include <cstdint>

#include "core/base/error.h"

namespace nsbox {

// A process of ours into these namespaces of the container whose process the pidfd is. In a user namespace it
// is root from then on.
Status join_container(int pidfd, uint64_t namespaces);

}  // namespace nsbox
