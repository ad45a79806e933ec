#pragma once

#include "core/base/error.h"

namespace nsbox {

// Runs this very program again from a read-only mount of it that is its own, or a sealed copy in memory,
// which nothing can write to: a container's program that is "#!/proc/self/exe" is then no way to the host's
// file (CVE-2019-5736). Returns only when the running program is such a copy already, or with the failure.
Status run_from_own_copy(const char* const* argv, const char* const* envp);

}  // namespace nsbox
