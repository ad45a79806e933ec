#pragma once

#include <sys/types.h>

#include <string_view>

#include "core/base/error.h"

namespace nsbox {

// The file in which a caller finds the pid. What is no file there (a FIFO, a device) is written to as it is,
// and neither replaced nor removed.
Status write_pid_file(std::string_view path, pid_t pid);
// For what has failed after all.
void remove_pid_file(std::string_view path);

}  // namespace nsbox
