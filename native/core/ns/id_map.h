#pragma once

#include <span>

#include "core/base/error.h"
#include "core/sys/id_mapping.h"

// User namespaces' id maps: user_namespaces(7), "User and group ID mappings".
namespace nsbox {

// The lines of uid_map: "0 1000 1\n".
String id_map_text(std::span<const IdMapping> mappings);

// Writes the maps of this very process, as a user may who maps no id but its own: setgroups is denied first.
Status write_own_id_maps(std::span<const IdMapping> users, std::span<const IdMapping> groups);

// Writes the maps of another process, as a privileged writer may.
Status write_id_maps(int proc, std::span<const IdMapping> users, std::span<const IdMapping> groups);

}  // namespace nsbox
