#pragma once

#include "core/base/error.h"

namespace nsbox {

// Runs this very program again from a read-only mount of it that is its own, or a sealed copy in memory,
// which nothing can write to: a container's program that is "#!/proc/self/exe" is then no way to the host's
// file (CVE-2019-5736). Returns only when the running program is such a copy already, or with the failure.
Status run_from_own_copy(const char* const* argv, const char* const* envp);

// The same for a verb whose child alone enters a container: it may go over meanwhile. Prepares it, or does at
// once what run_from_own_copy() does.
Status prepare_own_copy(const char* const* argv, const char* const* envp);
// In that child, before anything of the container can see it.
Status enter_own_copy();

}  // namespace nsbox
