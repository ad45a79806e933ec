#pragma once

#include <linux/filter.h>

#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/security/seccomp_profile.h"

namespace nsbox {

// What to do with a call's name that no architecture's table has.
enum class UnknownSyscall : uint8_t {
  kIgnore,  // As runc does: the profile may be newer, or for another machine.
  kFail,
};

struct SeccompCompileOptions {
  Architecture native = kNativeArchitecture;
  UnknownSyscall unknown = UnknownSyscall::kIgnore;
};

// The profile as a classic BPF program of at most 4096 instructions. The same profile gives the same program.
//
// A call of an architecture that the profile does not name (and is not the native one) kills the thread, as
// libseccomp's filters do; x32 calls count as such an architecture. A call newer than any that the profile
// names answers ENOSYS where the default would be an error, as under runc, so that a C library falls back to
// older calls.
Result<Vector<sock_filter>> compile_seccomp(const SeccompProfile& profile,
                                            const SeccompCompileOptions& options = {});

}  // namespace nsbox
