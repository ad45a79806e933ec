#pragma once

#include <linux/filter.h>

#include <optional>
#include <span>

#include "core/base/error.h"
#include "core/security/seccomp_profile.h"
#include "core/sys/unique_fd.h"

namespace nsbox {

struct SeccompInstallOptions {
  uint32_t flags = 0;  // SECCOMP_FILTER_FLAG_*, without NEW_LISTENER
  bool listener = false;
};

// The flags that the profile asks for (SPEC_ALLOW where it has no list), and a listener where it notifies.
SeccompInstallOptions install_options(const SeccompProfile& profile);

// Puts the filter on the calling thread (on all threads with TSYNC). Needs no_new_privs or CAP_SYS_ADMIN.
// Answers the listener's descriptor where one was asked for, an empty owner otherwise.
Result<UniqueFd> install_seccomp(std::span<const sock_filter> program,
                                 const SeccompInstallOptions& options = {});

// The SECCOMP_FILTER_FLAG_* that this kernel knows, found out by asking it.
uint32_t supported_seccomp_flags();

}  // namespace nsbox
