#include "core/process/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include "core/sys/syscalls.h"

namespace nsbox {

Result<Terminal> open_terminal(int pts) {
  UniqueFd master = TRY(sys::openat(pts, "ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW));
  const int unlock = 0;
  TRY(sys::ioctl(master.get(), TIOCSPTLCK, &unlock));
  auto peer = sys::call(__NR_ioctl, master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  UniqueFd slave = TRY(sys::descriptor(peer));
  return Terminal{std::move(master), std::move(slave)};
}

Status set_window_size(int terminal, uint16_t columns, uint16_t rows) {
  winsize size = {};
  size.ws_col = columns;
  size.ws_row = rows;
  TRY(sys::ioctl(terminal, TIOCSWINSZ, &size));
  return Ok{};
}

}  // namespace nsbox
