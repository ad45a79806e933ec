#include "core/process/placement.h"

#include <fcntl.h>

#include <cstring>

#include "core/base/number_list.h"
#include "core/base/text.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

// What allow_all_processors() gives must be what the process would have had.
Result<bool> has_all_processors(const NumberSet& allowed) {
  const String online = TRY(read_file_at(AT_FDCWD, "/sys/devices/system/cpu/online"));
  return TRY(parse_number_list(trim(online))) == allowed;
}

}  // namespace

bool place_elsewhere(pid_t child) {
  NumberSet allowed;
  if (!sys::sched_getaffinity(0, allowed.words(), allowed.bytes())) return false;
  auto here = sys::getcpu();
  auto free = has_all_processors(allowed);
  if (!here || !free || !*free) return false;
  allowed.remove(*here);
  return !allowed.empty() && sys::sched_setaffinity(child, allowed.words(), allowed.bytes());
}

void allow_all_processors() {
  NumberSet all;
  memset(all.words(), 0xff, all.bytes());
  (void)sys::sched_setaffinity(0, all.words(), all.bytes());
}

}  // namespace nsbox
