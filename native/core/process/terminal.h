#pragma once

#include <cstdint>

#include "core/base/error.h"
#include "core/sys/unique_fd.h"

namespace nsbox {

struct Terminal {
  UniqueFd master;
  UniqueFd slave;
};

// A new pty of the devpts at `pts` (a directory descriptor). The slave's end is opened through the master
// (TIOCGPTPEER), never by a path that the container could have replaced.
Result<Terminal> open_terminal(int pts);
Status set_window_size(int terminal, uint16_t columns, uint16_t rows);

}  // namespace nsbox
