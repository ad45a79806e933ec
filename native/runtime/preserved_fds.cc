#include "runtime/preserved_fds.h"

#include <fcntl.h>

#include "core/base/text.h"
#include "core/sys/syscalls.h"
#include "runtime/verb.h"

namespace nsbox::runtime {
namespace {

// Every one of ours is close-on-exec, and none that we have inherited can be.
bool is_callers(int fd) {
  auto flags = sys::fcntl(fd, F_GETFD, 0);
  return flags && !(*flags & FD_CLOEXEC);
}

}  // namespace

Result<unsigned> preserved_fds(const Arguments& arguments, std::string_view listen_fds) {
  uint64_t count = 0;
  if (arguments.has("preserve-fds")) {
    const auto number = parse_unsigned(arguments.value("preserve-fds"));
    if (!number || *number > 1'000) return usage_error("--preserve-fds: expected a number of descriptors");
    count = *number;
  }
  if (const auto listening = parse_unsigned(listen_fds); listening && *listening <= 1'000)
    count += *listening;
  for (uint64_t i = 0; i < count; i++)
    if (!is_callers(static_cast<int>(3 + i)))
      return usage_error("--preserve-fds: the descriptor ", 3 + i, " is not open");
  return static_cast<unsigned>(count);
}

}  // namespace nsbox::runtime
