#include "core/process/descriptors.h"

#include <algorithm>

#include "core/sys/syscalls.h"

namespace nsbox {

void close_all_but(unsigned from, std::span<int> kept) {
  std::sort(kept.begin(), kept.end());
  for (const int fd : kept) {
    if (fd < static_cast<int>(from)) continue;
    if (fd > static_cast<int>(from)) (void)sys::close_range(from, static_cast<unsigned>(fd) - 1, 0);
    from = static_cast<unsigned>(fd) + 1;
  }
  (void)sys::close_range(from, ~0U, 0);
}

}  // namespace nsbox
