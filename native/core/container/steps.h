#pragma once

#include "core/spec/config.h"
#include "core/sys/unique_fd.h"

// Steps that the start of a box and of an OCI container have in common.
namespace nsbox {

Status name_the_host(const Config& config);
// Through the sys of the container's own procfs and never out of it, whatever lies on its paths.
Status set_sysctls(const Config& config, int sysctls);

// A new time namespace for the children of the calling process (and, from Linux 6.3 on, for its next exec).
// The file is opened first: a process that nobody may look into cannot open its own.
Status make_time_namespace(const Vector<TimeOffset>& offsets, int file);
Result<UniqueFd> open_time_offsets();

}  // namespace nsbox
