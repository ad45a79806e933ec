#pragma once

#include <sys/types.h>

#include <string_view>

#include "core/base/error.h"
#include "core/security/seccomp_profile.h"
#include "core/sys/unique_fd.h"

namespace nsbox {

// Hands the descriptor of SECCOMP_RET_USER_NOTIF to whoever listens at linux.seccomp.listenerPath:
// runtime-spec runtime-linux.md, "The Container Process State".
Status send_listener(int socket, int listener, std::string_view metadata, std::string_view state,
                     std::string_view oci_version, pid_t pid);

// Where the listener of this profile will go; an error for a profile with which nobody could answer, because
// what hands the descriptor over waits for an answer itself.
Result<UniqueFd> connect_to_listener(const SeccompProfile& profile);

// A connection to the stream socket at that path.
Result<UniqueFd> connect_to_socket(std::string_view path);
// The descriptor goes there, by this name.
Status send_descriptor(int socket, std::string_view name, int fd);

}  // namespace nsbox
