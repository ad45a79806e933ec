#pragma once

#include "core/base/error.h"

namespace nsbox {

// Joins a new session keyring of that name, so that the container does not hold its starter's keys. A kernel
// without keyrings, or a filter that answers ENOSYS, has none to leave: fine.
Status join_session_keyring(const char* name);

}  // namespace nsbox
