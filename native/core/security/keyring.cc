#include "core/security/keyring.h"

#include <errno.h>
#include <linux/keyctl.h>

#include "core/sys/syscalls.h"

namespace nsbox {

Status join_session_keyring(const char* name) {
  auto done = sys::keyctl(KEYCTL_JOIN_SESSION_KEYRING, sys::word(name));
  if (!done && done.err() != ENOSYS) return done.error().while_doing("join a new session keyring");
  return Ok{};
}

}  // namespace nsbox
