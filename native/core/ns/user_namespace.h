#pragma once

#include <span>

#include "core/base/error.h"
#include "core/sys/id_mapping.h"
#include "core/sys/unique_fd.h"

namespace nsbox {

// A user namespace with these maps that nobody lives in: for idmapped mounts. Takes a process for a moment,
// since a namespace is made by somebody who enters it.
Result<UniqueFd> make_user_namespace(std::span<const IdMapping> users, std::span<const IdMapping> groups);

}  // namespace nsbox
