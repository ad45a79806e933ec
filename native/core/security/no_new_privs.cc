#include "core/security/no_new_privs.h"

#include <linux/prctl.h>

#include "core/sys/syscalls.h"

namespace nsbox {

Status set_no_new_privs() {
  if (auto done = sys::prctl(PR_SET_NO_NEW_PRIVS, 1); !done)
    return done.error().while_doing("set no_new_privs");
  return Ok{};
}

}  // namespace nsbox
